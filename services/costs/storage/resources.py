"""What is known of each resource's versions, and how far is it metered?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    version = {"resource_id": resource.id, "version": resource.version, "at": at, **facts}
    await _keep(work, [{**version, "organization_id": work.organization}])


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
    kept = ("version", "organization_id", *FACTS)
    await _keep(
        work,
        [{"resource_id": row["id"], "at": row["updated_at"], **{name: row[name] for name in kept}} for row in found],
    )
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


async def transitions_of(work: Work, provider_names: Mapping[UUID, str]) -> dict[UUID, list[Transition]]:
    """Every known version of these resources, whose providers are given."""
    found: dict[UUID, list[Transition]] = defaultdict(list)
    for row in await work.execute(select(transition).where(transition.c.resource_id.in_(provider_names))):
        facts = Facts(provider_names[row.resource_id], row.region, row.resource_subtype, row.configuration)
        found[row.resource_id].append(Transition(row.version, row.at, row.resource_status, facts))
    return found


async def mark_metered(work: Work, resource_id: UUID, values: dict[str, Any]) -> None:
    """Store how far a resource is metered; its row is locked by `take_due`."""
    statement = update(metered_resource).where(metered_resource.c.resource_id == resource_id)
    await work.execute(statement.values(changed_at=None, **values))


async def _keep(work: Work, versions: list[dict[str, Any]]) -> None:
    """At most one version of each resource."""
    if not versions:
        return
    statement = insert(transition).values(versions)
    earlier = statement.on_conflict_do_update(
        index_elements=list(transition.primary_key),
        set_={"at": statement.excluded.at},
        where=transition.c.at > statement.excluded.at,
    )
    kept = ("resource_id", "organization_id", "version", "at")
    changed = rows(await work.execute(earlier.returning(*(transition.c[name] for name in kept))))
    if changed:
        await _mark_changed(work, changed)


async def _mark_changed(work: Work, changed: Sequence[dict[str, Any]]) -> None:
    statement = insert(metered_resource).values(
        [
            {
                "resource_id": row["resource_id"], "organization_id": row["organization_id"],
                "versions": row["version"], "is_open": False, "price_hash": "", "announced": {}, "announced_version": 0,
                "total": 0, "metered_until": row["at"], "changed_at": row["at"],
            }
            for row in changed
        ]
    )  # fmt: skip
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=[metered_resource.c.resource_id],
            set_={
                "versions": func.greatest(metered_resource.c.versions, statement.excluded.versions),
                "changed_at": func.least(metered_resource.c.changed_at, statement.excluded.changed_at),
            },
        )
    )
