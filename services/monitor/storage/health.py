"""Telemetry: one row per resource, locked while its points are evaluated, so that replicas take turns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, delete, func, select, text, update

from services.monitor.domain.health import UNKNOWN
from services.monitor.storage.tables import collected, telemetry
from shared.db.inventory import known_resource
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.health import ListResourceHealth

_ENSURE = text(
    "INSERT INTO telemetry (resource_id, organization_id) "
    "SELECT * FROM unnest(CAST(:resources AS uuid[]), CAST(:organizations AS uuid[])) AS new (resource_id, owner) "
    "ORDER BY 1 ON CONFLICT DO NOTHING"
)
_LOCK = text(
    "SELECT resource_id, organization_id, last_time, health_score, health_status, health_version, reported_at "
    "FROM telemetry WHERE resource_id = ANY(:resources) ORDER BY resource_id FOR UPDATE"
)
_SAVE = text(
    "UPDATE telemetry SET last_time = new.last_time, latest = CAST(new.latest AS jsonb), "
    "health_score = new.health_score, health_status = new.health_status, health_version = new.health_version, "
    "reported_at = new.reported_at FROM unnest(CAST(:resources AS uuid[]), CAST(:times AS timestamptz[]), "
    "CAST(:latest AS text[]), CAST(:scores AS integer[]), CAST(:statuses AS text[]), CAST(:versions AS integer[]), "
    "CAST(:reported AS timestamptz[])) "
    "AS new (resource_id, last_time, latest, health_score, health_status, health_version, reported_at) "
    "WHERE telemetry.resource_id = new.resource_id"
)


ORDER = Keyset(
    known_resource.c.id,
    {"resource_name": known_resource.c.resource_name, "created_at": known_resource.c.created_at},
    "resource_name",
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
    reported_at: datetime | None
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
            "reported": [each.reported_at for each in changed],
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


def current_status_in_sql(now: datetime, stale_after_s: float) -> ColumnElement[str]:
    """The status of a row of `resources_with_health` at `now` (domain/health.py `current_status`)."""
    fresh = and_(
        known_resource.c.resource_status == "running",
        telemetry.c.last_time.is_not(None),
        telemetry.c.last_time >= now - timedelta(seconds=stale_after_s),
    )
    return case((fresh, telemetry.c.health_status), else_=UNKNOWN)


async def page(
    work: Work, request: ListResourceHealth, stale_after_s: float
) -> tuple[list[Mapping[str, Any]], str | None]:
    """One page of rows of `resources_with_health`, and the cursor of the next."""
    statement = resources_with_health(work)
    if request.provider_id is not None:
        statement = statement.where(known_resource.c.provider_id == request.provider_id)
    if request.health_status is not None:
        statement = statement.where(current_status_in_sql(work.now, stale_after_s) == request.health_status)
    return ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)


async def count_running(
    work: Work, provider_ids: Sequence[UUID] | None, stale_after_s: float
) -> tuple[dict[str, int], datetime | None]:
    """How many running resources have each status now, and the time of the newest point of any of them."""
    status = current_status_in_sql(work.now, stale_after_s)
    found = resources_with_health(work).where(known_resource.c.resource_status == "running")
    if provider_ids is not None:
        found = found.where(known_resource.c.provider_id.in_(provider_ids))
    # Grouped by its place, not by the expression: each use of that would bind its parameters anew.
    statement = found.with_only_columns(status, func.count(), func.max(telemetry.c.last_time)).group_by(text("1"))
    groups = [tuple(row) for row in await work.execute(statement)]
    newest = max((last for _, _, last in groups if last is not None), default=None)
    return {status: count for status, count, _ in groups}, newest


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
            health_status=UNKNOWN,
            health_score=None,
            reported_at=work.now,
            health_version=telemetry.c.health_version + 1,
        )
    )
    return dict(before)


async def forget_gone(work: Work, before: datetime, limit: int) -> int:
    """Delete up to `limit` telemetry rows of resources that were terminated before this time; returns how many."""
    old = (
        select(telemetry.c.resource_id)
        .join(known_resource, known_resource.c.id == telemetry.c.resource_id)
        .where(known_resource.c.resource_status == "terminated", known_resource.c.terminated_at < before)
        .limit(limit)
    )
    gone = delete(telemetry).where(telemetry.c.resource_id.in_(old)).returning(telemetry.c.resource_id)
    ids = list((await work.execute(gone)).scalars())
    await work.execute(delete(collected).where(collected.c.resource_id.in_(ids)))
    return len(ids)
