"""What is known of each resource's versions, and how far is it metered?"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.costs.domain.resources import Facts, Transition
from services.costs.storage.tables import metered_resource, transition
from shared.db.inventory import known_resource
from shared.db.work import Work, rows
from shared.messages.resources import Resource

FACTS = ("resource_status", "region", "resource_subtype", "configuration")


async def record(work: Work, resource: Resource, at: datetime) -> None:
    """Keep one version of a resource and mark it for metering from that moment on. Repeats change nothing."""
    facts = resource.model_dump(include=set(FACTS))
    await _keep(work, [{"resource_id": resource.id, "version": resource.version, "at": at, **facts}], work.organization)


async def adopt(work: Work, limit: int) -> int:
    """Record what came with a snapshot of the inventory and not as an event; returns how many resources."""
    newer = or_(metered_resource.c.resource_id.is_(None), metered_resource.c.versions < known_resource.c.version)
    statement = (
        select(known_resource)
        .outerjoin(metered_resource, metered_resource.c.resource_id == known_resource.c.id)
        .where(newer)
        .limit(limit)
    )
    found = rows(await work.execute(statement))
    for row in found:
        facts = {name: row[name] for name in FACTS}
        version = {"resource_id": row["id"], "version": row["version"], "at": row["updated_at"], **facts}
        await _keep(work, [version], row["organization_id"])
    return len(found)


async def take_due(work: Work, price_hash: str, read_before: datetime, limit: int) -> list[dict[str, Any]]:
    """Lock resources that changed, whose prices changed or whose meter was not read for long; skips what is locked."""
    due = or_(
        metered_resource.c.changed_at.is_not(None),
        metered_resource.c.price_hash != price_hash,
        and_(metered_resource.c.is_open, metered_resource.c.metered_until < read_before),
    )
    statement = (
        select(metered_resource, known_resource)
        .join(known_resource, known_resource.c.id == metered_resource.c.resource_id)
        .where(due)
        .order_by(metered_resource.c.resource_id)
        .limit(limit)
        .with_for_update(of=metered_resource, skip_locked=True)
    )
    return list(rows(await work.execute(statement)))


async def transitions_of(work: Work, resource_ids: Sequence[UUID]) -> dict[UUID, list[Transition]]:
    """Every known version of these resources."""
    found: dict[UUID, list[Transition]] = defaultdict(list)
    for row in await work.execute(select(transition).where(transition.c.resource_id.in_(resource_ids))):
        facts = Facts(row.region, row.resource_subtype, row.configuration)
        found[row.resource_id].append(Transition(row.version, row.at, row.resource_status, facts))
    return found


async def mark_metered(work: Work, resource_id: UUID, values: dict[str, Any]) -> None:
    """Store how far a resource is metered; its row is locked by `take_due`."""
    statement = update(metered_resource).where(metered_resource.c.resource_id == resource_id)
    await work.execute(statement.values(changed_at=None, **values))


async def _keep(work: Work, versions: list[dict[str, Any]], organization_id: UUID) -> None:
    statement = insert(transition).values([{**version, "organization_id": organization_id} for version in versions])
    earlier = statement.on_conflict_do_update(
        index_elements=list(transition.primary_key),
        set_={"at": statement.excluded.at},
        where=transition.c.at > statement.excluded.at,
    )
    for row in await work.execute(earlier.returning(transition.c.resource_id, transition.c.version, transition.c.at)):
        await _mark_changed(work, row.resource_id, organization_id, row.version, row.at)


async def _mark_changed(work: Work, resource_id: UUID, organization_id: UUID, version: int, at: datetime) -> None:
    statement = insert(metered_resource).values(
        resource_id=resource_id, organization_id=organization_id, versions=version, is_open=False, price_hash="",
        announced={}, announced_version=0, total=0, metered_until=at, changed_at=at,
    )  # fmt: skip
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=[metered_resource.c.resource_id],
            set_={
                "versions": func.greatest(metered_resource.c.versions, version),
                "changed_at": func.least(metered_resource.c.changed_at, at),
            },
        )
    )
