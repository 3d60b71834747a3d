"""How healthy are the resources now? Answered from telemetry; stale or absent telemetry is unknown."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.monitor.deps import Deps
from services.monitor.domain.health import UNKNOWN, current_status, overall_status
from services.monitor.storage import alerts, health, metrics
from shared.bus.router import Routes
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.health import GetHealthOverview, HealthOverview, ListResourceHealth, ResourceHealth

routes = Routes()


@routes.request(GetHealthOverview)
async def get_health_overview(request: GetHealthOverview, deps: Deps) -> HealthOverview:
    async with deps.database.work(Context.of(request)) as work:
        counts, newest = await health.count_running(work, request.provider_ids, deps.settings.stale_after_s)
        response = await metrics.mean_response_ms(work, work.now - timedelta(hours=1), request.provider_ids)
        severities = await alerts.open_severities(work)
    total, healthy = sum(counts.values()), counts.get("healthy", 0)
    return HealthOverview(
        total_resources=total,
        healthy_resources=healthy,
        warning_resources=counts.get("warning", 0),
        critical_resources=counts.get("critical", 0),
        unknown_resources=counts.get(UNKNOWN, 0),
        health_percentage=round(100 * healthy / total, 2) if total else None,
        avg_response_time_ms=response,
        overall_status=overall_status(counts),
        active_alerts=len(severities),
        critical_alerts=sum(severity in {"critical", "emergency"} for severity in severities),
        last_updated=newest,
    )


@routes.request(ListResourceHealth)
async def list_resource_health(request: ListResourceHealth, deps: Deps) -> Page[ResourceHealth]:
    async with deps.database.work(Context.of(request)) as work:
        found, cursor = await health.page(work, request, deps.settings.stale_after_s)
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
