"""Which label has a thing whose label is all the text that it holds: one that its token can be read from again?

A saga's token is a UUID, and 26 letters of base32 say all of it: what a list shows is then known to be ours while its
create still waits for an answer. Another token (the contract allows 64 characters) is only recognized when asked for.
"""

from __future__ import annotations

import base64
import re
from uuid import UUID

from shared.clouds.libcloud.tokens import name_of

_LABEL = re.compile(r"canopy([a-z2-7]{26})")
_PADDING = "======"


def label_of(token: str) -> str:
    """At most 32 characters, lower-case letters, digits and dashes: what databases and buckets both take."""
    try:
        identifier = UUID(token)
    except ValueError:
        return name_of(token)
    if str(identifier) != token:
        return name_of(token)
    return f"canopy{base64.b32encode(identifier.bytes).decode().rstrip('=').lower()}"


def token_of(label: str) -> str | None:
    """The token of a label that says it."""
    found = _LABEL.fullmatch(label)
    return None if found is None else str(UUID(bytes=base64.b32decode(found[1].upper() + _PADDING)))
