"""What do monitor, costs and recovery know of resources and providers? Their own copy, kept true by events.

Events come late, twice and out of order: a row is only replaced by a higher version, and a terminated resource stays as
a tombstone. When events are lost, the owner is asked for all (shared/bus/inventory.py).
"""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Column, Index, Integer, String, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import metadata, moment, overwrite
from shared.db.work import Work
from shared.messages.providers import Provider
from shared.messages.resources import Resource

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
_PUT = {table.name: overwrite(table).returning(table.c.id) for table in TABLES}

log = structlog.get_logger(__name__)


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
