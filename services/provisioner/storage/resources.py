"""Every statement on resources and their tags."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from services.provisioner.domain.inventory import PROVISIONED
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.storage.tables import cloud_resources, resource_tags
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.resources import (
    ListInventory,
    Resource,
    ResourceCostChanged,
    ResourceHealthChanged,
)

_table = cloud_resources.c
_tags_of_row = (
    select(
        func.coalesce(func.jsonb_object_agg(resource_tags.c.key, resource_tags.c.value), literal_column("'{}'::jsonb"))
    )
    .where(resource_tags.c.organization_id == _table.organization_id, resource_tags.c.resource_id == _table.id)
    .correlate(cloud_resources)
    .scalar_subquery()
)
_shown: list[ColumnElement[Any]] = [
    _tags_of_row.cast(JSONB).label("tags") if name == "tags" else _table[name] for name in Resource.model_fields
]
INVENTORY_ORDER = Keyset(_table.id, {"id": _table.id}, "id")

# Put together once: building such a statement for every call cost as much as running it (profiled).
_ADD = insert(cloud_resources).returning(*(_table[name] for name in Resource.model_fields if name != "tags"))
_GET = select(*_shown).where(
    _table.id == bindparam("resource"), _table.organization_id == bindparam("organization")
)  # fmt: skip


async def add(work: Work, values: Mapping[str, Any], tags: Mapping[str, str]) -> Resource:
    row = (await work.execute(_ADD, values)).mappings().one()
    await _add_tags(work, values["id"], tags)
    return resource_of({**row, "tags": tags})


async def get(work: Work, resource: UUID) -> Resource:
    """The resource of this organization. Raises NotFound."""
    row = (await work.execute(_GET, {"resource": resource, "organization": work.organization})).mappings().first()
    if row is None:
        raise NotFound(f"there is no resource {resource}", code="resource_not_found")
    return resource_of(row)


async def lock(work: Work, resource: UUID) -> Resource:
    """The same, locked until the end of the transaction. Raises NotFound."""
    await work.execute(select(_table.id).where(*_key(work, resource)).with_for_update())
    return await get(work, resource)


async def lock_where(work: Work, *conditions: ColumnElement[bool]) -> list[Resource]:
    """All of this organization that fit, locked, in the order of their ids."""
    statement = select(*_shown).where(_table.organization_id == work.organization, *conditions).order_by(_table.id)
    return [resource_of(row) for row in rows(await work.execute(statement.with_for_update(of=cloud_resources)))]


async def operation_of(work: Work, resource: UUID) -> UUID | None:
    """The operation that works on the resource; None when none does."""
    statement = select(_table.operation_id).where(*_key(work, resource))
    found: UUID | None = (await work.execute(statement)).scalar_one()
    return found


async def token_of(work: Work, resource: UUID) -> str | None:
    """What `remember_token` kept."""
    statement = select(_table.creation_token).where(*_key(work, resource))
    found: str | None = (await work.execute(statement)).scalar_one()
    return found


async def change(work: Work, resource: UUID, **values: Any) -> Resource:
    """Update the row, count its version, and read it again."""
    statement = (
        update(cloud_resources)
        .where(*_key(work, resource))
        .values(version=_table.version + 1, updated_at=work.now, **values)
    )
    await work.execute(statement)
    return await get(work, resource)


async def remember_token(work: Work, resource: UUID, token: str) -> None:
    """Keep the creation token: what carries it at the cloud is ours, whatever became of the operation."""
    await work.execute(update(cloud_resources).where(*_key(work, resource)).values(creation_token=token))


async def put_tags(work: Work, resource: UUID, tags: Mapping[str, str]) -> None:
    """Make these the resource's tags."""
    mine = (resource_tags.c.resource_id == resource, resource_tags.c.organization_id == work.organization)
    await work.execute(delete(resource_tags).where(*mine))
    await _add_tags(work, resource, tags)


async def _add_tags(work: Work, resource: UUID, tags: Mapping[str, str]) -> None:
    if tags:
        values = [
            {"organization_id": work.organization, "resource_id": resource, "key": key, "value": value}
            for key, value in tags.items()
        ]
        await work.execute(insert(resource_tags), values)


async def inventory(work: Work, request: ListInventory) -> tuple[list[Resource], str | None]:
    """All of them, the terminated too; in background work those of all organizations."""
    found = rows(await work.execute(INVENTORY_ORDER.select(select(*_shown), request)))
    page, cursor = INVENTORY_ORDER.page(found, request)
    return [resource_of(row) for row in page], cursor


async def count_active(work: Work, provider_id: UUID, regions_left: list[str] | None = None) -> int:
    """How many resources of a provider are not terminated, outside `regions_left` when that is given.

    What was only found there does not count, unless somebody works on it: without the provider it is out of sight.
    """
    statement = select(func.count()).where(
        _table.organization_id == work.organization,
        _table.provider_id == provider_id,
        _table.resource_status != TERMINATED,
        or_(_table.origin == PROVISIONED, _table.operation_id.is_not(None)),
    )
    if regions_left is not None:
        statement = statement.where(_table.region.not_in(regions_left))
    return int((await work.execute(statement)).scalar_one())


async def apply_health(work: Work, event: ResourceHealthChanged) -> None:
    """Monitor's newer word; the resource's own version stays, because none of its owner's facts has changed."""
    await work.execute(
        update(cloud_resources)
        .where(*_key(work, event.resource_id), _table.health_version < event.aggregate_version)
        .values(
            health_status=event.health_status,
            performance_metrics=event.performance_metrics,
            health_version=event.aggregate_version,
        )
    )


async def apply_cost(work: Work, event: ResourceCostChanged) -> None:
    """Costs' newer word; the resource's own version stays."""
    await work.execute(
        update(cloud_resources)
        .where(*_key(work, event.resource_id), _table.cost_version < event.aggregate_version)
        .values(cost_tracking=event.cost_tracking, cost_version=event.aggregate_version)
    )


def _key(work: Work, resource: UUID) -> tuple[ColumnElement[bool], ...]:
    return (_table.id == resource, _table.organization_id == work.organization)


def resource_of(row: Mapping[Any, Any]) -> Resource:
    return Resource.model_validate(dict(row))
