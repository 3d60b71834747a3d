"""Channels: shown masked, kept sealed; deleted ones stay for their deliveries."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update

from services.monitor.storage.tables import channel
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.channels import Channel, ListChannels

FIELD = "config"
"""The field that the sealed config is bound to (shared/security/envelope.py)."""

ORDER = Keyset(channel.c.id, {"created_at": channel.c.created_at, "name": channel.c.name}, "-created_at")


async def add(work: Work, values: dict[str, Any]) -> None:
    await work.execute(insert(channel).values(**values))


async def get(work: Work, channel_id: UUID) -> dict[str, Any]:
    """A channel that is not deleted, all columns. Raises NotFound."""
    return await _one(work, _live(work).where(channel.c.id == channel_id))


async def lock(work: Work, channel_id: UUID) -> dict[str, Any]:
    """The same, for change."""
    return await _one(work, _live(work).where(channel.c.id == channel_id).with_for_update())


async def find(work: Work, channel_id: UUID) -> dict[str, Any] | None:
    """The same; None when it is missing."""
    row = (await work.execute(_live(work).where(channel.c.id == channel_id))).mappings().first()
    return None if row is None else dict(row)


async def _one(work: Work, statement: Select[Any]) -> dict[str, Any]:
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such channel", code="channel_not_found")
    return dict(row)


def _live(work: Work) -> Select[Any]:
    return select(channel).where(channel.c.organization_id == work.organization, channel.c.deleted_at.is_(None))


def channel_of(row: Mapping[str, Any]) -> Channel:
    """A row as anybody may see it."""
    return Channel.model_validate(row)


async def change(work: Work, channel_id: UUID, **values: Any) -> dict[str, Any]:
    """The row after these columns changed; the version counts it."""
    statement = (
        update(channel)
        .where(channel.c.id == channel_id, channel.c.organization_id == work.organization)
        .values(**values, updated_at=work.now, version=channel.c.version + 1)
        .returning(channel)
    )
    return dict((await work.execute(statement)).mappings().one())


async def live(work: Work) -> Sequence[dict[str, Any]]:
    """All channels of the organization that are not deleted."""
    return rows(await work.execute(_live(work)))


async def page(work: Work, request: ListChannels) -> tuple[list[Channel], str | None]:
    """One page and the cursor of the next."""
    statement = _live(work)
    if request.channel_type is not None:
        statement = statement.where(channel.c.channel_type == request.channel_type)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [channel_of(row) for row in found], cursor


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
