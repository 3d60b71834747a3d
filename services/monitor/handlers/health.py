"""How healthy are the resources now? Answered from telemetry; stale or absent telemetry is unknown."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.monitor.deps import Deps
from services.monitor.domain.health import UNKNOWN, count, current_status, overall_status
from services.monitor.storage import alerts, health, metrics
from shared.bus.router import Routes
from shared.db.inventory import known_resource
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.health import GetHealthOverview, HealthOverview, ListResourceHealth, ResourceHealth

routes = Routes()

ORDER = Keyset(
    known_resource.c.id,
    {"resource_name": known_resource.c.resource_name, "created_at": known_resource.c.created_at},
    "resource_name",
)


@routes.request(GetHealthOverview)
async def get_health_overview(request: GetHealthOverview, deps: Deps) -> HealthOverview:
    async with deps.database.work(Context.of(request)) as work:
        found = await _running(work, request)
        response = await metrics.mean_response_ms(work, work.now - timedelta(hours=1), request.provider_ids)
        severities = await alerts.open_severities(work)
        now = work.now
    counts = count(_status(row, now, deps) for row in found)
    times = [row["last_time"] for row in found if row["last_time"] is not None]
    return HealthOverview(
        total_resources=len(found),
        healthy_resources=counts["healthy"],
        warning_resources=counts["warning"],
        critical_resources=counts["critical"],
        unknown_resources=counts[UNKNOWN],
        health_percentage=round(100 * counts["healthy"] / len(found), 2) if found else None,
        avg_response_time_ms=response,
        overall_status=overall_status(counts),
        active_alerts=len(severities),
        critical_alerts=sum(severity in {"critical", "emergency"} for severity in severities),
        last_updated=max(times, default=None),
    )


async def _running(work: Work, request: GetHealthOverview) -> list[dict[str, Any]]:
    statement = health.resources_with_health(work).where(known_resource.c.resource_status == "running")
    if request.provider_ids is not None:
        statement = statement.where(known_resource.c.provider_id.in_(request.provider_ids))
    return list(rows(await work.execute(statement)))


@routes.request(ListResourceHealth)
async def list_resource_health(request: ListResourceHealth, deps: Deps) -> Page[ResourceHealth]:
    async with deps.database.work(Context.of(request)) as work:
        statement = health.resources_with_health(work)
        if request.provider_id is not None:
            statement = statement.where(known_resource.c.provider_id == request.provider_id)
        if request.health_status is not None:
            statement = statement.where(health.status_is(request.health_status, work.now, deps.settings.stale_after_s))
        found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
        now = work.now
    return Page[ResourceHealth](items=[_model(row, _status(row, now, deps)) for row in found], next_cursor=cursor)


def _status(row: Mapping[str, Any], now: Any, deps: Deps) -> str:
    if row["resource_status"] != "running":
        return UNKNOWN
    return current_status(row["health_status"] or UNKNOWN, row["last_time"], now, deps.settings.stale_after_s)


def _model(row: Mapping[str, Any], status: str) -> ResourceHealth:
    return ResourceHealth(
        resource_id=row["id"],
        resource_name=row["resource_name"],
        provider_id=row["provider_id"],
        region=row["region"],
        resource_status=row["resource_status"],
        health_status=status,
        health_score=row["health_score"] if status != UNKNOWN else None,
        performance_metrics=row["latest"] or {},
        last_updated=row["last_time"],
    )
