"""Health: what monitor concludes from telemetry. No telemetry, or stale telemetry, is `unknown`, never healthy."""

from datetime import datetime
from uuid import UUID

from shared.messages.base import Facts, ListRequest, Page, Request


class ResourceHealth(Facts):
    """One resource as monitor sees it; `health_score` is 0 to 100, null when unknown."""

    resource_id: UUID
    resource_name: str
    provider_id: UUID
    region: str
    resource_status: str
    health_status: str
    health_score: int | None
    performance_metrics: dict[str, float] = {}
    last_updated: datetime | None


class HealthOverview(Facts):
    """The running resources of an organization. `overall_status`: critical > warning > healthy > unknown."""

    total_resources: int
    healthy_resources: int
    warning_resources: int
    critical_resources: int
    unknown_resources: int
    health_percentage: float | None
    """Healthy ones among all running ones; null when there are none."""
    avg_response_time_ms: float | None
    """Mean over the last hour; null when nothing was measured."""
    overall_status: str
    active_alerts: int
    critical_alerts: int
    last_updated: datetime | None


class GetHealthOverview(Request, entity="health", name="overview", owner="monitor", reply=HealthOverview):
    provider_ids: list[UUID] | None = None


class ListResourceHealth(ListRequest, entity="health", name="list", owner="monitor", reply=Page[ResourceHealth]):
    health_status: str | None = None
    provider_id: UUID | None = None
