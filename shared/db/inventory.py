"""What do monitor, costs and recovery know of resources and providers? Their own copy, kept true by events.

Events come late, twice and out of order: a row is only replaced by a higher version, and a terminated resource stays as
a tombstone. At the first start, and when the stream no longer holds what was not yet read, the owner is asked for all.
"""

import asyncio
from typing import Any
from uuid import UUID

import structlog
from alembic import op
from sqlalchemy import Column, Index, Integer, String, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql import Executable

from shared.bus.connection import Bus
from shared.db.engine import Database
from shared.db.tables import metadata, moment, projection
from shared.db.tenancy import protect
from shared.db.work import Work
from shared.kit.errors import CanopyError
from shared.messages.context import Context
from shared.messages.providers import ListProviderInventory, Provider
from shared.messages.resources import ListInventory, Resource
from shared.messages.subjects import EVENTS_STREAM

NAME = "inventory"
REMOVED = "removed"

known_resource = Table(
    "known_resource",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_id", Uuid, nullable=False),
    Column("provider_name", String(32), nullable=False),
    Column("region", String(64), nullable=False),
    Column("resource_id", Text, nullable=True),
    Column("resource_name", Text, nullable=False),
    Column("resource_type", String(32), nullable=False),
    Column("resource_subtype", String(64), nullable=False),
    Column("resource_status", String(16), nullable=False),
    Column("environment", String(32), nullable=False),
    Column("project", Text, nullable=False),
    Column("configuration", JSONB, nullable=False),
    Column("tags", JSONB, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    moment("terminated_at", nullable=True),
    Column("version", Integer, nullable=False),
    Index("ix_known_resource_organization_status", "organization_id", "resource_status"),
    Index("ix_known_resource_provider_region", "provider_id", "region"),
)

known_provider = Table(
    "known_provider",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("provider_name", String(32), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("regions", JSONB, nullable=False),
    Column("account_id", Text, nullable=True),
    Column("metrics_period_s", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_known_provider_organization", "organization_id"),
)

TABLES = (known_resource, known_provider)

log = structlog.get_logger(__name__)


def create_inventory(service: str) -> None:
    """In a service's migration: the two tables, under row level security."""
    for table in TABLES:
        table.create(op.get_bind())
        protect(service, table.name)


def drop_inventory() -> None:
    for table in reversed(TABLES):
        table.drop(op.get_bind())


async def apply_resource(work: Work, resource: Resource) -> bool:
    """Take a resource's newer state; False when what is known is as new."""
    values = resource.model_dump(include={column.name for column in known_resource.c})
    return await _put(work, known_resource, values)


async def apply_provider(work: Work, provider: Provider, *, removed: bool = False) -> bool:
    """Take a provider's newer state; a removed one stays as a tombstone."""
    values = provider.model_dump(include={column.name for column in known_provider.c})
    values["status"] = REMOVED if removed else "active"
    return await _put(work, known_provider, values)


async def find_resource(work: Work, resource_id: UUID) -> dict[str, Any] | None:
    """The known facts of a resource of the work's organization."""
    statement = select(known_resource).where(
        known_resource.c.id == resource_id, known_resource.c.organization_id == work.organization
    )
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


async def _put(work: Work, table: Table, values: dict[str, Any]) -> bool:
    return (await work.execute(_PUT[table.name], values)).first() is not None


def _newer(table: Table) -> Executable:
    """Insert a row, or replace the one of a lower version; returns the id of what was written."""
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=[table.c.id],
        set_={column.name: statement.excluded[column.name] for column in table.c},
        where=table.c.version < statement.excluded.version,
    ).returning(table.c.id)


# Built once: putting the statement together for every event cost more than the database's own work (profiled).
_PUT = {table.name: _newer(table) for table in TABLES}


async def keep_complete(database: Database, bus: Bus, durable: str) -> None:
    """Ask the owner for everything when this projection was never complete or its events are gone. Ends when done."""
    while True:
        try:
            if await _is_complete(database) and not await _has_gap(bus, durable):
                return
            await _load(database, bus)
        except (CanopyError, OSError, TimeoutError) as error:
            log.info("inventory snapshot waits for its owner", error=str(error))
            await asyncio.sleep(1)
        else:
            return


async def _is_complete(database: Database) -> bool:
    async with database.work(Context.background()) as work:
        statement = select(projection.c.completed_at).where(projection.c.name == NAME)
        return (await work.execute(statement)).scalar() is not None


async def _has_gap(bus: Bus, durable: str) -> bool:
    """The stream has dropped messages that this consumer had not yet acknowledged."""
    consumer = await bus.jetstream.consumer_info(EVENTS_STREAM, durable)
    stream = await bus.jetstream.stream_info(EVENTS_STREAM)
    floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
    return stream.state.first_seq > floor + 1 and stream.state.last_seq > floor


async def _load(database: Database, bus: Bus) -> None:
    context = Context.background()
    for request, apply in ((ListProviderInventory, apply_provider), (ListInventory, apply_resource)):
        cursor: str | None = None
        while True:
            page = await bus.ask_for(request(**context.envelope(database.clock.now()), limit=200, cursor=cursor))
            async with database.work(context) as work:
                for item in page.items:
                    await apply(work, item)
            cursor = page.next_cursor
            if cursor is None:
                break
    async with database.work(context) as work:
        statement = insert(projection).values(name=NAME, completed_at=work.now)
        await work.execute(
            statement.on_conflict_do_update(index_elements=[projection.c.name], set_={"completed_at": work.now})
        )
    log.info("inventory snapshot taken")
