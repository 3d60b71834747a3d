"""Who are we to a cloud that trusts this deployment instead of a secret of the tenant's?

By a token (OpenID Connect) that whoever runs Canopy puts into a file, one for each organization: the trust that a
tenant sets up names the token's subject, so that nobody else's organization can make us their deputy. The file's name
is the deployment's setting; of the tenant only the organization's id goes into it, which is ours.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from shared.clouds.errors import AuthFailed
from shared.clouds.settings import ORGANIZATION, CloudSettings

OrganizationId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TOKEN_BYTES_MAX = 64 * 1024


def identity_token(settings: CloudSettings, organization_id: str, provider: str) -> str:
    """The organization's token as it is now: whoever puts it there renews it. Raises `AuthFailed` without one."""
    template = settings.workload_token_file
    if template is None or organization_id not in _organizations(settings, organization_id):
        raise _no_token("This deployment has no identity token for this organization", provider)
    file = Path(template.replace(ORGANIZATION, organization_id))
    try:
        with file.open("rb") as opened:
            text = opened.read(_TOKEN_BYTES_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise _no_token("The deployment's identity token cannot be read", provider) from None
    if not _TOKEN.fullmatch(text):
        raise _no_token("The deployment's identity token is not one", provider)
    return text


def claims_of(token: str) -> dict[str, Any]:
    """What a token of our own says, unverified: for telling a tenant which subject to trust."""
    part = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def external_id(organization_id: str) -> str:
    """What a role's trust has to ask for: another one for each organization, given by us and never chosen.

    It is no secret (docs: "How to use an external ID", AWS IAM): that nobody can have Canopy say another's is enough.
    """
    return f"canopy-{organization_id}"


def _organizations(settings: CloudSettings, organization_id: str) -> tuple[str, ...]:
    """A file for each organization serves any; a single file serves the one that the deployment names."""
    if ORGANIZATION in (settings.workload_token_file or ""):
        return (organization_id,)
    return () if settings.workload_token_organization is None else (str(settings.workload_token_organization),)


def _no_token(message: str, provider: str) -> AuthFailed:
    return AuthFailed("no_identity_token", message, provider=provider, operation="token")
