"""Disaster recovery plans: what is to be recovered, where, and how fast. Owned by recovery."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request

PlanType = Literal["backup_restore", "active_passive", "active_active", "pilot_light", "warm_standby"]
PlanStatus = Literal["active", "inactive", "testing", "failed_over", "maintenance"]
SettablePlanStatus = Literal["active", "inactive", "maintenance"]
Frequency = Literal["continuous", "hourly", "daily", "weekly", "monthly"]
TestFrequency = Literal["weekly", "monthly", "quarterly", "yearly", "manual"]

ID_LIST_MAX = 100

NotYet = Annotated[
    Literal[False], Field(description="only false: nothing fails over by itself yet, and a plan promises what is done")
]


class RegionReference(Facts):
    """A region of one of the organization's providers."""

    provider_id: UUID
    region_code: str = Field(min_length=1, max_length=64)


class RecoveryRegion(RegionReference):
    """Where to recover. `capacity_percent` of the primary's is what is wanted there: kept, not provided for."""

    capacity_percent: int = Field(default=100, ge=1, le=100)


class RecoveryObjectives(Facts):
    """What the plan promises. `rto_minutes` null means the default of the plan's type (requirements C2).

    Drills measure both times, the status measures `rpo_minutes`; `availability` is kept with the plan and not measured.
    """

    rto_minutes: int | None = Field(default=None, ge=1, le=525_600)
    rpo_minutes: int = Field(default=60, ge=1, le=525_600)
    availability: float = Field(default=99.99, gt=0, le=100)
    retention_days: int = Field(default=30, ge=1, le=3650)


class RetentionPolicy(Facts):
    """How long backups are kept: `days` after the recovery point, or the newest of so many days, weeks, … (C37)."""

    kind: Literal["days", "generations"] = "days"
    days: int = Field(default=30, ge=1, le=3650)
    daily: int = Field(default=7, ge=0, le=366)
    weekly: int = Field(default=4, ge=0, le=520)
    monthly: int = Field(default=12, ge=0, le=120)
    yearly: int = Field(default=7, ge=0, le=100)


class BackupStrategy(Facts):
    """How often, how long and where. `retention`, when given, stands for `retention_days`.

    `encryption` and `compression` are what is asked of the cloud: a snapshot is encrypted as its volume is, and its
    storage is compressed or not by the provider; what a backup really has is told by the backup.
    """

    frequency: Frequency = "daily"
    retention_days: int = Field(default=30, ge=1, le=3650)
    retention: RetentionPolicy | None = None
    cross_region: bool = True
    encryption: bool = True
    compression: bool = True


class FailoverProcedures(Facts):
    """The ordered steps of a failover, for the people who carry it out: they are kept and shown, not run."""

    automatic: NotYet = False
    steps: list[str] = Field(
        default_factory=lambda: ["backup_validation", "dns_switch", "app_restart"], min_length=1, max_length=50
    )


class TestingSchedule(Facts):
    """How often the plan ought to be tested; `test_type` is what a test does."""

    __test__ = False

    frequency: TestFrequency = "quarterly"
    test_type: Literal["isolated_restore"] = "isolated_restore"


class Plan(Facts):
    """One plan. `test_success_rate` is percent of its finished tests, null when there was none.

    `plan_type` gives the default of the recovery time; machines are recovered from backups in every type.
    `critical_priority` is kept for those who read the plan. `last_failed_over` is null: no failover was carried out.
    """

    id: UUID
    organization_id: UUID
    plan_name: str
    description: str | None = None
    plan_type: str
    primary_region: RegionReference
    disaster_recovery_regions: list[RecoveryRegion]
    resources: list[UUID]
    recovery_objectives: RecoveryObjectives
    backup_strategy: BackupStrategy
    failover_procedures: FailoverProcedures
    automated_failover: bool
    testing_schedule: TestingSchedule
    critical_priority: bool
    status: str
    last_tested: datetime | None = None
    last_failed_over: datetime | None = None
    next_test_due: datetime | None = None
    test_success_rate: float | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class CreatePlan(Mutation, entity="plan", name="create", owner="recovery", reply=Plan):
    """Sets up the backups of its resources too; the first one of each begins at once."""

    plan_name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    plan_type: PlanType = "backup_restore"
    primary_region: RegionReference
    disaster_recovery_regions: list[RecoveryRegion] = Field(min_length=1, max_length=10)
    resources: list[UUID] = Field(min_length=1, max_length=ID_LIST_MAX)
    recovery_objectives: RecoveryObjectives = RecoveryObjectives()
    backup_strategy: BackupStrategy = BackupStrategy()
    failover_procedures: FailoverProcedures = Field(default_factory=FailoverProcedures)
    automated_failover: NotYet = False
    testing_schedule: TestingSchedule = TestingSchedule()
    critical_priority: bool = False


class UpdatePlan(Mutation, entity="plan", name="update", owner="recovery", reply=Plan):
    """Only the fields that are given change. 409 `plan_in_test` for a status while a drill runs."""

    plan_id: UUID
    plan_name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    plan_type: PlanType | None = None
    primary_region: RegionReference | None = None
    disaster_recovery_regions: list[RecoveryRegion] | None = Field(default=None, min_length=1, max_length=10)
    resources: list[UUID] | None = Field(default=None, min_length=1, max_length=ID_LIST_MAX)
    recovery_objectives: RecoveryObjectives | None = None
    backup_strategy: BackupStrategy | None = None
    failover_procedures: FailoverProcedures | None = None
    automated_failover: NotYet | None = None
    testing_schedule: TestingSchedule | None = None
    critical_priority: bool | None = None
    status: SettablePlanStatus | None = None


class GetPlan(Request, entity="plan", name="get", owner="recovery", reply=Plan):
    plan_id: UUID


class ListPlans(ListRequest, entity="plan", name="list", owner="recovery", reply=Page[Plan]):
    """`q` is a prefix of the name."""

    plan_type: str | None = None
    status: str | None = None
    q: str | None = Field(default=None, max_length=200)


class PlanReadiness(Facts):
    """Could this plan be carried out now? Null means unknown: nothing was measured yet.

    `current_data_loss_s` is how old the newest backup that every resource has in the recovery region is.
    """

    plan_id: UUID
    plan_name: str
    status: str
    ready: bool
    reasons: list[str]
    resources: int
    protected_resources: int
    newest_common_recovery_point: datetime | None
    current_data_loss_s: float | None
    rpo_objective_minutes: int
    rpo_met: bool | None
    rto_objective_minutes: int
    last_measured_rto_s: float | None
    last_tested: datetime | None
    next_test_due: datetime | None
    test_overdue: bool
    test_success_rate: float | None


class RecoveryStatus(Facts):
    """All plans of an organization; `overall_status` is `unknown` without plans, `ready` or `at_risk`."""

    overall_status: Literal["unknown", "ready", "at_risk"]
    total_plans: int
    active_plans: int
    plans: list[PlanReadiness]
    as_of: datetime


class GetRecoveryStatus(Request, entity="plan", name="status", owner="recovery", reply=RecoveryStatus):
    pass


class PlanEvent(Event):
    """The aggregate is the plan; the event holds all of it."""

    plan: Plan


class PlanCreated(PlanEvent, entity="plan", name="created", owner="recovery"):
    pass


class PlanUpdated(PlanEvent, entity="plan", name="updated", owner="recovery"):
    """Its content, its status or what its tests have shown changed."""
