"""What was measured of a resource, and what measuring asked of the clouds?"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.metrics import (
    Aggregation,
    GetMonitoringMetrics,
    GetResourceMetrics,
    Interval,
    MonitoringMetrics,
    ResourceMetrics,
)
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["metrics"])

Reader = Annotated[Caller, Depends(needs(Permission.MONITORING_READ))]


@router.get("/resources/{resource}/metrics", response_model=ResourceMetrics)
@router.get(
    "/monitoring/resources/{resource}", response_model=ResourceMetrics, operation_id="get_resource_metrics_alias"
)
async def get_resource_metrics(
    resource: UUID,
    caller: Reader,
    start: Annotated[AwareDatetime | None, Query(description="default: an hour before `end`")] = None,
    end: Annotated[AwareDatetime | None, Query(description="default: now")] = None,
    interval: Interval = "5m",
    aggregation: Aggregation = "avg",
) -> Response:
    """Buckets of `interval` in [start, end) that hold data; what was not measured is null, never 0.

    Samples are kept 90 days. Of days before, `1d` tells avg, sum, min and max for 400 days; percentiles are null then.
    """
    last = end or caller.doors.deps.clock.now()
    first = start or last - timedelta(hours=1)
    return await caller.ask(
        GetResourceMetrics, resource=resource, start=first, end=last, interval=interval, aggregation=aggregation
    )


@router.get("/monitoring/metrics", response_model=MonitoringMetrics)
async def get_monitoring_metrics(caller: Reader, days: Annotated[int, Query(ge=1, le=90)] = 7) -> Response:
    """Calls to cloud APIs per account and day (they cost money), how collection stands, samples of the last hour."""
    return await caller.ask(GetMonitoringMetrics, days=days)
