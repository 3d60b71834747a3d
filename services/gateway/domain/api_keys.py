"""When does an API key let somebody in? Its secret is right, it is not revoked, and its time is not over."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.gateway.domain.opaque_tokens import OpaqueToken, TokenKind, mint, parse
from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import FieldError, InvalidInput, PermissionDenied, Unauthenticated
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import Role, RoleMatrix


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: of the secret only its digest."""

    id: UUID
    organization: UUID
    organization_slug: str
    name: str
    role: Role
    prefix: str
    digest: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


def new_api_key(randomness: bytes) -> OpaqueToken:
    """`cnp_<prefix>_<secret>` from 39 random bytes; its text is shown once and never stored."""
    return mint(TokenKind.API_KEY, randomness)


def parse_api_key(text: str) -> OpaqueToken:
    """Read `X-API-Key`. Raises Unauthenticated (`invalid_token`)."""
    return parse(TokenKind.API_KEY, text)


def authenticate(
    presented: OpaqueToken, stored: ApiKey | None, keys: SigningKeys, matrix: RoleMatrix, now: datetime
) -> Principal:
    """Return who holds the presented key; `stored` is the row with its prefix, None when there is none.

    Raises Unauthenticated: `invalid_token` for an unknown, forged or revoked key alike, `token_expired` only to who
    holds the true secret.
    """
    genuine = presented.matches(stored.digest if stored else None, keys)
    if stored is None or not genuine:
        raise _not_valid()
    return principal_of(stored, matrix, now)


def principal_of(stored: ApiKey, matrix: RoleMatrix, now: datetime) -> Principal:
    """Return the principal that a key is while it is neither revoked nor expired. Raises Unauthenticated."""
    if stored.revoked_at is not None:
        raise _not_valid()
    if stored.expires_at is not None and now >= stored.expires_at:
        raise Unauthenticated("the API key has expired", code="token_expired")
    return Principal(
        id=stored.id,
        organization=stored.organization,
        organization_slug=stored.organization_slug,
        kind=PrincipalKind.API_KEY,
        role=stored.role,
        display_name=stored.name,
        permissions=matrix.permissions_of(stored.role),
        token_expires_at=stored.expires_at,
    )


def ensure_grantable(creator: Role, role: Role, expires_at: datetime | None, matrix: RoleMatrix, now: datetime) -> None:
    """Raise PermissionDenied when the key's role holds more than its creator's, InvalidInput when it is born dead."""
    if not matrix.may_grant(creator, role):
        raise PermissionDenied(f"the role {role} holds more than your own")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput(
            "the expiry is not in the future", errors=[FieldError("/expires_at", "must be in the future")]
        )


def _not_valid() -> Unauthenticated:
    return Unauthenticated("the API key is not valid", code="invalid_token")
