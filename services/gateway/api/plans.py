"""How are disaster recovery plans kept, and how ready are they? Answered by recovery."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.base import Page
from shared.messages.plans import (
    ID_LIST_MAX,
    BackupStrategy,
    CreatePlan,
    FailoverProcedures,
    GetPlan,
    GetRecoveryStatus,
    ListPlans,
    NotYet,
    Plan,
    PlanStatus,
    PlanType,
    RecoveryObjectives,
    RecoveryRegion,
    RecoveryStatus,
    RegionReference,
    RetentionPolicy,
    SettablePlanStatus,
    TestingSchedule,
    UpdatePlan,
)
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud/disaster-recovery", tags=["disaster recovery"])

Reader = Annotated[Caller, Depends(needs(Permission.RECOVERY_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.RECOVERY_WRITE))]

_PROVIDER = "01980000-0000-7000-8000-000000000001"
_EXAMPLE: dict[str, Any] = {
    "plan_name": "web, east to west",
    "plan_type": "backup_restore",
    "primary_region": {"provider_id": _PROVIDER, "region_code": "us-east-1"},
    "disaster_recovery_regions": [{"provider_id": _PROVIDER, "region_code": "us-west-2", "capacity_percent": 100}],
    "resources": ["01980000-0000-7000-8000-000000000002"],
    "recovery_objectives": {"rto_minutes": 240, "rpo_minutes": 60},
    "backup_strategy": {"frequency": "hourly", "retention_days": 30},
}


class PrimaryRegionBody(RegionReference, extra="forbid"):
    pass


class RecoveryRegionBody(RecoveryRegion, extra="forbid"):
    pass


class RecoveryObjectivesBody(RecoveryObjectives, extra="forbid"):
    """`rto_minutes` left out: 240 for backup_restore, 15 for pilot_light, 2 for the others."""


class RetentionPolicyBody(RetentionPolicy, extra="forbid"):
    pass


class BackupStrategyBody(BackupStrategy, extra="forbid"):
    retention: RetentionPolicyBody | None = None


class FailoverProceduresBody(FailoverProcedures, extra="forbid"):
    steps: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=lambda: list(FailoverProcedures().steps), min_length=1, max_length=50
    )


class TestingScheduleBody(TestingSchedule, extra="forbid"):
    pass


class CreatePlanBody(BaseModel):
    """What to recover where. The resources' backups are set up with it, and the first ones begin at once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    plan_name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    plan_type: PlanType = "backup_restore"
    primary_region: PrimaryRegionBody
    disaster_recovery_regions: list[RecoveryRegionBody] = Field(min_length=1, max_length=10)
    resources: list[UUID] = Field(min_length=1, max_length=ID_LIST_MAX)
    recovery_objectives: RecoveryObjectivesBody = RecoveryObjectivesBody()
    backup_strategy: BackupStrategyBody = BackupStrategyBody()
    failover_procedures: FailoverProceduresBody = Field(default_factory=FailoverProceduresBody)
    automated_failover: NotYet = False
    testing_schedule: TestingScheduleBody = TestingScheduleBody()
    critical_priority: bool = False


class UpdatePlanBody(BaseModel):
    """Only the fields that are given change."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"plan_name": "web", "status": "inactive"}]}
    )

    plan_name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    plan_type: PlanType | None = None
    primary_region: PrimaryRegionBody | None = None
    disaster_recovery_regions: list[RecoveryRegionBody] | None = Field(default=None, min_length=1, max_length=10)
    resources: list[UUID] | None = Field(default=None, min_length=1, max_length=ID_LIST_MAX)
    recovery_objectives: RecoveryObjectivesBody | None = None
    backup_strategy: BackupStrategyBody | None = None
    failover_procedures: FailoverProceduresBody | None = None
    automated_failover: NotYet | None = None
    testing_schedule: TestingScheduleBody | None = None
    critical_priority: bool | None = None
    status: SettablePlanStatus | None = None


@router.post("/plans", status_code=201, response_model=Plan)
async def create_plan(body: CreatePlanBody, caller: Writer) -> Response:
    """422 names each unknown provider, region or resource; another organization's are unknown."""
    location = "/api/cloud/disaster-recovery/plans/{id}"
    return await caller.ask(CreatePlan, status_code=201, location=location, **body.model_dump())


@router.get("/plans", response_model=Page[Plan])
async def list_plans(
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    sort: Annotated[str | None, Query(max_length=100, description="created_at or plan_name, `-` descends")] = None,
    plan_type: PlanType | None = None,
    status: PlanStatus | None = None,
    q: Annotated[str | None, Query(max_length=200, description="beginning of the name")] = None,
) -> Response:
    return await caller.ask(ListPlans, limit=limit, cursor=cursor, sort=sort, plan_type=plan_type, status=status, q=q)


@router.get("/plans/{plan}", response_model=Plan)
async def get_plan(plan: UUID, caller: Reader) -> Response:
    return await caller.ask(GetPlan, plan_id=plan)


@router.put("/plans/{plan}", response_model=Plan)
async def update_plan(plan: UUID, body: UpdatePlanBody, caller: Writer) -> Response:
    """New resources are backed up at once, dropped ones no longer. `If-Match` guards against a lost update."""
    return await caller.ask(UpdatePlan, plan_id=plan, **body.model_dump(exclude_unset=True))


@router.get("/status", response_model=RecoveryStatus)
async def get_recovery_status(caller: Reader) -> Response:
    """Which plans could be carried out now, and how much data would be lost: measured, not configured."""
    return await caller.ask(GetRecoveryStatus)
