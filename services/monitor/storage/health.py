"""Telemetry: one row per resource, locked while its points are evaluated, so that replicas take turns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, select, text, update

from services.monitor.domain.health import UNKNOWN
from services.monitor.storage.tables import telemetry
from shared.db.inventory import known_resource
from shared.db.work import Work, rows

_ENSURE = text(
    "INSERT INTO telemetry (resource_id, organization_id) "
    "SELECT * FROM unnest(CAST(:resources AS uuid[]), CAST(:organizations AS uuid[])) AS new (resource_id, owner) "
    "ORDER BY 1 ON CONFLICT DO NOTHING"
)
_LOCK = text(
    "SELECT resource_id, organization_id, last_time, health_score, health_status, health_version, told_at "
    "FROM telemetry WHERE resource_id = ANY(:resources) ORDER BY resource_id FOR UPDATE"
)
_SAVE = text(
    "UPDATE telemetry SET last_time = new.last_time, latest = CAST(new.latest AS jsonb), "
    "health_score = new.health_score, health_status = new.health_status, health_version = new.health_version, "
    "told_at = new.told_at FROM unnest(CAST(:resources AS uuid[]), CAST(:times AS timestamptz[]), "
    "CAST(:latest AS text[]), CAST(:scores AS integer[]), CAST(:statuses AS text[]), CAST(:versions AS integer[]), "
    "CAST(:told AS timestamptz[])) "
    "AS new (resource_id, last_time, latest, health_score, health_status, health_version, told_at) "
    "WHERE telemetry.resource_id = new.resource_id"
)


@dataclass(slots=True)
class Telemetry:
    """What is known of one resource; `last_time` is the newest point that was evaluated."""

    resource_id: UUID
    organization_id: UUID
    last_time: datetime | None
    health_score: int | None
    health_status: str
    health_version: int
    told_at: datetime | None
    latest: dict[str, float]


async def facts_of(work: Work, resource_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The inventory's rows of these resources, by id."""
    statement = select(known_resource).where(known_resource.c.id.in_(resource_ids))
    if len(resource_ids) > 1000:
        statement = select(known_resource).where(text("id = ANY(:ids)").bindparams(ids=list(resource_ids)))
    return {row["id"]: row for row in rows(await work.execute(statement))}


async def running_of(work: Work, resource_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these resources run now. Asked under the lock of their telemetry, which `forget` takes too."""
    statement = text("SELECT id FROM known_resource WHERE id = ANY(:ids) AND resource_status = 'running'")
    return set((await work.execute(statement, {"ids": list(resource_ids)})).scalars())


async def lock(work: Work, owners: dict[UUID, UUID]) -> dict[UUID, Telemetry]:
    """The rows of these resources (id -> organization), made where missing, locked in the order of their ids."""
    ids = sorted(owners)
    found = rows(await work.execute(_LOCK, {"resources": ids}))
    if len(found) < len(ids):
        known = {row["resource_id"] for row in found}
        missing = [each for each in ids if each not in known]
        await work.execute(_ENSURE, {"resources": missing, "organizations": [owners[each] for each in missing]})
        found = rows(await work.execute(_LOCK, {"resources": ids}))
    return {row["resource_id"]: Telemetry(**row, latest={}) for row in found}


async def save(work: Work, changed: Sequence[Telemetry]) -> None:
    """Write rows that `lock` gave, in one statement."""
    if not changed:
        return
    await work.execute(
        _SAVE,
        {
            "resources": [each.resource_id for each in changed],
            "times": [each.last_time for each in changed],
            "latest": [msgspec.json.encode(each.latest).decode() for each in changed],
            "scores": [each.health_score for each in changed],
            "statuses": [each.health_status for each in changed],
            "versions": [each.health_version for each in changed],
            "told": [each.told_at for each in changed],
        },
    )


def resources_with_health(work: Work) -> Select[Any]:
    """The organization's resources that are not terminated, with what telemetry says of them (null without any)."""
    known = known_resource.c
    return (
        select(
            known.id, known.resource_name, known.provider_id, known.region, known.resource_status, known.created_at,
            telemetry.c.health_status, telemetry.c.health_score, telemetry.c.latest, telemetry.c.last_time,
        )
        .select_from(known_resource.outerjoin(telemetry, telemetry.c.resource_id == known.id))
        .where(known.organization_id == work.organization, known.resource_status != "terminated")
    )  # fmt: skip


def status_is(status: str, now: datetime, stale_after_s: float) -> ColumnElement[bool]:
    """Whether a row of `resources_with_health` has this status now (domain/health.py `current_status`)."""
    fresh = and_(
        known_resource.c.resource_status == "running",
        telemetry.c.last_time.is_not(None),
        telemetry.c.last_time >= now - timedelta(seconds=stale_after_s),
    )
    current = case((fresh, telemetry.c.health_status), else_=UNKNOWN)
    return current == status


async def forget(work: Work, resource_id: UUID) -> dict[str, Any] | None:
    """The resource does not run: its health is unknown. The row as it was before, None when nothing changes.

    The row is made where it is missing, so that a first batch that is judged meanwhile waits for its lock.
    """
    await work.execute(_ENSURE, {"resources": [resource_id], "organizations": [work.organization]})
    statement = select(telemetry).where(
        telemetry.c.resource_id == resource_id, telemetry.c.organization_id == work.organization
    )
    before = (await work.execute(statement.with_for_update())).mappings().first()
    if before is None or before["health_status"] == UNKNOWN:
        return None
    await work.execute(
        update(telemetry)
        .where(telemetry.c.resource_id == resource_id, telemetry.c.organization_id == work.organization)
        .values(
            health_status=UNKNOWN, health_score=None, told_at=work.now, health_version=telemetry.c.health_version + 1
        )
    )
    return dict(before)
