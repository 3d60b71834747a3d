"""Who is behind a key or a token, and what may they do? Read before the organization is known, as background work."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, select, update

from services.gateway.domain.api_keys import ApiKey
from services.gateway.domain.tokens import SignedInUser
from services.gateway.storage.tables import api_keys, organizations, refresh_tokens, role_restrictions, users
from shared.db.work import Work
from shared.security.permissions import Permission
from shared.security.roles import Role, RoleMatrix

# Put together once: every key and token that is not remembered passes here.
_KEYS = select(api_keys, organizations.c.slug).join(organizations, organizations.c.id == api_keys.c.organization_id)
_KEY_BY_PREFIX = _KEYS.where(api_keys.c.prefix == bindparam("prefix"))
_KEY_BY_ID = _KEYS.where(api_keys.c.id == bindparam("key"))
_USER = (
    select(users.c.id, users.c.organization_id, organizations.c.slug, users.c.role, users.c.display_name)
    .join(refresh_tokens, refresh_tokens.c.user_id == users.c.id)
    .join(organizations, organizations.c.id == users.c.organization_id)
    .where(
        refresh_tokens.c.id == bindparam("token"),
        refresh_tokens.c.family_revoked_at.is_(None),
        users.c.id == bindparam("user"),
        users.c.is_active,
    )
)
_RESTRICTIONS = select(role_restrictions.c.role, role_restrictions.c.permission).where(
    role_restrictions.c.organization_id == bindparam("organization")
)


async def find_api_key_by_prefix(work: Work, prefix: str) -> ApiKey | None:
    """The key with this prefix; revoked and expired ones too."""
    return _api_key_of((await work.execute(_KEY_BY_PREFIX, {"prefix": prefix})).mappings().first())


async def find_api_key(work: Work, key: UUID) -> ApiKey | None:
    """The key with this id; revoked and expired ones too."""
    return _api_key_of((await work.execute(_KEY_BY_ID, {"key": key})).mappings().first())


async def find_signed_in_user(work: Work, token: UUID, user: UUID) -> SignedInUser | None:
    """The active user whose living sign-in issued this access token."""
    row = (await work.execute(_USER, {"token": token, "user": user})).mappings().first()
    if row is None:
        return None
    return SignedInUser(
        id=row["id"],
        organization=row["organization_id"],
        organization_slug=row["slug"],
        role=Role(row["role"]),
        display_name=row["display_name"],
        token=token,
    )


async def matrix_of(work: Work, organization: UUID) -> RoleMatrix:
    """The organization's roles: the table less what it has taken away."""
    removed: dict[Role, set[Permission]] = {}
    for row in await work.execute(_RESTRICTIONS, {"organization": organization}):
        removed.setdefault(Role(row.role), set()).add(Permission(row.permission))
    return RoleMatrix({role: frozenset(permissions) for role, permissions in removed.items()})


async def note_api_keys_used(work: Work, keys: Mapping[UUID, Any]) -> None:
    """Store when keys were last used (key id -> time)."""
    for key, used_at in keys.items():
        await work.execute(update(api_keys).where(api_keys.c.id == key).values(last_used_at=used_at))


def _api_key_of(row: RowMapping | None) -> ApiKey | None:
    if row is None:
        return None
    return ApiKey(
        id=row["id"],
        organization=row["organization_id"],
        organization_slug=row["slug"],
        name=row["name"],
        role=Role(row["role"]),
        prefix=row["prefix"],
        digest=row["digest"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
