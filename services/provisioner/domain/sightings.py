"""What was seen at a cloud, in our words? A machine, a volume, a snapshot or an asset as a thing to be compared.

`facts` are what is compared between two reads beside what the row itself shows: JSON values in one order, so that equal
things have equal facts whichever way the provider lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.provisioner.domain.resources import (
    AVAILABLE,
    ERROR,
    PROVISIONING,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    TERMINATED,
)
from shared.clouds.assets import Asset, AssetState
from shared.clouds.errors import CloudError
from shared.clouds.models import (
    TOKEN_TAG,
    ImageState,
    Machine,
    MachineState,
    Snapshot,
    SnapshotState,
    Volume,
    VolumeState,
)
from shared.clouds.restoring import MachineImage

CAPACITY = "capacity_type"
"""The fact of a machine by which it is paid for: on demand or spot, where a cloud sells both."""

_MACHINE: Mapping[MachineState, str] = {
    MachineState.PENDING: STARTING,
    MachineState.RUNNING: RUNNING,
    MachineState.STOPPING: STOPPING,
    MachineState.STOPPED: STOPPED,
    MachineState.SHUTTING_DOWN: STOPPING,
    MachineState.TERMINATED: TERMINATED,
}
_VOLUME: Mapping[VolumeState, str] = {
    VolumeState.CREATING: PROVISIONING,
    VolumeState.AVAILABLE: AVAILABLE,
    VolumeState.IN_USE: AVAILABLE,
    VolumeState.DELETING: STOPPING,
    VolumeState.DELETED: TERMINATED,
    VolumeState.ERROR: ERROR,
}
_SNAPSHOT: Mapping[SnapshotState, str] = {
    SnapshotState.PENDING: PROVISIONING,
    SnapshotState.COMPLETED: AVAILABLE,
    SnapshotState.ERROR: ERROR,
}
_IMAGE: Mapping[ImageState, str] = {
    ImageState.PENDING: PROVISIONING,
    ImageState.AVAILABLE: AVAILABLE,
    ImageState.FAILED: ERROR,
}
_ASSET: Mapping[AssetState, str] = {
    AssetState.CREATING: PROVISIONING,
    AssetState.RUNNING: RUNNING,
    AssetState.AVAILABLE: AVAILABLE,
    AssetState.CHANGING: STARTING,
    AssetState.STARTING: STARTING,
    AssetState.STOPPING: STOPPING,
    AssetState.STOPPED: STOPPED,
    AssetState.DELETING: STOPPING,
    AssetState.DELETED: TERMINATED,
    AssetState.FAILED: ERROR,
}
_LEAVING = frozenset(
    {MachineState.SHUTTING_DOWN, MachineState.TERMINATED, VolumeState.DELETING, VolumeState.DELETED,
     AssetState.DELETING, AssetState.DELETED}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edge:
    """What a thing stands on: kind and provider's id of the other, in the same region. `hard`: without it, it fails."""

    relation: str
    target: str
    hard: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One thing as a read of its scope saw it. `tags` are the provider's, ours among them, without the token.

    `is_leaving`: it is being removed, or was. `instance_type` None: such things have none. `failure`: as of a
    `Machine`.
    """

    resource_id: str
    token: str | None
    status: str
    is_leaving: bool
    tags: Mapping[str, str]
    zone: str | None = None
    private_ip: str | None = None
    public_ip: str | None = None
    address: str | None = None
    instance_type: str | None = None
    state_reason: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()
    failure: CloudError | None = field(default=None, compare=False)

    @property
    def observed(self) -> dict[str, Any]:
        """What is kept of this read, for the comparison with the next."""
        return {**self.facts, "tags": dict(self.tags)}


def of_machine(machine: Machine) -> Found:
    volumes = sorted({each.volume_id: each.device_name for each in machine.volumes}.items())
    groups = sorted(machine.security_groups)
    edges = [Edge("disk", f"volume:{volume_id}", hard=True) for volume_id, _ in volumes]
    edges += [Edge("subnet", f"subnet:{machine.subnet_id}", hard=True)] if machine.subnet_id else []
    edges += [Edge("network", f"network:{machine.network_id}", hard=True)] if machine.network_id else []
    edges += [Edge("firewall", f"security_group:{group}", hard=False) for group in groups]
    return Found(
        resource_id=machine.id,
        token=machine.token,
        status=_MACHINE[machine.state],
        is_leaving=machine.state in _LEAVING,
        tags=_tags(machine.tags),
        zone=machine.zone,
        private_ip=machine.private_ip,
        public_ip=machine.public_ip,
        instance_type=machine.instance_type,
        state_reason=machine.state_reason,
        facts={
            "image": machine.image,
            "subnet_id": machine.subnet_id,
            "network_id": machine.network_id,
            "security_groups": groups,
            "volumes": [{"volume_id": volume_id, "device_name": device} for volume_id, device in volumes],
            "architecture": machine.architecture,
            "detailed_monitoring": machine.detailed_monitoring,
            **({} if machine.capacity_type is None else {CAPACITY: machine.capacity_type.value}),
        },
        edges=tuple(edges),
        failure=machine.failure,
    )


def of_volume(volume: Volume) -> Found:
    edges = (Edge("made_from", f"snapshot:{volume.snapshot_id}", hard=False),) if volume.snapshot_id else ()
    return Found(
        resource_id=volume.id,
        token=volume.tags.get(TOKEN_TAG),
        status=_VOLUME[volume.state],
        is_leaving=volume.state in _LEAVING,
        tags=_tags(volume.tags),
        zone=volume.zone,
        facts={
            "size_gib": volume.size_gib,
            "kind": volume.kind,
            "snapshot_id": volume.snapshot_id,
            "machine_id": volume.machine_id,
            "device_name": volume.device_name,
            "encrypted": volume.encrypted,
        },
        edges=edges,
    )


def of_snapshot(snapshot: Snapshot) -> Found:
    edges = (Edge("copy_of", f"volume:{snapshot.volume_id}", hard=False),) if snapshot.volume_id else ()
    return Found(
        resource_id=snapshot.id,
        token=snapshot.tags.get(TOKEN_TAG),
        status=_SNAPSHOT[snapshot.state],
        is_leaving=False,
        tags=_tags(snapshot.tags),
        state_reason=snapshot.state_reason,
        facts={
            "size_gib": snapshot.size_gib,
            "volume_id": snapshot.volume_id,
            "encrypted": snapshot.encrypted,
            "started_at": _text(snapshot.started_at),
        },
        edges=edges,
    )


def of_machine_image(image: MachineImage) -> Found:
    edges = (Edge("copy_of", f"machine:{image.machine_id}", hard=False),) if image.machine_id else ()
    return Found(
        resource_id=image.id,
        token=image.token,
        status=_IMAGE.get(image.state, ERROR),
        is_leaving=False,
        tags=_tags(image.tags),
        state_reason=image.state_reason,
        facts={
            "size_gib": image.size_gib,
            "machine_id": image.machine_id,
            "encrypted": image.encrypted,
            "captured_at": _text(image.captured_at),
        },
        edges=edges,
    )


def of_asset(asset: Asset) -> Found:
    return Found(
        resource_id=asset.id,
        token=asset.token,
        status=_ASSET[asset.state],
        is_leaving=asset.state in _LEAVING,
        tags=_tags(asset.tags),
        zone=asset.zone,
        address=asset.address,
        state_reason=asset.state_reason,
        facts={**asset.configuration, **asset.facts},
        edges=tuple(Edge(each.relation, each.target, each.hard) for each in asset.links),
    )


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {_clean(key): _clean(tags[key]) for key in sorted(tags) if key != TOKEN_TAG}


def _clean(text: str) -> str:
    """What somebody wrote at the provider, without what no database takes: one odd tag must not hide a whole scope."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _text(moment: datetime) -> str:
    return moment.isoformat()
