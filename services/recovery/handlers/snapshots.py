"""How are a machine's volumes snapshot, copied to other regions and deleted? The cloud's part of a backup."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.recovery.deps import Deps
from shared.clouds.capabilities import Cloud, machines_of, snapshots_of, volumes_of
from shared.clouds.errors import CloudError
from shared.clouds.errors import Conflict as CloudConflict
from shared.clouds.errors import NotFound as CloudNotFound
from shared.clouds.models import Snapshot, SnapshotSpec, SnapshotState
from shared.db.saga import Saga
from shared.kit.errors import CanopyError, Conflict, RetryLater

IN_USE_RETRY_S = 60.0

log = structlog.get_logger(__name__)


class SnapshotFailed(CanopyError):
    status, code, title = 502, "snapshot_failed", "The provider could not finish a snapshot"


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one backup, made and removed step by step on its saga. `row` is the backup's."""

    saga: Saga
    deps: Deps
    row: Mapping[str, Any]

    @property
    def source(self) -> str:
        return str(self.row["source_region"])

    async def find_volumes(self, machine_id: str | None) -> dict[str, Any]:
        """The machine and its volumes as JSON. Raises Conflict when there is nothing to back up."""

        async def call(_: UUID) -> dict[str, Any]:
            return await self._find_volumes(machine_id)

        found: dict[str, Any] = await self.saga.step("find volumes", call)
        return found

    async def take_all(self, volumes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Snapshot these volumes at once, then wait: each volume with its snapshot's id and time."""
        ids = [await self.take(number, volume["volume_id"]) for number, volume in enumerate(volumes, 1)]
        taken = []
        for number, (volume, snapshot_id) in enumerate(zip(volumes, ids, strict=True), 1):
            seen = await self.completed(f"snapshot {number} completed", self.source, snapshot_id)
            taken.append({**volume, "snapshot_id": snapshot_id, "snapshot_started_at": seen["started_at"]})
        return taken

    async def copy_all(self, taken: Sequence[Mapping[str, Any]], region: str) -> list[str]:
        """Begin to copy completed snapshots into a region; the copies' ids."""
        return [await self.copy(number, each["snapshot_id"], region) for number, each in enumerate(taken, 1)]

    async def wait_for_copies(self, copies: Sequence[str], region: str) -> None:
        for number, each in enumerate(copies, 1):
            await self.completed(f"copy {number} to {region} completed", region, each)

    async def _find_volumes(self, machine_id: str | None) -> dict[str, Any]:
        """Root first."""
        if machine_id is None:
            raise Conflict("the resource does not exist at its provider yet", code="not_provisioned")
        cloud = await self._cloud()
        machine = await machines_of(cloud).get(self.source, machine_id)
        volumes = await volumes_of(cloud).of_machine(self.source, machine_id)
        if not volumes:
            raise Conflict(f"{machine_id} is {machine.state} and has no volumes", code="nothing_to_back_up")
        root = machine.root_volume_id or volumes[0].id
        return {
            "machine": {
                "machine_id": machine.id,
                "instance_type": machine.instance_type,
                "architecture": machine.architecture,
                "root_device_name": machine.root_device_name,
            },
            "volumes": [
                {"volume_id": each.id, "device_name": each.device_name, "is_root": each.id == root,
                 "size_gib": each.size_gib, "encrypted": each.encrypted}
                for each in volumes
            ],
        }  # fmt: skip

    async def take(self, number: int, volume_id: str) -> str:
        """Start the snapshot of one volume, once; its id."""
        name = f"snapshot {number}"
        tags = self._tags()

        async def create(token: UUID) -> str:
            spec = SnapshotSpec(str(token), volume_id, tags, f"Canopy backup {self.row['id']}")
            return (await self._patient(snapshots_of(await self._cloud()).create(self.source, spec))).id

        snapshot_id: str = await self.saga.step(name, create, undo=self._undo(name, self.source))
        return snapshot_id

    async def copy(self, number: int, snapshot_id: str, region: str) -> str:
        """Start the copy of a completed snapshot into a region, once; the copy's id."""
        name = f"copy {number} to {region}"
        tags = self._tags()

        async def create(token: UUID) -> str:
            snapshots = snapshots_of(await self._cloud())
            copied = snapshots.copy(self.source, snapshot_id, region, token=str(token), tags=tags)
            return (await self._patient(copied)).id

        copy_id: str = await self.saga.step(name, create, undo=self._undo(name, region))
        return copy_id

    async def completed(self, name: str, region: str, snapshot_id: str) -> dict[str, Any]:
        """Wait until a snapshot is completed; answers its `started_at` and `encrypted`. Raises SnapshotFailed."""

        async def poll() -> dict[str, Any] | None:
            try:
                seen = await snapshots_of(await self._cloud()).get(region, snapshot_id)
            except CloudNotFound:
                return None  # just made things may be invisible for seconds
            if seen.state is SnapshotState.ERROR:
                raise SnapshotFailed(f"{snapshot_id} in {region}: {seen.state_reason or 'no reason given'}")
            if seen.state is SnapshotState.PENDING:
                return None
            return {"started_at": seen.started_at.isoformat(), "encrypted": seen.encrypted}

        settings = self.deps.settings
        seen: dict[str, Any] = await self.saga.until(
            name, poll, every_s=settings.cloud_poll_s, timeout_s=settings.backup_timeout_s
        )
        return seen

    async def delete(self, region: str, snapshot_id: str) -> None:
        """Delete one snapshot, once. Waits while a machine image of a drill uses it."""

        async def call(_: UUID) -> None:
            try:
                await snapshots_of(await self._cloud()).delete(region, snapshot_id)
            except CloudConflict as error:
                raise RetryLater(IN_USE_RETRY_S, str(error)) from error

        await self.saga.step(f"delete {snapshot_id} in {region}", call)

    def _undo(self, name: str, region: str) -> Callable[[Any], Awaitable[None]]:
        token = str(self.saga.token(name))

        async def remove(snapshot_id: str | None) -> None:
            try:
                snapshots = snapshots_of(await self._cloud())
                if snapshot_id is None:
                    found = await snapshots.find_by_token(region, token)
                    snapshot_id = found.id if found else None
                if snapshot_id is not None:
                    await snapshots.delete(region, snapshot_id)
            except (CloudError, CanopyError) as error:
                if getattr(error, "retryable", False):
                    raise
                log.exception("a snapshot of a failed backup stays", token=token, region=region)

        return remove

    async def _patient(self, call: Awaitable[Snapshot]) -> Snapshot:
        """A create whose outcome is unknown is repeated only when reads would show what it made."""
        try:
            return await call
        except CloudError as error:
            if error.outcome_unknown:
                error.retry_after_s = max(error.retry_after_s or 0.0, self.deps.settings.cloud_settle_s)
            raise

    async def _cloud(self) -> Cloud:
        return await self.deps.cloud(self.saga.context, self.row["provider_id"])

    def _tags(self) -> dict[str, str]:
        return {"canopy:backup": str(self.row["id"]), "canopy:resource": str(self.row["target"])}


def oldest(times: list[str]) -> datetime:
    """A backup holds what was there when its first snapshot was started."""
    return min(datetime.fromisoformat(time) for time in times)
