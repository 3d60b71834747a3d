"""What does the fleet cost? Overview and breakdown, answered by costs."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.costs import CostBreakdown, CostOverview, GetCostBreakdown, GetCostOverview, Grouping
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/costs", tags=["costs"])

Reader = Annotated[Caller, Depends(needs(Permission.COSTS_READ))]


@router.get("/overview", response_model=CostOverview)
async def get_cost_overview(caller: Reader) -> Response:
    """The current month (UTC) so far and as projected; `basis` says what is in it and what is not known."""
    return await caller.ask(GetCostOverview)


@router.get("/breakdown", response_model=CostBreakdown)
async def get_cost_breakdown(
    caller: Reader,
    group_by: Grouping = "category",
    start: Annotated[date | None, Query(description="first day (UTC); default: the first of this month")] = None,
    end: Annotated[date | None, Query(description="the day after the last; default: tomorrow")] = None,
    provider_id: UUID | None = None,
    project: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Spending in [start, end), the largest group first; days in order."""
    return await caller.ask(
        GetCostBreakdown, group_by=group_by, start=start, end=end, provider_id=provider_id, project=project
    )
