"""How are the parts of a machine's backup taken, copied to other regions and deleted? The cloud's part of a backup."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.recovery.deps import Deps
from services.recovery.handlers.points import MACHINE, VOLUME, Point, Points, parts_of, points_of
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError, StillWorking
from shared.clouds.errors import Conflict as CloudConflict
from shared.clouds.errors import NotFound as CloudNotFound
from shared.clouds.models import SnapshotState
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
        """The machine and the parts of its backup as JSON. Raises Conflict when there is nothing to back up."""

        async def call(_: UUID) -> dict[str, Any]:
            if machine_id is None:
                raise Conflict("the resource does not exist at its provider yet", code="not_provisioned")
            return await parts_of(await self._cloud(), self.source, machine_id)

        found: dict[str, Any] = await self.saga.step("find volumes", call)
        return found

    async def take_all(self, volumes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Take these parts at once, then wait: each with its snapshot's id, time and size."""
        ids = [await self.take(number, each) for number, each in enumerate(volumes, 1)]
        taken = []
        for number, (volume, snapshot_id) in enumerate(zip(volumes, ids, strict=True), 1):
            kind = _kind_of(volume)
            seen = await self.completed(f"snapshot {number} completed", kind, self.source, snapshot_id)
            more = {"size_gib": seen["size_gib"], "encrypted": seen["encrypted"]} if kind == MACHINE else {}
            taken.append({**volume, **more, "snapshot_id": snapshot_id, "snapshot_started_at": seen["started_at"]})
        return taken

    async def copy_all(self, taken: Sequence[Mapping[str, Any]], region: str) -> list[str]:
        """Begin to copy completed snapshots into a region; the copies' ids."""
        return [await self.copy(number, each, region) for number, each in enumerate(taken, 1)]

    async def wait_for_copies(self, taken: Sequence[Mapping[str, Any]], copies: Sequence[str], region: str) -> None:
        for number, (part, copied) in enumerate(zip(taken, copies, strict=True), 1):
            await self.completed(f"copy {number} to {region} completed", _kind_of(part), region, copied)

    async def take(self, number: int, part: Mapping[str, Any]) -> str:
        """Start the snapshot of one part, once; its id."""
        name, kind = f"snapshot {number}", _kind_of(part)
        source_id = part.get("source_id") or part["volume_id"]

        async def begin(token: str) -> Point:
            points = await self._points(kind)
            return await points.take(self.source, source_id, token, self._tags(), f"Canopy backup {self.row['id']}")

        return await self._begun(name, kind, self.source, begin)

    async def copy(self, number: int, part: Mapping[str, Any], region: str) -> str:
        """Start the copy of a completed snapshot into a region, once; the copy's id."""
        name, kind = f"copy {number} to {region}", _kind_of(part)

        async def begin(token: str) -> Point:
            points = await self._points(kind)
            return await points.copy(self.source, part["snapshot_id"], region, token, self._tags())

        return await self._begun(name, kind, region, begin)

    async def _begun(self, name: str, kind: str, region: str, begin: Callable[[str], Awaitable[Point]]) -> str:
        """The id of what `begin` makes, once. A cloud that can tell no id yet is asked again, however long it takes."""

        async def poll() -> str | None:
            try:
                return (await self._patient(begin(str(self.saga.token(name))))).id
            except StillWorking:
                return None

        settings = self.deps.settings
        begun: str = await self.saga.until(
            name, poll, every_s=settings.cloud_poll_s, timeout_s=settings.backup_timeout_s,
            undo=self._undo(name, kind, region),
        )  # fmt: skip
        return begun

    async def completed(self, name: str, kind: str, region: str, snapshot_id: str) -> dict[str, Any]:
        """Wait until a snapshot is completed; its `started_at`, `encrypted`, `size_gib`. Raises SnapshotFailed."""

        async def poll() -> dict[str, Any] | None:
            try:
                seen = await (await self._points(kind)).get(region, snapshot_id)
            except CloudNotFound:
                return None  # just made things may be invisible for seconds
            if seen.state is SnapshotState.ERROR:
                raise SnapshotFailed(f"{snapshot_id} in {region}: {seen.state_reason or 'no reason given'}")
            if seen.state is SnapshotState.PENDING:
                return None
            return {
                "started_at": seen.started_at.isoformat(), "encrypted": seen.encrypted, "size_gib": seen.size_gib
            }  # fmt: skip

        settings = self.deps.settings
        seen: dict[str, Any] = await self.saga.until(
            name, poll, every_s=settings.cloud_poll_s, timeout_s=settings.backup_timeout_s
        )
        return seen

    async def delete(self, part: Mapping[str, Any], region: str, snapshot_id: str) -> None:
        """Delete one snapshot, once. Waits while a machine image of a drill uses it."""

        async def call(_: UUID) -> None:
            try:
                await (await self._points(_kind_of(part))).delete(region, snapshot_id)
            except CloudConflict as error:
                raise RetryLater(IN_USE_RETRY_S, str(error)) from error

        await self.saga.step(f"delete {snapshot_id} in {region}", call)

    def _undo(self, name: str, kind: str, region: str) -> Callable[[Any], Awaitable[None]]:
        token = str(self.saga.token(name))

        async def remove(snapshot_id: str | None) -> None:
            try:
                points = await self._points(kind)
                if snapshot_id is None:
                    snapshot_id = await points.find(region, token)
                if snapshot_id is not None:
                    await points.delete(region, snapshot_id)
            except (CloudError, CanopyError) as error:
                if getattr(error, "retryable", False):
                    raise
                log.exception("a snapshot of a failed backup stays", token=token, region=region)

        return remove

    async def _patient(self, call: Awaitable[Point]) -> Point:
        """A create whose outcome is unknown is repeated only when reads would show what it made."""
        try:
            return await call
        except CloudError as error:
            if error.outcome_unknown:
                error.retry_after_s = max(error.retry_after_s or 0.0, self.deps.settings.cloud_settle_s)
            raise

    async def _points(self, kind: str) -> Points:
        return points_of(await self._cloud(), kind)

    async def _cloud(self) -> Cloud:
        return await self.deps.cloud(self.saga.context, self.row["provider_id"])

    def _tags(self) -> dict[str, str]:
        return {"canopy:backup": str(self.row["id"]), "canopy:resource": str(self.row["target"])}


def _kind_of(part: Mapping[str, Any]) -> str:
    """Parts of before there were images of machines name no kind."""
    return str(part.get("kind") or VOLUME)


def oldest(times: list[str]) -> datetime:
    """A backup holds what was there when its first snapshot was started."""
    return min(datetime.fromisoformat(time) for time in times)
