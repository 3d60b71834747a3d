"""How healthy is the fleet? As monitor concludes from telemetry; without telemetry the answer is `unknown`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.base import Page
from shared.messages.health import GetHealthOverview, HealthOverview, ListResourceHealth, ResourceHealth
from shared.messages.resources import HealthStatus
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["health"])

Reader = Annotated[Caller, Depends(needs(Permission.MONITORING_READ))]


@router.get("/monitoring/health", response_model=HealthOverview)
@router.get("/health/overview", response_model=HealthOverview, operation_id="get_health_overview_alias")
async def get_health_overview(
    caller: Reader, provider_ids: Annotated[list[UUID] | None, Query(max_length=100)] = None
) -> Response:
    """Running resources only; `/health/overview` is an older name of the same."""
    return await caller.ask(GetHealthOverview, provider_ids=provider_ids)


class ResourceHealthQuery(PageQuery):
    """Filters and page of the list of resources' health."""

    health_status: HealthStatus | None = None
    provider_id: UUID | None = None


@router.get("/health/resources", response_model=Page[ResourceHealth])
async def list_resource_health(caller: Reader, query: Annotated[ResourceHealthQuery, Query()]) -> Response:
    """Each resource that is not terminated, by name."""
    return await caller.ask(ListResourceHealth, **query.model_dump())
