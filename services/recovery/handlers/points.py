"""What is a backup of at this cloud, and how is one part of it taken, copied, looked at and deleted?

Two ways, told by what the cloud can do: a snapshot of each volume, or an image of the whole machine where that boots
from a disk of its own. The kind is kept with each part, so that a backup is deleted as it was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.clouds.capabilities import Cloud, WithVolumes, machines_of, snapshots_of, volumes_of
from shared.clouds.models import ImageState, Machine, Snapshot, SnapshotSpec, SnapshotState
from shared.clouds.restoring import MachineImage, MachineImageSpec, WithMachineImages, machine_images_of
from shared.kit.errors import Conflict

VOLUME, MACHINE = "volume", "machine"
"""Kinds of a part: a snapshot of a volume, an image of a machine."""

_STATES: Mapping[ImageState, SnapshotState] = {
    ImageState.PENDING: SnapshotState.PENDING,
    ImageState.AVAILABLE: SnapshotState.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class Point:
    """A part of a backup as its cloud sees it in a region; `started_at` is the point in time that it holds."""

    id: str
    state: SnapshotState
    size_gib: int
    started_at: datetime
    encrypted: bool | None
    state_reason: str | None


class Points(Protocol):
    """Parts of one kind at one cloud; raises what the cloud's ports raise."""

    async def take(self, region: str, source_id: str, token: str, tags: Mapping[str, str], description: str) -> Point:
        """Begin to keep a volume or machine."""
        ...

    async def copy(
        self, source_region: str, point_id: str, target_region: str, token: str, tags: Mapping[str, str]
    ) -> Point:
        """Begin to bring a completed one into another region."""
        ...

    async def get(self, region: str, point_id: str) -> Point: ...

    async def find(self, region: str, token: str) -> str | None:
        """The id of what was made with a token."""
        ...

    async def delete(self, region: str, point_id: str) -> None: ...


def points_of(cloud: Cloud, kind: str) -> Points:
    return MachinePoints(cloud) if kind == MACHINE else VolumePoints(cloud)


class VolumePoints(Points):
    def __init__(self, cloud: Cloud) -> None:
        self._snapshots = snapshots_of(cloud)

    async def take(self, region: str, source_id: str, token: str, tags: Mapping[str, str], description: str) -> Point:
        return _of_snapshot(await self._snapshots.create(region, SnapshotSpec(token, source_id, tags, description)))

    async def copy(
        self, source_region: str, point_id: str, target_region: str, token: str, tags: Mapping[str, str]
    ) -> Point:
        copied = await self._snapshots.copy(source_region, point_id, target_region, token=token, tags=tags)
        return _of_snapshot(copied)

    async def get(self, region: str, point_id: str) -> Point:
        return _of_snapshot(await self._snapshots.get(region, point_id))

    async def find(self, region: str, token: str) -> str | None:
        found = await self._snapshots.find_by_token(region, token)
        return None if found is None else found.id

    async def delete(self, region: str, point_id: str) -> None:
        await self._snapshots.delete(region, point_id)


class MachinePoints(Points):
    """An image has one id in all its regions: a copy is the image, needs no token, and goes when the image goes."""

    def __init__(self, cloud: Cloud) -> None:
        self._images = machine_images_of(cloud)

    async def take(self, region: str, source_id: str, token: str, tags: Mapping[str, str], _description: str) -> Point:
        return _of_image(await self._images.capture(region, MachineImageSpec(token, source_id, tags)))

    async def copy(
        self, source_region: str, point_id: str, target_region: str, _token: str, _tags: Mapping[str, str]
    ) -> Point:
        return _of_image(await self._images.copy(source_region, point_id, target_region))

    async def get(self, region: str, point_id: str) -> Point:
        return _of_image(await self._images.get(region, point_id))

    async def find(self, region: str, token: str) -> str | None:
        found = await self._images.find_by_token(region, token)
        return None if found is None else found.id

    async def delete(self, _region: str, point_id: str) -> None:
        await self._images.delete(point_id)


async def parts_of(cloud: Cloud, region: str, machine_id: str) -> dict[str, Any]:
    """The machine and what its backup is to be made of, as JSON, the root first.

    Raises Conflict when there is nothing to back up, or when a backup would lack a disk without anybody noticing.
    """
    machine = await machines_of(cloud).get(region, machine_id)
    parts = await (_whole(cloud, machine) if isinstance(cloud, WithMachineImages) else _volumes(cloud, machine))
    described = {
        "machine_id": machine.id,
        "instance_type": machine.instance_type,
        "architecture": machine.architecture,
        "root_device_name": machine.root_device_name,
    }
    return {"machine": described, "volumes": parts}


async def _whole(cloud: Cloud, machine: Machine) -> list[dict[str, Any]]:
    attached = await volumes_of(cloud).of_machine(machine.region, machine.id) if isinstance(cloud, WithVolumes) else []
    if attached:
        names = ", ".join(each.id for each in attached)
        detail = f"{machine.id} has volumes ({names}), which {cloud.provider_name} copies into no other region"
        raise Conflict(detail, code="volumes_not_recoverable")
    return [
        {"kind": MACHINE, "source_id": machine.id, "volume_id": None, "device_name": machine.root_device_name,
         "is_root": True, "size_gib": 0, "encrypted": None}
    ]  # fmt: skip


async def _volumes(cloud: Cloud, machine: Machine) -> list[dict[str, Any]]:
    """A volume is the root because the machine says so, never because it is the first: it may be a data disk."""
    volumes = await volumes_of(cloud).of_machine(machine.region, machine.id)
    if not volumes:
        raise Conflict(f"{machine.id} is {machine.state} and has no volumes", code="nothing_to_back_up")
    root = machine.root_volume_id
    if root not in {each.id for each in volumes}:
        raise Conflict(f"{machine.id} does not say which of its volumes it boots from", code="root_unknown")
    ordered = sorted(volumes, key=lambda each: each.id != root)
    return [
        {"kind": VOLUME, "source_id": each.id, "volume_id": each.id, "device_name": each.device_name,
         "is_root": each.id == root, "size_gib": each.size_gib, "encrypted": each.encrypted}
        for each in ordered
    ]  # fmt: skip


def _of_snapshot(snapshot: Snapshot) -> Point:
    return Point(
        snapshot.id, snapshot.state, snapshot.size_gib, snapshot.started_at, snapshot.encrypted, snapshot.state_reason
    )


def _of_image(image: MachineImage) -> Point:
    state = _STATES.get(image.state, SnapshotState.ERROR)
    return Point(image.id, state, image.size_gib, image.captured_at, image.encrypted, image.state_reason)
