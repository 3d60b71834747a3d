"""Which API keys does an organization have? Of a secret only its digest."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, update

from services.gateway.domain.opaque_tokens import OpaqueToken
from services.gateway.domain.signatures import SigningKeys
from services.gateway.storage.tables import api_keys
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.api_keys import ApiKey, ListApiKeys
from shared.messages.base import Page
from shared.security.roles import Role

ORDER = Keyset(api_keys.c.id, {"created_at": api_keys.c.created_at, "name": api_keys.c.name}, default="-created_at")


async def add(
    work: Work, key: UUID, name: str, role: Role, token: OpaqueToken, keys: SigningKeys, expires_at: datetime | None
) -> ApiKey:
    """Store a key of the organization of this work."""
    statement = (
        insert(api_keys)
        .values(
            id=key,
            organization_id=work.organization,
            name=name,
            role=role.value,
            prefix=token.prefix,
            digest=token.digest(keys),
            created_by=work.context.actor,
            expires_at=expires_at,
            created_at=work.now,
            updated_at=work.now,
            version=1,
        )
        .returning(api_keys)
    )
    return api_key_of((await work.execute(statement)).mappings().one())


async def get(work: Work, key: UUID) -> ApiKey:
    """Raises NotFound, also for another organization's."""
    return await _one(work, select(api_keys), key)


async def lock(work: Work, key: UUID) -> ApiKey:
    """The key, its row locked until the commit. Raises NotFound, also for another organization's."""
    return await _one(work, select(api_keys).with_for_update(), key)


async def revoke(work: Work, key: UUID) -> ApiKey:
    """Revoke a key that is locked and not revoked."""
    statement = (
        update(api_keys)
        .where(api_keys.c.id == key, api_keys.c.organization_id == work.organization)
        .values(revoked_at=work.now, updated_at=work.now, version=api_keys.c.version + 1)
        .returning(api_keys)
    )
    return api_key_of((await work.execute(statement)).mappings().one())


async def page(work: Work, request: ListApiKeys) -> Page[ApiKey]:
    statement = select(api_keys).where(api_keys.c.organization_id == work.organization)
    if request.role is not None:
        statement = statement.where(api_keys.c.role == request.role)
    if not request.include_revoked:
        statement = statement.where(api_keys.c.revoked_at.is_(None))
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return Page[ApiKey](items=[api_key_of(row) for row in found], next_cursor=cursor)


def api_key_of(row: Any) -> ApiKey:
    return ApiKey.model_validate(dict(row))


async def _one(work: Work, statement: Select[Any], key: UUID) -> ApiKey:
    mine = statement.where(api_keys.c.id == key, api_keys.c.organization_id == work.organization)
    row = (await work.execute(mine)).mappings().first()
    if row is None:
        raise NotFound("there is no such API key")
    return api_key_of(row)
