"""Which API keys does an organization have? Of a secret only its digest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

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


async def add_api_key(
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
    return ApiKey.model_validate(dict((await work.execute(statement)).mappings().one()))


async def get_api_key_to_change(work: Work, key: UUID) -> ApiKey:
    """The key's row, locked until the commit. Raises NotFound, also for another organization's."""
    statement = (
        select(api_keys).where(api_keys.c.id == key, api_keys.c.organization_id == work.organization).with_for_update()
    )
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such API key")
    return ApiKey.model_validate(dict(row))


async def revoke_api_key(work: Work, key: UUID) -> ApiKey:
    """Revoke a key that is locked and not revoked."""
    statement = (
        update(api_keys)
        .where(api_keys.c.id == key, api_keys.c.organization_id == work.organization)
        .values(revoked_at=work.now, updated_at=work.now, version=api_keys.c.version + 1)
        .returning(api_keys)
    )
    return ApiKey.model_validate(dict((await work.execute(statement)).mappings().one()))


async def list_api_keys(work: Work, request: ListApiKeys) -> Page[ApiKey]:
    statement = select(api_keys).where(api_keys.c.organization_id == work.organization)
    if request.role is not None:
        statement = statement.where(api_keys.c.role == request.role)
    if not request.include_revoked:
        statement = statement.where(api_keys.c.revoked_at.is_(None))
    page, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return Page[ApiKey](items=[ApiKey.model_validate(row) for row in page], next_cursor=cursor)
