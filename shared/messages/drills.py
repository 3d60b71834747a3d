"""Drills: tests of a recovery plan by restoring in isolation, measured and cleaned up. Owned by recovery."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.messages.base import Command, Event, Facts, ListRequest, Mutation, Page, Request
from shared.messages.operations import Operation
from shared.messages.plans import RegionReference

DrillStatus = Literal["in_progress", "completed", "failed"]


class Check(Facts):
    """One thing that was looked at. `resource_id` is null for what concerns the whole drill."""

    name: str
    resource_id: UUID | None = None
    passed: bool
    observed: str
    expected: str


class RestoredResource(Facts):
    """What a resource was restored from and as; null ids were never made."""

    resource_id: UUID
    resource_name: str | None = None
    backup_id: UUID | None = None
    recovery_point_at: datetime | None = None
    image_id: str | None = None
    machine_id: str | None = None


class Leftover(Facts):
    """A thing in the cloud that the drill made and could not remove; `token` is its tag `canopy:token`."""

    kind: str
    region: str
    token: str
    cloud_id: str | None = None
    reason: str


class Drill(Facts):
    """One drill and its report. What was measured is in seconds and, as the seeds spell it, in minutes (C34).

    Data loss is never said to be none: `data_loss_window_s` is the measured window (C36). Null means not measured.
    """

    id: UUID
    organization_id: UUID
    plan_id: UUID
    plan_name: str
    test_type: str
    region: RegionReference
    status: str
    test_successful: bool | None = None
    success: bool | None = None
    actual_rto_s: float | None = None
    rto_actual_minutes: float | None = None
    rto_objective_minutes: int
    actual_rpo_s: float | None = None
    rpo_actual_minutes: float | None = None
    rpo_objective_minutes: int
    data_loss_window_s: float | None = None
    issues_identified: list[str] = Field(default_factory=list)
    recommendations: list[str] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    not_checked: list[str] = Field(default_factory=list)
    not_cleaned: list[Leftover] = Field(default_factory=list)
    restored: list[RestoredResource] = Field(default_factory=list)
    isolation: str | None = None
    environment_note: str | None = None
    error: dict[str, Any] | None = None
    started_at: datetime
    verified_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class AcceptedDrill(BaseModel):
    """A drill and the long work that was accepted for it."""

    operation: Operation
    drill: Drill


class StartDrill(Mutation, entity="drill", name="start", owner="recovery", reply=AcceptedDrill):
    """409 `drill_running` while the plan has a drill; 409 `plan_not_active` unless the plan is active."""

    plan_id: UUID


class GetDrill(Request, entity="drill", name="get", owner="recovery", reply=Drill):
    drill_id: UUID


class ListDrills(ListRequest, entity="drill", name="list", owner="recovery", reply=Page[Drill]):
    plan_id: UUID | None = None
    status: str | None = None


class RunDrill(Command, entity="drill", name="run", owner="recovery"):
    """Restore the plan's resources in isolation, verify, measure, clean up. The aggregate is the drill."""


class DrillEvent(Event):
    """The aggregate is the drill; the event holds its report."""

    drill: Drill


class DrillStarted(DrillEvent, entity="drill", name="started", owner="recovery"):
    pass


class DrillCompleted(DrillEvent, entity="drill", name="completed", owner="recovery"):
    """Every check passed."""


class DrillFailed(DrillEvent, entity="drill", name="failed", owner="recovery"):
    """A check failed, nothing could be restored, or the drill itself broke; `drill.issues_identified` says what."""
