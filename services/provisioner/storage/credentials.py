"""Every statement on sealed credentials: what a row holds, and what reaches the bucket with the same commit."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from services.provisioner.storage.tables import cloud_providers
from shared.bus.credentials import PURGE, open_credentials, seal_credentials
from shared.db.engine import Database
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.context import Context
from shared.messages.subjects import credentials_subject
from shared.security.envelope import KeyRing

_table = cloud_providers.c


async def get(work: Work, provider_id: UUID) -> bytes:
    """The ciphertext. Raises NotFound."""
    statement = select(_table.credentials_config).where(
        _table.id == provider_id, _table.organization_id == work.organization, _table.removed_at.is_(None)
    )
    sealed = (await work.execute(statement)).scalar()
    if sealed is None:
        raise NotFound(f"there is no provider {provider_id}", code="provider_not_found")
    return bytes(sealed)


async def stored(work: Work) -> list[tuple[UUID, UUID]]:
    """(organization, provider) of everything that is sealed, in background work."""
    statement = select(_table.organization_id, _table.id).where(_table.credentials_config.is_not(None))
    return [(row.organization_id, row.id) for row in await work.execute(statement)]


async def publish_again(work: Work, organization: UUID, provider_id: UUID) -> bool:
    """Let what the row holds reach the bucket; False when the provider has gone.

    The row is locked: what changes it publishes after this, so that newer credentials stay the last ones.
    """
    statement = select(_table.credentials_config).where(
        _table.id == provider_id, _table.organization_id == organization, _table.removed_at.is_(None)
    )
    sealed = (await work.execute(statement.with_for_update())).scalar()
    if sealed is None:
        return False
    publish(work, organization, provider_id, bytes(sealed))
    return True


async def lock_sealed_otherwise(work: Work, key_id: str, limit: int) -> list[dict[str, Any]]:
    """Locked rows (id, organization_id, credentials_config) whose credentials are not under this key."""
    statement = (
        select(_table.id, _table.organization_id, _table.credentials_config)
        .where(_table.removed_at.is_(None), _table.key_id != key_id)
        .order_by(_table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(rows(await work.execute(statement)))


async def count_sealed_otherwise(work: Work, key_id: str) -> int:
    statement = select(func.count()).where(_table.removed_at.is_(None), _table.key_id != key_id)
    return int((await work.execute(statement)).scalar_one())


async def reseal(work: Work, provider_id: UUID, organization: UUID, sealed: bytes, key_id: str) -> None:
    """Store the same credentials under another key; nothing that anybody sees has changed, so the version stays."""
    await work.execute(
        update(cloud_providers)
        .where(_table.id == provider_id, _table.organization_id == organization)
        .values(credentials_config=sealed, key_id=key_id)
    )


async def rotate(database: Database, key_ring: KeyRing, limit: int) -> int:
    """Seal up to `limit` providers' credentials under the primary key; returns how many. Several may run at once.

    Raises CannotDecrypt when a key has left the ring before everything was sealed anew: put it back, then repeat.
    """
    async with database.work(Context.background()) as work:
        sealed_rows = await lock_sealed_otherwise(work, key_ring.primary, limit)
        for row in sealed_rows:
            provider_id, organization = row["id"], row["organization_id"]
            plain = open_credentials(key_ring, organization, provider_id, bytes(row["credentials_config"]))
            sealed = seal_credentials(key_ring, organization, provider_id, plain)
            await reseal(work, provider_id, organization, sealed, key_ring.primary)
            publish(work, organization, provider_id, sealed)
            envelope = work.context.within(organization).about(provider_id, 0, work.now)
            work.emit(AuditRecorded(**envelope, action="provider.rotate_credentials", target_type="provider",
                                    details={"key_id": key_ring.primary}))  # fmt: skip
    return len(sealed_rows)


def publish(work: Work, organization: UUID, provider_id: UUID, sealed: bytes) -> None:
    """Let the ciphertext reach the services that may open it, with this commit."""
    work.put(new_id(), organization, credentials_subject(organization, provider_id), sealed, {})


def withdraw(work: Work, organization: UUID, provider_id: UUID) -> None:
    """Remove the key from the bucket with this commit."""
    work.put(new_id(), organization, credentials_subject(organization, provider_id), b"", dict(PURGE))
