"""Every statement on sealed credentials: what a row holds, and what reaches the bucket with the same commit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, update

from services.provisioner.storage.tables import cloud_providers
from shared.bus.credentials import PURGE, open_credentials, seal_credentials
from shared.db.engine import Database
from shared.db.pages import begins_with
from shared.db.tables import outbox
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.context import Context
from shared.messages.subjects import CREDENTIALS_BUCKET, credentials_subject
from shared.security.envelope import CannotDecrypt, KeyRing

_table = cloud_providers.c

log = structlog.get_logger(__name__)


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


async def lock_sealed_otherwise(work: Work, key_id: str, limit: int, after: UUID | None = None) -> list[dict[str, Any]]:
    """Locked rows (id, organization_id, credentials_config) behind `after` whose credentials are not under this key."""
    statement = (
        select(_table.id, _table.organization_id, _table.credentials_config)
        .where(_table.removed_at.is_(None), _table.key_id != key_id)
        .order_by(_table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if after is not None:
        statement = statement.where(_table.id > after)
    return list(rows(await work.execute(statement)))


async def count_sealed_otherwise(work: Work, key_id: str) -> int:
    """Rows that are not under this key, and ciphertexts that have not reached the bucket yet: readers open the old."""
    in_rows = select(func.count()).where(_table.removed_at.is_(None), _table.key_id != key_id)
    on_their_way = select(func.count()).where(begins_with(outbox.c.subject, f"$KV.{CREDENTIALS_BUCKET}."))
    return int((await work.execute(in_rows)).scalar_one()) + int((await work.execute(on_their_way)).scalar_one())


async def reseal(work: Work, provider_id: UUID, organization: UUID, sealed: bytes, key_id: str) -> None:
    """Store the same credentials under another key; nothing that anybody sees has changed, so the version stays."""
    await work.execute(
        update(cloud_providers)
        .where(_table.id == provider_id, _table.organization_id == organization)
        .values(credentials_config=sealed, key_id=key_id)
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of a rotation did: how many were sealed again, and behind which row the next step goes on."""

    sealed: int
    after: UUID | None


async def rotate(database: Database, key_ring: KeyRing, limit: int, after: UUID | None = None) -> Batch:
    """Seal up to `limit` providers' credentials under the primary key, in one commit. Several may run at once.

    What no key of the ring opens is passed over and stays counted as remaining: put the key back, then repeat.
    """
    sealed = 0
    async with database.work(Context.background()) as work:
        found = await lock_sealed_otherwise(work, key_ring.primary, limit, after)
        for row in found:
            provider_id, organization = row["id"], row["organization_id"]
            try:
                plain = open_credentials(key_ring, organization, provider_id, bytes(row["credentials_config"]))
            except CannotDecrypt:
                log.warning("credentials are under a key that is not in the ring", provider=str(provider_id))
                continue
            again = seal_credentials(key_ring, organization, provider_id, plain)
            await reseal(work, provider_id, organization, again, key_ring.primary)
            publish(work, organization, provider_id, again)
            envelope = work.context.within(organization).about(provider_id, 0, work.now)
            work.emit(AuditRecorded(**envelope, action="provider.rotate_credentials", target_type="provider",
                                    details={"key_id": key_ring.primary}))  # fmt: skip
            sealed += 1
    return Batch(sealed, found[-1]["id"] if found else None)


async def rotate_all(
    database: Database, key_ring: KeyRing, limit: int, has_time: Callable[[], bool] = lambda: True
) -> int:
    """Batch after batch, while there is time; returns how many were sealed again. A kill loses the last batch only."""
    total, after = 0, None
    while has_time():
        batch = await rotate(database, key_ring, limit, after)
        total += batch.sealed
        after = batch.after
        if after is None:
            break
    return total


def publish(work: Work, organization: UUID, provider_id: UUID, sealed: bytes) -> None:
    """Let the ciphertext reach the services that may open it, with this commit."""
    work.put(new_id(), organization, credentials_subject(organization, provider_id), sealed, {})


def withdraw(work: Work, organization: UUID, provider_id: UUID) -> None:
    """Remove the key from the bucket with this commit."""
    work.put(new_id(), organization, credentials_subject(organization, provider_id), b"", dict(PURGE))
