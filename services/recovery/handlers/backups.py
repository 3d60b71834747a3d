"""How are backups asked for, made and deleted?"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.recovery.deps import Deps
from services.recovery.domain.backups import expires_at
from services.recovery.domain.plans import BACKED_UP_TYPES, REMOVED, TERMINATED
from services.recovery.handlers.points import MACHINE
from services.recovery.handlers.snapshots import Snapshots, oldest
from services.recovery.storage import backups, configurations, providers, resources
from shared.bus.router import Routes
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import FieldError, InvalidInput
from shared.kit.ids import new_id
from shared.messages.backups import (
    AcceptedBackup,
    Backup,
    BackupCompleted,
    BackupConfiguration,
    BackupDeleted,
    BackupFailed,
    BackupPage,
    CreateBackup,
    DeleteBackup,
    GetBackup,
    ListBackupConfigurations,
    ListBackups,
    RunBackup,
)
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.plans import RetentionPolicy

routes = Routes()

BY_SNAPSHOT = ("snapshot", "files")


async def backup_failed(work: Work, command: RunBackup, error: dict[str, Any], _: Deps) -> None:
    row = await backups.change(work, command.aggregate_id, status="failed", error=error, completed_at=work.now)
    if row["configuration_id"] is not None:
        await configurations.note_failure(work, row["configuration_id"])
    work.emit(BackupFailed(**work.about(row["id"], row["version"]), backup=backups.backup_of(row)))


@routes.saga(RunBackup, kind="backup.run", target_type="backup", total=6, on_failure=backup_failed)
async def run_backup(saga: Saga, command: RunBackup, deps: Deps) -> dict[str, Any]:
    """Take every part, wait, copy everything to each destination, wait, record. All of it or nothing stays."""
    async with saga.work() as work:
        row = await backups.get(work, command.aggregate_id)
        known = await resources.find(work, row["target"])
    snapshots = Snapshots(saga, deps, row)
    found = await snapshots.find_volumes(known["resource_id"] if known else None)
    taken = await snapshots.take_all(found["volumes"])
    copies = {region: await snapshots.copy_all(taken, region) for region in row["destinations"]}
    for region, copied in copies.items():
        await snapshots.wait_for_copies(taken, copied, region)
    made = [
        {**snapshot, "copies": {region: copied[index] for region, copied in copies.items()}}
        for index, snapshot in enumerate(taken)
    ]

    async def record(work: Work) -> dict[str, Any]:
        return await _record(work, row, found["machine"], made)

    recorded: dict[str, Any] = await saga.apply("record", record)
    return recorded


async def _record(
    work: Work, row: Mapping[str, Any], machine: dict[str, Any], taken: list[dict[str, Any]]
) -> dict[str, Any]:
    point = oldest([each["snapshot_started_at"] for each in taken])
    size_gb = sum(each["size_gib"] for each in taken)
    policy = RetentionPolicy.model_validate(row["retention"])
    done = await backups.change(
        work, row["id"], status="completed", machine=machine, snapshots=taken, size_gb=size_gb, method=_method(taken),
        recovery_point_at=point, completed_at=work.now, expires_at=expires_at(policy, point),
    )  # fmt: skip
    if row["configuration_id"] is not None:
        await configurations.note_success(work, row["configuration_id"], size_gb)
    backup = backups.backup_of(done)
    work.emit(BackupCompleted(**work.about(backup.id, backup.version), backup=backup))
    return backup.model_dump(mode="json", include={"id", "target", "recovery_point_at", "size_gb", "location"})


def _method(taken: list[dict[str, Any]]) -> str:
    return "image" if any(each.get("kind") == MACHINE for each in taken) else "snapshot"


async def deletion_failed(work: Work, command: DeleteBackup, error: dict[str, Any], _: Deps) -> None:
    """It stays listed, is no longer restored from, and the sweep tries again."""
    await backups.change(work, command.aggregate_id, status="deletion_failed", error=error)


@routes.saga(DeleteBackup, kind="backup.delete", target_type="backup", total=3, on_failure=deletion_failed)
async def delete_backup(saga: Saga, command: DeleteBackup, deps: Deps) -> dict[str, Any]:
    """Delete the snapshots of an expired backup."""
    async with saga.work() as work:
        row = await backups.get(work, command.aggregate_id)
    snapshots = Snapshots(saga, deps, row)
    for each in row["snapshots"]:
        await snapshots.delete(each, snapshots.source, each["snapshot_id"])
        for region in sorted(each["copies"]):
            await snapshots.delete(each, region, each["copies"][region])

    async def record(work: Work) -> dict[str, Any]:
        gone = await backups.change(work, row["id"], status="deleted", deleted_at=work.now, error=None)
        work.emit(BackupDeleted(**work.about(gone["id"], gone["version"]), backup=backups.backup_of(gone)))
        return {"id": str(row["id"])}

    recorded: dict[str, Any] = await saga.apply("record", record)
    return recorded


@routes.request(CreateBackup)
async def create_backup(request: CreateBackup, deps: Deps) -> AcceptedBackup:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        resource = await resources.find(work, request.target)
        problems = _problems_of(request, resource, await providers.known(work))
        if problems or resource is None:
            raise InvalidInput("this cannot be backed up", errors=problems)
        row = await backups.add(work, await _values(work, request, resource))
        operation = await deps.journal.accept(work, run_backup, backups.begin(work, row))
        reply = AcceptedBackup(operation=operation, backup=backups.backup_of(row))
        details = {"resource": str(request.target)}
        work.audit("backup.create", row["id"], row["version"], resource["resource_name"], details)
        acceptance.answer(reply)
    return reply


async def _values(work: Work, request: CreateBackup, resource: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a new backup; it is copied to where it is asked for and to where the resource's plans want it."""
    wanted = set(request.regions)
    for configuration in await configurations.of_resource(work, request.target):
        wanted.update(configuration["destinations"])
    return {
        "id": new_id(),
        "backup_type": request.backup_type,
        "target": request.target,
        "target_name": resource["resource_name"],
        "provider_id": resource["provider_id"],
        "source_region": resource["region"],
        "destinations": sorted(wanted - {resource["region"]}),
        "retention": request.retention.model_dump(mode="json"),
        "notes": request.notes,
    }


def _problems_of(
    request: CreateBackup, resource: Mapping[str, Any] | None, known_providers: Mapping[UUID, Mapping[str, Any]]
) -> list[FieldError]:
    if resource is None or resource["resource_status"] == TERMINATED:
        return [FieldError("/target", "is no known resource")]
    provider = known_providers.get(resource["provider_id"])
    if provider is None or provider["status"] == REMOVED:
        return [FieldError("/target", "has no provider any more")]
    problems = [
        FieldError(f"/regions/{index}", "is no region of this provider")
        for index, region in enumerate(request.regions)
        if provider["regions"] and region not in provider["regions"]
    ]
    if resource["resource_type"] not in BACKED_UP_TYPES:
        problems.append(FieldError("/target", f"is of type {resource['resource_type']}; only compute is backed up"))
    if request.backup_type not in BY_SNAPSHOT:
        problems.append(FieldError("/type", f"a machine is backed up by {' or '.join(BY_SNAPSHOT)}"))
    return problems


@routes.request(GetBackup)
async def get_backup(request: GetBackup, deps: Deps) -> Backup:
    async with deps.database.work(Context.of(request)) as work:
        return backups.backup_of(await backups.get(work, request.backup_id))


@routes.request(ListBackups)
async def list_backups(request: ListBackups, deps: Deps) -> BackupPage:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await backups.page(work, request)
        return BackupPage(items=items, next_cursor=cursor, summary=await backups.summary(work))


@routes.request(ListBackupConfigurations)
async def list_backup_configurations(request: ListBackupConfigurations, deps: Deps) -> Page[BackupConfiguration]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await configurations.page(work, request)
    return Page[BackupConfiguration](items=items, next_cursor=cursor)
