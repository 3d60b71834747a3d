"""Every statement that brings a page of a read into the inventory: a few for the page, none for a single thing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, any_, cast, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.provisioner.domain.inventory import DISCOVERED, Known
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.domain.scopes import Scope
from services.provisioner.domain.sightings import Edge
from services.provisioner.storage import resources
from services.provisioner.storage.batches import insert_all, update_all
from services.provisioner.storage.tables import (
    cloud_resources,
    resource_dependencies,
    resource_history,
    resource_tags,
)
from shared.db.work import Work
from shared.messages.resources import Resource

_table = cloud_resources.c

WRITTEN = ("resource_id", "resource_name", "resource_status", "status_reason", "size_category", "availability_zone",
           "private_ip", "public_ip", "address", "configuration", "environment", "project", "terminated_at",
           "updated_at", "version")  # fmt: skip
"""The columns that a read may change."""


@dataclass
class Batch:
    """What one page, or one lot of vanished things, changes; `edges` and `tags` of a row replace all earlier ones."""

    added: list[dict[str, Any]] = field(default_factory=list)
    changed: list[Resource] = field(default_factory=list)
    observed: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    tags: dict[UUID, Mapping[str, str]] = field(default_factory=dict)
    edges: dict[UUID, Sequence[Edge]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


async def compared(
    work: Work, provider_id: UUID, scope: Scope, ids: Collection[str], tokens: Collection[str]
) -> list[Known]:
    """The rows that a page may be about: they have one of the provider's ids, or were made under one of the tokens."""
    instance_type = _table.configuration["instance_type"].astext.label("instance_type")
    columns = (_table.id, _table.resource_id, _table.creation_token, _table.resource_status, _table.operation_id,
               _table.updated_at, _table.observed, _table.availability_zone, _table.private_ip, _table.public_ip,
               _table.address, instance_type)  # fmt: skip
    meant = or_(_table.resource_id == _any(ids, Text), _table.creation_token == _any(tokens, Text))
    found = await work.execute(select(*columns).where(*_within(work, provider_id, scope), meant))
    return [
        Known(row.id, row.resource_id, row.creation_token, row.resource_status, row.operation_id is not None,
              row.updated_at, row.observed, row.availability_zone, row.private_ip, row.public_ip, row.address,
              row.instance_type)
        for row in found
    ]  # fmt: skip


async def unseen(
    work: Work, provider_id: UUID, scope: Scope, placed_before: datetime, seen: Collection[UUID]
) -> list[UUID]:
    """The living rows of a scope that a read has not seen, though they were placed before it could have missed them."""
    statement = select(_table.id).where(*_within(work, provider_id, scope), *_may_vanish(placed_before))
    return [row.id for row in await work.execute(statement.order_by(_table.id)) if row.id not in seen]


async def lock_vanished(work: Work, ids: Sequence[UUID], placed_before: datetime) -> list[Resource]:
    """Those of `unseen` of which it is still true, locked."""
    return await resources.lock_where(work, _table.id == _any(ids, Uuid), *_may_vanish(placed_before))


async def lock_unchanged(work: Work, ids: Sequence[UUID], changed_before: datetime) -> list[Resource]:
    """Those that no operation works on and that have not changed since, locked."""
    idle = _table.operation_id.is_(None), _table.resource_status != TERMINATED, _table.updated_at <= changed_before
    return await resources.lock_where(work, _table.id == _any(ids, Uuid), *idle)


async def lock_unseen_from_now_on(work: Work, provider_id: UUID, regions: Sequence[str], limit: int) -> list[Resource]:
    """Living rows of what was only found in an account, outside the regions that it is still looked at in, locked."""
    chosen = (
        select(_table.id)
        .where(
            _table.organization_id == work.organization,
            _table.provider_id == provider_id,
            _table.region.not_in(list(regions)),
            _table.origin == DISCOVERED,
            _table.resource_status != TERMINATED,
            _table.operation_id.is_(None),
        )
        .limit(limit)
    )
    return await resources.lock_where(work, _table.id.in_(chosen))


async def write(work: Work, batch: Batch) -> None:
    """Bring a batch into the tables."""
    await insert_all(work, cloud_resources, batch.added)
    await update_all(work, cloud_resources, [_row(resource) for resource in batch.changed])
    observed = [{"id": each, "observed": observed} for each, observed in batch.observed.items()]
    await update_all(work, cloud_resources, observed)
    await _replace_tags(work, batch)
    await _replace_edges(work, batch)
    await insert_all(work, resource_history, batch.history)


def _row(resource: Resource) -> dict[str, Any]:
    return {"id": resource.id, **{name: getattr(resource, name) for name in WRITTEN}}


async def _replace_tags(work: Work, batch: Batch) -> None:
    if batch.tags:
        mine = (
            resource_tags.c.organization_id == work.organization,
            resource_tags.c.resource_id == _any(batch.tags, Uuid),
        )
        await work.execute(delete(resource_tags).where(*mine))
    values = [
        {"organization_id": work.organization, "resource_id": each, "key": key, "value": value}
        for each, tags in batch.tags.items()
        for key, value in tags.items()
    ]
    await insert_all(work, resource_tags, values)


async def _replace_edges(work: Work, batch: Batch) -> None:
    """Edges lie in the place of their source."""
    if not batch.edges:
        return
    table = resource_dependencies
    sources = list(batch.edges)
    await work.execute(
        delete(table).where(table.c.organization_id == work.organization, table.c.source_id == _any(sources, Uuid))
    )
    places = await work.execute(
        select(_table.id, _table.provider_id, _table.region).where(
            _table.organization_id == work.organization, _table.id == _any(sources, Uuid)
        )
    )
    values = [
        {"source_id": place.id, "relation": edge.relation, "target": edge.target, "hard": edge.hard,
         "organization_id": work.organization, "provider_id": place.provider_id, "region": place.region}
        for place in places
        for edge in batch.edges[place.id]
    ]  # fmt: skip
    await insert_all(work, resource_dependencies, values)


def _any(values: Collection[Any], kind: type[Any]) -> Any:
    """One of them, as one parameter however many they are."""
    return any_(cast(list(values), ARRAY(kind)))


def _within(work: Work, provider_id: UUID, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (
        _table.organization_id == work.organization,
        _table.provider_id == provider_id,
        _table.region == scope.region,
        _table.resource_subtype == scope.resource_subtype,
    )


def _may_vanish(placed_before: datetime) -> tuple[ColumnElement[bool], ...]:
    """It is at the cloud as far as we know, nobody works on it, and it was placed long enough ago to be listed."""
    return (
        _table.resource_status != TERMINATED,
        _table.resource_id.is_not(None),
        _table.operation_id.is_(None),
        func.coalesce(_table.placed_at, _table.updated_at) < placed_before,
    )
