"""Who is behind a key or a token, and what may they do? Read before the organization is known, as background work."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from services.gateway.domain.api_keys import ApiKey
from services.gateway.storage.tables import api_keys, refresh_tokens, role_restrictions, users
from shared.db.work import Work
from shared.security.permissions import Permission
from shared.security.roles import Role, RoleMatrix


async def api_key_of(work: Work, prefix: str) -> ApiKey | None:
    """The key with this prefix; revoked and expired ones too."""
    row = (await work.execute(select(api_keys).where(api_keys.c.prefix == prefix))).mappings().first()
    if row is None:
        return None
    return ApiKey(
        id=row["id"],
        organization=row["organization_id"],
        name=row["name"],
        role=Role(row["role"]),
        prefix=row["prefix"],
        digest=row["digest"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )


async def user_of_token(work: Work, token: UUID, user: UUID) -> dict[str, Any] | None:
    """The active user whose living sign-in issued this access token: `organization_id role display_name`."""
    statement = (
        select(users.c.organization_id, users.c.role, users.c.display_name)
        .join(refresh_tokens, refresh_tokens.c.user_id == users.c.id)
        .where(
            refresh_tokens.c.id == token,
            refresh_tokens.c.family_revoked_at.is_(None),
            users.c.id == user,
            users.c.is_active,
        )
    )
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


async def matrix_of(work: Work, organization: UUID) -> RoleMatrix:
    """The organization's roles: the table less what it has taken away."""
    statement = select(role_restrictions.c.role, role_restrictions.c.permission).where(
        role_restrictions.c.organization_id == organization
    )
    removed: dict[Role, set[Permission]] = {}
    for row in await work.execute(statement):
        removed.setdefault(Role(row.role), set()).add(Permission(row.permission))
    return RoleMatrix({role: frozenset(permissions) for role, permissions in removed.items()})


async def note_api_keys_used(work: Work, keys: Mapping[UUID, Any]) -> None:
    """Store when keys were last used (key id -> time)."""
    for key, used_at in keys.items():
        await work.execute(update(api_keys).where(api_keys.c.id == key).values(last_used_at=used_at))
