"""Backups: points in time of a resource that can be restored, and what makes them. Owned by recovery."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.messages.base import Command, Event, Facts, ListRequest, Mutation, Page, Request
from shared.messages.operations import Operation
from shared.messages.plans import RetentionPolicy

BackupType = Literal["snapshot", "files", "database", "configuration"]
BackupStatus = Literal["in_progress", "completed", "failed", "deleting", "deletion_failed", "deleted"]
ConfigurationStatus = Literal["active", "paused", "failed", "disabled"]


class SnapshotCopy(Facts):
    """One part of a backup and its copies: region -> the provider's id of the copy.

    `kind` is `volume`, a snapshot of one volume, or `machine`, an image of a whole machine that boots from a disk of
    its own; that has no `volume_id`, and the same id in every region.
    """

    kind: str = "volume"
    volume_id: str | None
    device_name: str | None
    is_root: bool
    size_gib: int
    encrypted: bool | None = None
    snapshot_id: str
    snapshot_started_at: datetime
    copies: dict[str, str] = Field(default_factory=dict)


class Backup(Facts):
    """One backup. `recovery_point_at` is when its oldest snapshot was started: what it holds is of that time.

    `method` is `snapshot` of each volume, or `image` of the whole machine. `location` lists the regions that hold a
    complete set of snapshots. `size_gb` is the size of what was kept, null while it is unknown;
    `expires_at` is null while unknown and for generations, whose end depends on later backups.
    """

    id: UUID
    organization_id: UUID
    backup_type: str
    target: UUID
    target_name: str | None = None
    configuration_id: UUID | None = None
    plan_id: UUID | None = None
    method: str
    status: str
    provider_id: UUID
    source_region: str
    location: list[str]
    snapshots: list[SnapshotCopy]
    size_gb: int | None = None
    encrypted: bool | None = None
    retention: RetentionPolicy
    notes: str | None = None
    recovery_point_at: datetime | None = None
    started_at: datetime
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    deleted_at: datetime | None = None
    error: dict[str, Any] | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class BackupConfiguration(Facts):
    """What makes backups of one resource by the clock. `success_rate` is percent, null while nothing has run."""

    id: UUID
    organization_id: UUID
    resource_id: UUID
    plan_id: UUID
    backup_type: str
    frequency: str
    retention: RetentionPolicy
    destinations: list[str]
    encryption: bool
    compression: bool
    status: str
    last_run_at: datetime | None = None
    last_success_at: datetime | None = None
    next_run_at: datetime
    runs: int
    successes: int
    success_rate: float | None = None
    last_size_gb: int | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class BackupSummary(Facts):
    """Of all backups that still exist; `success_rate` is percent of all that ended, null when none did."""

    total: int
    total_size_gb: int
    oldest_backup_at: datetime | None
    newest_backup_at: datetime | None
    success_rate: float | None


class BackupPage(Page[Backup]):
    summary: BackupSummary


class AcceptedBackup(BaseModel):
    """A backup and the long work that was accepted for it."""

    operation: Operation
    backup: Backup


class CreateBackup(Mutation, entity="backup", name="create", owner="recovery", reply=AcceptedBackup):
    """Backs up one resource now. It is copied where the plans of the resource want it, else to `regions`."""

    backup_type: BackupType = "snapshot"
    target: UUID
    retention: RetentionPolicy = RetentionPolicy()
    regions: list[str] = Field(default_factory=list, max_length=10)
    notes: str | None = Field(default=None, max_length=2000)


class GetBackup(Request, entity="backup", name="get", owner="recovery", reply=Backup):
    backup_id: UUID


class ListBackups(ListRequest, entity="backup", name="list", owner="recovery", reply=BackupPage):
    """Backups of an organization; those whose snapshots were deleted only with `status=deleted`."""

    backup_type: str | None = None
    target: UUID | None = None
    status: str | None = None
    plan_id: UUID | None = None
    configuration_id: UUID | None = None


class ListBackupConfigurations(
    ListRequest, entity="backup", name="list_configurations", owner="recovery", reply=Page[BackupConfiguration]
):
    resource_id: UUID | None = None
    plan_id: UUID | None = None
    status: str | None = None


class RunBackup(Command, entity="backup", name="run", owner="recovery"):
    """Snapshot the volumes of the backup's resource, or capture all of it, and copy that. The aggregate: the backup."""


class DeleteBackup(Command, entity="backup", name="delete", owner="recovery"):
    """Delete the snapshots of an expired backup in all its regions. The aggregate is the backup."""


class BackupEvent(Event):
    """The aggregate is the backup; the event holds all of it."""

    backup: Backup


class BackupStarted(BackupEvent, entity="backup", name="started", owner="recovery"):
    pass


class BackupCompleted(BackupEvent, entity="backup", name="completed", owner="recovery"):
    pass


class BackupFailed(BackupEvent, entity="backup", name="failed", owner="recovery"):
    """`backup.error` says why; what was made of it was deleted."""


class BackupDeleted(BackupEvent, entity="backup", name="deleted", owner="recovery"):
    """It expired, and its snapshots are gone."""
