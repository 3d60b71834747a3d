"""How does a projection of the inventory become complete, and stay so? Its owner is asked when events are lost.

Events are lost to a projection in three ways: they were published before its first start; the stream dropped them
unread (`max_age`, a deleted consumer); or the stream itself was made anew after its storage was lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from nats.js.errors import NotFoundError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from shared.bus.connection import Bus
from shared.bus.failures import is_connectivity
from shared.db.engine import Database
from shared.db.inventory import REMOVED, apply_provider, apply_resource, known_provider
from shared.db.tables import projection
from shared.db.work import Work
from shared.kit.cancellation import stop_if_cancelled
from shared.kit.errors import CanopyError
from shared.messages.context import Context
from shared.messages.providers import ListProviderInventory
from shared.messages.resources import ListInventory
from shared.messages.subjects import EVENTS_STREAM

NAME = "inventory"
CHECKED_EVERY_S = 60.0
PAGE = 200

Apply = Callable[[Work, Any], Awaitable[bool]]

log = structlog.get_logger(__name__)


async def keep_complete(database: Database, bus: Bus, durable: str) -> None:
    """Take a snapshot whenever events were lost to this projection; looks again each minute until cancelled."""
    while True:
        pause_s = CHECKED_EVERY_S
        try:
            created_at = await lost_since(database, bus, durable)
            if created_at is not None:
                await take_snapshot(database, bus, created_at)
        except Exception as error:
            if not (is_connectivity(error) or isinstance(error, CanopyError | NotFoundError)):
                raise
            log.info("inventory snapshot waits for its owner", error=str(error))
            pause_s = 1.0
        stop_if_cancelled()
        await asyncio.sleep(pause_s)


async def lost_since(database: Database, bus: Bus, durable: str) -> datetime | None:
    """When the stream that is there was made, if events are lost to this projection; None when none are.

    The projection remembers up to which sequence nothing was missed. The stream has dropped nothing above that mark:
    then all up to the consumer's floor was applied, and the mark moves there. (The floor alone would not do: it jumps
    over what was dropped unread, and stands still while nothing that the consumer wants is said.)
    """
    before = await bus.jetstream.stream_info(EVENTS_STREAM)
    consumer = await bus.jetstream.consumer_info(EVENTS_STREAM, durable)
    stream = await bus.jetstream.stream_info(EVENTS_STREAM)
    async with database.work(Context.background()) as work:
        row = (await work.execute(select(projection).where(projection.c.name == NAME))).mappings().first()
        if row is None or row["stream_created_at"] != stream.created:
            return stream.created
        if stream.state.first_seq > row["missed_none_to"] + 1:  # dropped, perhaps unread
            return stream.created
        caught_up = not consumer.num_pending and not consumer.num_ack_pending
        floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
        mark = max(row["missed_none_to"], before.state.last_seq if caught_up else floor)
        await work.execute(update(projection).where(projection.c.name == NAME).values(missed_none_to=mark))
    return None


async def take_snapshot(database: Database, bus: Bus, created_at: datetime) -> None:
    """Ask the owner for all providers and resources; what it no longer has, we no longer have."""
    context = Context.background()
    covered = (await bus.jetstream.stream_info(EVENTS_STREAM)).state.last_seq
    async with database.work(context) as work:
        known = set((await work.execute(select(known_provider.c.id))).scalars())
    known -= await _load(database, bus, ListProviderInventory, apply_provider)
    await _load(database, bus, ListInventory, apply_resource)
    async with database.work(context) as work:
        await _remove_providers(work, known)
        values = {"stream_created_at": created_at, "missed_none_to": covered, "completed_at": work.now}
        statement = insert(projection).values(name=NAME, **values)
        await work.execute(statement.on_conflict_do_update(index_elements=[projection.c.name], set_=values))
    log.info("inventory snapshot taken")


async def _load(
    database: Database, bus: Bus, request: type[ListProviderInventory | ListInventory], apply: Apply
) -> set[UUID]:
    """Apply all pages; returns the ids that the owner has."""
    context = Context.background()
    found: set[UUID] = set()
    cursor: str | None = None
    while True:
        page = await bus.ask_for(request(**context.envelope(database.clock.now()), limit=PAGE, cursor=cursor))
        async with database.work(context) as work:
            for item in page.items:
                await apply(work, item)
                found.add(item.id)
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _remove_providers(work: Work, gone: Iterable[UUID]) -> None:
    """Those known before the snapshot began which it does not hold. (Resources come with their tombstones.)"""
    table = known_provider.c
    await work.execute(update(known_provider).where(table.id.in_(list(gone))).values(status=REMOVED))
