"""How are backups asked for and listed? Answered by recovery."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.backups import (
    AcceptedBackup,
    Backup,
    BackupConfiguration,
    BackupPage,
    BackupStatus,
    BackupType,
    ConfigurationStatus,
    CreateBackup,
    GetBackup,
    ListBackupConfigurations,
    ListBackups,
)
from shared.messages.base import Page
from shared.messages.plans import RetentionPolicy
from shared.security.permissions import Permission

router = APIRouter(prefix="/api", tags=["backups"])

Reader = Annotated[Caller, Depends(needs(Permission.RECOVERY_READ))]
Writer = Annotated[Caller, Depends(needs(Permission.RECOVERY_WRITE))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2000)]

_EXAMPLE: dict[str, Any] = {
    "type": "snapshot",
    "target": "01980000-0000-7000-8000-000000000002",
    "retention": 30,
    "notes": "before the upgrade",
}


class BackupRetentionBody(RetentionPolicy, extra="forbid"):
    pass


class CreateBackupBody(BaseModel):
    """`target` is a resource; `retention` is days, or a policy; copied where its plans want it and to `regions`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    type: BackupType = "snapshot"
    target: UUID
    retention: Annotated[int, Field(ge=1, le=3650)] | BackupRetentionBody = 30
    regions: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list, max_length=10)
    notes: str | None = Field(default=None, max_length=2000)


@router.post("/infrastructure/backups", status_code=202, response_model=AcceptedBackup)
async def create_backup(body: CreateBackupBody, caller: Writer) -> Response:
    days = body.retention
    policy = RetentionPolicy(kind="days", days=days) if isinstance(days, int) else days
    return await caller.begin(
        CreateBackup,
        location="/api/infrastructure/backups/{id}",
        backup_type=body.type,
        target=body.target,
        retention=policy.model_dump(),
        regions=body.regions,
        notes=body.notes,
    )


@router.get("/infrastructure/backups", response_model=BackupPage)
async def list_backups(
    caller: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[str | None, Query(max_length=100, description="created_at or started_at, `-` descends")] = None,
    type: BackupType | None = None,  # noqa: A002 - the name of the query parameter
    target: UUID | None = None,
    status: BackupStatus | None = None,
    plan_id: UUID | None = None,
) -> Response:
    """With a summary of all: number, size, oldest, success rate (null while nothing has ended)."""
    return await caller.ask(
        ListBackups, limit=limit, cursor=cursor, sort=sort, backup_type=type, target=target, status=status,
        plan_id=plan_id,
    )  # fmt: skip


@router.get("/infrastructure/backups/{backup}", response_model=Backup)
async def get_backup(backup: UUID, caller: Reader) -> Response:
    return await caller.ask(GetBackup, backup_id=backup)


@router.get("/cloud/backups/configurations", response_model=Page[BackupConfiguration])
async def list_backup_configurations(
    caller: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[str | None, Query(max_length=100, description="created_at or next_run_at, `-` descends")] = None,
    resource_id: UUID | None = None,
    plan_id: UUID | None = None,
    status: ConfigurationStatus | None = None,
) -> Response:
    return await caller.ask(
        ListBackupConfigurations, limit=limit, cursor=cursor, sort=sort, resource_id=resource_id, plan_id=plan_id,
        status=status,
    )  # fmt: skip


@router.get("/cloud/backups/executions", response_model=BackupPage)
async def list_backup_executions(
    caller: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    configuration_id: UUID | None = None,
    status: BackupStatus | None = None,
) -> Response:
    """The same backups, by what made them."""
    return await caller.ask(ListBackups, limit=limit, cursor=cursor, configuration_id=configuration_id, status=status)
