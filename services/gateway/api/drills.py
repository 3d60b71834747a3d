"""How are recovery plans tested? Answered by recovery."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.base import Page
from shared.messages.drills import AcceptedDrill, Drill, DrillStatus, GetDrill, ListDrills, StartDrill
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/disaster-recovery", tags=["disaster recovery"])

Reader = Annotated[Caller, Depends(needs(Permission.RECOVERY_READ))]
Tester = Annotated[Caller, Depends(needs(Permission.RECOVERY_TEST))]


class StartDrillBody(BaseModel):
    """The plan to test."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"plan_id": "01980000-0000-7000-8000-000000000003"}]}
    )

    plan_id: UUID


@router.post("/test", status_code=202, response_model=AcceptedDrill)
async def start_drill(body: StartDrillBody, caller: Tester) -> Response:
    """Restores the plan's resources in isolation, verifies, measures RTO and RPO, and removes everything again."""
    return await caller.begin(StartDrill, location="/api/cloud/disaster-recovery/tests/{id}", plan_id=body.plan_id)


@router.get("/tests", response_model=Page[Drill])
async def list_drills(
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    sort: Annotated[str | None, Query(max_length=100, description="created_at or started_at, `-` descends")] = None,
    plan_id: UUID | None = None,
    status: DrillStatus | None = None,
) -> Response:
    return await caller.ask(ListDrills, limit=limit, cursor=cursor, sort=sort, plan_id=plan_id, status=status)


@router.get("/tests/{drill}", response_model=Drill)
async def get_drill(drill: UUID, caller: Reader) -> Response:
    return await caller.ask(GetDrill, drill_id=drill)
