"""What may an idempotency token be, and which name does it give to what is made with it?"""

from __future__ import annotations

import hashlib
import re

from shared.clouds.libcloud.refusals import invalid

_TOKEN = re.compile(r"[A-Za-z0-9._:/-]{1,64}")


def check_token(token: str, *, provider: str, operation: str) -> None:
    """`InvalidRequest` with field `token` for one that the contract does not allow."""
    if not _TOKEN.fullmatch(token):
        detail = "is 1 to 64 letters, digits and . _ : / -"
        raise invalid("token", detail, provider=provider, operation=operation)


def name_of(token: str) -> str:
    """A name that only this token has: lower-case letters, digits and dashes, 31 characters."""
    return f"canopy-{hashlib.sha256(token.encode()).hexdigest()[:24]}"
