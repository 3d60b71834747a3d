"""Channels: shown masked, kept sealed; deleted ones stay for their deliveries."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from services.monitor.domain.channels import TYPES
from services.monitor.storage.tables import channel
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.channels import ListChannels

__all__ = ["FIELD", "ORDER", "TYPES", "add", "change", "find", "listed", "live"]

FIELD = "config"
"""The field that the sealed config is bound to (shared/security/envelope.py)."""

ORDER = Keyset(channel.c.id, {"created_at": channel.c.created_at, "name": channel.c.name}, "-created_at")


async def add(work: Work, values: dict[str, Any]) -> None:
    await work.execute(insert(channel).values(**values))


async def find(work: Work, channel_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """A channel that is not deleted."""
    statement = select(channel).where(
        channel.c.id == channel_id, channel.c.organization_id == work.organization, channel.c.deleted_at.is_(None)
    )
    row = (await work.execute(statement.with_for_update() if lock else statement)).mappings().first()
    return None if row is None else dict(row)


async def change(work: Work, channel_id: UUID, **values: Any) -> dict[str, Any]:
    statement = (
        update(channel)
        .where(channel.c.id == channel_id, channel.c.organization_id == work.organization)
        .values(**values, updated_at=work.now, version=channel.c.version + 1)
        .returning(channel)
    )
    return dict((await work.execute(statement)).mappings().one())


async def live(work: Work) -> Sequence[dict[str, Any]]:
    """All channels of the organization that are not deleted."""
    statement = select(channel).where(channel.c.organization_id == work.organization, channel.c.deleted_at.is_(None))
    return rows(await work.execute(statement))


async def listed(work: Work, request: ListChannels) -> Sequence[dict[str, Any]]:
    """One row more than the page."""
    statement = select(channel).where(channel.c.organization_id == work.organization, channel.c.deleted_at.is_(None))
    if request.channel_type is not None:
        statement = statement.where(channel.c.channel_type == request.channel_type)
    return rows(await work.execute(ORDER.select(statement, request)))


async def sealed_otherwise(work: Work, key_id: str, limit: int) -> Sequence[dict[str, Any]]:
    """Locked rows of channels whose config is not under this key; in background work."""
    statement = (
        select(channel)
        .where(channel.c.deleted_at.is_(None), channel.c.key_id != key_id)
        .order_by(channel.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return rows(await work.execute(statement))


async def count_sealed_otherwise(work: Work, key_id: str) -> int:
    statement = select(func.count()).where(channel.c.deleted_at.is_(None), channel.c.key_id != key_id)
    return int((await work.execute(statement)).scalar_one())


async def reseal(work: Work, channel_id: UUID, sealed: bytes, key_id: str) -> None:
    """Keep the same config under another key; nothing that anybody sees has changed, so the version stays."""
    await work.execute(update(channel).where(channel.c.id == channel_id).values(sealed_config=sealed, key_id=key_id))
