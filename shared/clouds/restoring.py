"""How does a cloud let a machine be restored elsewhere: by volumes from snapshots, or by an image of the whole machine?

Where machines boot from volumes (AWS, Azure, Google Cloud) their snapshots are copied, one becomes an image and the
others volumes. Where a machine boots from a disk of its own that is no volume (DigitalOcean, Linode, Vultr) the whole
machine is captured. A cloud has one way or the other; the ports keep what `capabilities.py` says of all ports.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from shared.clouds.capabilities import Cloud, volumes_of, without
from shared.clouds.models import TOKEN_TAG, ImageState, Volume, VolumeSpec


@dataclass(frozen=True, slots=True)
class EmptyVolumeSpec:
    """A new volume with nothing on it. `zone` as the cloud's machines tell theirs."""

    token: str
    zone: str
    size_gib: int
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineImage:
    """A machine as it was at `captured_at`, with all its own disks: machines are created from it by its id.

    `region` is where it was looked for and `state` its state there: one that is on its way to a region is pending. The
    same id may be available in several regions. `size_gib` is the disk that it needs, 0 while that is unknown.
    """

    id: str
    state: ImageState
    region: str
    machine_id: str | None
    size_gib: int
    captured_at: datetime
    tags: Mapping[str, str]
    encrypted: bool | None = None
    state_reason: str | None = None

    @property
    def token(self) -> str | None:
        """The idempotency token of the capture that made it, None when we did not make it."""
        return self.tags.get(TOKEN_TAG)


@dataclass(frozen=True, slots=True)
class MachineImageSpec:
    token: str
    machine_id: str
    tags: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class RestoresVolumes(Protocol):
    """Volumes that are made from snapshots."""

    async def create_from_snapshot(self, region: str, spec: VolumeSpec) -> Volume:
        """`NotFound` (snapshot), `IncorrectState` (snapshot not completed), `QuotaExceeded`, `InvalidRequest`."""
        ...


@runtime_checkable
class CreatesVolumes(Protocol):
    """Volumes that are made with nothing on them."""

    async def create_empty(self, region: str, spec: EmptyVolumeSpec) -> Volume:
        """`QuotaExceeded`, `InvalidRequest` (a size or zone that there is not), `Conflict` (the token made another)."""
        ...


class MachineImages(Protocol):
    """Whole machines kept as images, where machines boot from a disk of their own that is no volume.

    Taking one and bringing it into another region take minutes to hours: read until available. What a machine has
    besides its own disk is not in it: `Volumes.of_machine` names that.
    """

    async def capture(self, region: str, spec: MachineImageSpec) -> MachineImage:
        """Keep a machine as it is; it may run on.

        `NotFound` (machine), `StillWorking` while the machine changes, or where an image has no id before it is whole:
        ask again with the same token. `QuotaExceeded`, `Unsupported` for a machine whose own disks no image can hold.
        """
        ...

    async def copy(self, source_region: str, image_id: str, target_region: str) -> MachineImage:
        """Make it available in another region too, under the same id; idempotent, also when it is there already.

        `NotFound`, `IncorrectState` (not available in the source region), `StillWorking` (it is being brought to yet
        another region), `QuotaExceeded`, `InvalidRequest` (a region that keeps no images).
        """
        ...

    async def find_by_token(self, region: str, token: str) -> MachineImage | None:
        """`StillWorking` while an image that has no id yet may be the token's."""
        ...

    async def get(self, region: str, image_id: str) -> MachineImage:
        """`NotFound` when there is none, or it is neither in this region nor on its way there."""
        ...

    async def delete(self, image_id: str) -> None:
        """From all regions. Idempotent. Machines that were made of it stay whole."""
        ...


@runtime_checkable
class ListsMachineImages(Protocol):
    """Images of machines that can be listed as a whole, which puts them into the inventory."""

    def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[MachineImage]]:
        """All of the account, as `ListsVolumes.pages`: they belong to no region, and `region` is `GLOBAL_REGION`.

        An image's state is then that of the image, in whichever regions it is.
        """
        ...


@runtime_checkable
class WithMachineImages(Protocol):
    @property
    def machine_images(self) -> MachineImages: ...


def restored_volumes_of(cloud: Cloud) -> RestoresVolumes:
    volumes = volumes_of(cloud)
    if isinstance(volumes, RestoresVolumes):
        return volumes
    raise without(cloud, "volumes from snapshots")


def machine_images_of(cloud: Cloud) -> MachineImages:
    if isinstance(cloud, WithMachineImages):
        return cloud.machine_images
    raise without(cloud, "images of machines")
