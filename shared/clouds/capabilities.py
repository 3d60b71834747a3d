"""What a cloud may be able to do: one port per capability, whose docstrings are the contract every cloud keeps.

A cloud *has* the capabilities whose `With…` type it satisfies; what it cannot do it does not implement, and the
published list (`capabilities_of`) is derived from the types. Ports that only restoring needs are in `restoring.py`.
Common to all ports:

- Every call may raise `RateLimited`, `Unreachable`, `ProviderFault`, `AuthFailed` and `PermissionDenied`; a docstring
  names only what it adds. Cancelling a call stops the waiting; the cloud may still do it.
- Every create takes a token and is idempotent on it: the same token gives the same thing, also after an error with
  `outcome_unknown`. Where the provider honours tokens it gets ours; everywhere the thing carries it as tag
  `canopy:token` by which `find_by_token` finds it. The token belongs to one create of one account and region, for ever.
- A thing just created may be invisible to reads for seconds (AWS: "eventual consistency"). `find_by_token` that finds
  nothing right after a lost answer therefore proves nothing; repeating the create with the same token is the safe way.
- Deleting is idempotent: what does not exist (any more) is success.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from shared.clouds.assets import WithBuckets, WithDatabases, WithDistributions
from shared.clouds.errors import Unsupported
from shared.clouds.models import (
    Account,
    Credentials,
    Image,
    ImageSpec,
    Machine,
    MachineSpec,
    MetricAnswer,
    MetricQuery,
    Region,
    ResourceOffer,
    SecurityGroup,
    Snapshot,
    SnapshotSpec,
    Volume,
)


class Cloud(Protocol):
    """One account at one provider."""

    @property
    def provider_name(self) -> str: ...

    async def authenticate(self) -> Account:
        """Ask the provider who we are. `AuthFailed` when it does not accept the credentials; needs no permission."""
        ...

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        """The regions open to this account, in code order; only `codes` when given (unknown codes are left out).

        A region that does not answer is in the list with `availability_zones` None.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads. Calls under way may finish, later ones raise `Unreachable`. Idempotent."""
        ...


class Catalog(Protocol):
    """What a provider takes, known without asking it: no network, no SDK."""

    @property
    def provider_name(self) -> str: ...

    @property
    def credentials_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the credential configuration."""
        ...

    def credentials(self, configuration: Mapping[str, Any]) -> Credentials:
        """The credentials in `configuration`; `InvalidRequest` naming each wrong field, never showing a value."""
        ...

    def issued(self, configuration: Mapping[str, Any], organization: UUID) -> dict[str, Any]:
        """What a tenant gave, with our own mark of whose it is where the cloud trusts us and not a secret of theirs.

        `InvalidRequest` when the mark is in it already: who could choose it could act as somebody else's deputy.
        """
        ...

    def offers(self) -> tuple[ResourceOffer, ...]:
        """The resource types and subtypes that can be provisioned."""
        ...

    def configuration(
        self, resource_type: str, resource_subtype: str, configuration: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`configuration` checked and with defaults filled in, as JSON values.

        `Unsupported` ("Unsupported resource type: X") for a type or subtype without an offer, `InvalidRequest` naming
        each wrong field.
        """
        ...


class Machines(Protocol):
    """Virtual machines. A call that changes state answers when it is accepted, not when it is done: read again."""

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """Create or, for a known token, return the machine made before, even a terminated one (a token is used once).

        For a known token the provider may repeat its first answer word by word: read the machine again for its state.

        `NoCapacity`, `QuotaExceeded`, `InvalidRequest` (unknown type, image, subnet…: nothing was made), `Conflict`
        when the token was used with another spec.
        """
        ...

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        """The machine that carries the token, in any state; terminated ones as long as the provider lists them."""
        ...

    async def get(self, region: str, machine_id: str) -> Machine:
        """`NotFound` when there is none (AWS forgets terminated ones after about an hour)."""
        ...

    def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        """All machines of the region, terminated ones included, page by page.

        Only an iteration that ends without an error has seen everything; after an error nothing may be concluded about
        machines that did not appear.
        """
        ...

    async def start(self, region: str, machine_id: str) -> None:
        """Idempotent. `NotFound`; `IncorrectState` for one that is terminated; `StillWorking` while it is stopping."""
        ...

    async def stop(self, region: str, machine_id: str) -> None:
        """Idempotent. `NotFound`; `IncorrectState` for one that is terminated; `StillWorking` while it is pending.

        `InvalidRequest` for a spot machine where the catalog's `Spot.can_stop` is False.
        """
        ...

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        """Give a stopped machine another type. Idempotent: one that has the type already is success.

        `NotFound`; `IncorrectState` while it is not stopped, where the provider needs that (all do but some of Azure's
        sizes); `InvalidRequest` with field `instance_type` for an unknown type, or one that does not fit the machine;
        `NoCapacity`, `QuotaExceeded`.
        """
        ...

    async def terminate(self, region: str, machine_id: str) -> None:
        """Idempotent; a machine that does not exist is success. Volumes made with the machine go with it."""
        ...

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags, keep the others. Idempotent. `NotFound`, `InvalidRequest` (too many, too long)."""
        ...


class Volumes(Protocol):
    """Disks that exist apart from machines. A disk of a machine's own, where it boots from one, is not among them."""

    async def find_by_token(self, region: str, token: str) -> Volume | None: ...

    async def get(self, region: str, volume_id: str) -> Volume:
        """`NotFound`."""
        ...

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        """The volumes attached to a machine, root first when known; empty when it has none or does not exist."""
        ...

    async def attach(self, region: str, volume_id: str, machine_id: str, device_name: str) -> None:
        """Idempotent for the same machine and device. `NotFound`, `IncorrectState`, `Conflict` (attached elsewhere).

        Where the provider chooses the device itself, `device_name` is not looked at, and the volume tells which it is.
        """
        ...

    async def detach(self, region: str, volume_id: str) -> None:
        """Idempotent; a volume that is free or does not exist is success."""
        ...

    async def delete(self, region: str, volume_id: str) -> None:
        """Idempotent. `Conflict` while it is attached."""
        ...


class Snapshots(Protocol):
    """Point-in-time copies of volumes. Creating and copying take minutes to hours: read until completed."""

    async def create(self, region: str, spec: SnapshotSpec) -> Snapshot:
        """`NotFound` (volume), `IncorrectState`, `QuotaExceeded`."""
        ...

    async def copy(
        self, source_region: str, snapshot_id: str, target_region: str, *, token: str, tags: Mapping[str, str]
    ) -> Snapshot:
        """Copy into another region and answer the copy.

        `NotFound`, `IncorrectState` (source not completed), `QuotaExceeded` (copies at once).
        """
        ...

    async def find_by_token(self, region: str, token: str) -> Snapshot | None: ...

    async def get(self, region: str, snapshot_id: str) -> Snapshot:
        """`NotFound`."""
        ...

    async def delete(self, region: str, snapshot_id: str) -> None:
        """Idempotent. `Conflict` while an image uses it."""
        ...


@runtime_checkable
class ListsVolumes(Protocol):
    """Volumes that can be listed as a whole; a cloud whose `volumes` is one has them in the inventory."""

    def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Volume]]:
        """All volumes of the region, page by page; only an iteration that ends without an error has seen everything."""
        ...


@runtime_checkable
class ListsSnapshots(Protocol):
    """Snapshots that can be listed as a whole; a cloud whose `snapshots` is one has them in the inventory."""

    def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Snapshot]]:
        """All snapshots that the account owns in the region, as `ListsVolumes.pages`."""
        ...


class Images(Protocol):
    """What machines boot from."""

    async def newest_default(self, region: str, *, architecture: str = "x86_64") -> Image:
        """The provider's newest default Linux image; `NotFound` when the region has none for the architecture."""
        ...

    async def register(self, region: str, spec: ImageSpec) -> Image:
        """Make an image whose root volume is a snapshot of the same region.

        `NotFound` (snapshot), `IncorrectState` (not completed), `InvalidRequest`.
        """
        ...

    async def find_by_token(self, region: str, token: str) -> Image | None: ...

    async def get(self, region: str, image_id: str) -> Image:
        """`NotFound`."""
        ...

    async def deregister(self, region: str, image_id: str) -> None:
        """Idempotent. Machines that run from it go on; its snapshots stay."""
        ...


class Networks(Protocol):
    """Rules about who reaches a machine."""

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """A group that lets nothing in and nothing out, the wall of a recovery drill; a machine is created in it.

        Machines of one group may reach each other. Returned only when the provider confirms that no rule opens it.
        `QuotaExceeded`; `NotFound` when the region has no default network and needs one.
        """
        ...

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None: ...

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        """The ids of all groups whose rules concern a machine, in their order; `NotFound`."""
        ...

    async def delete_group(self, region: str, group_id: str) -> None:
        """Idempotent. `Conflict` while a machine, also a terminating one, is still in it: try again later."""
        ...


class Metrics(Protocol):
    """Measured values of resources, as the provider publishes them."""

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        """The points whose period begins in [start, end), in our units; a series without points is empty, not zero.

        Asked in as few provider calls as it allows. `InvalidRequest` for a period the provider does not keep. An error
        means that nothing is returned, also not what earlier calls of the same query brought.
        """
        ...


@runtime_checkable
class WithMachines(Protocol):
    @property
    def machines(self) -> Machines: ...


@runtime_checkable
class WithVolumes(Protocol):
    @property
    def volumes(self) -> Volumes: ...


@runtime_checkable
class WithSnapshots(Protocol):
    @property
    def snapshots(self) -> Snapshots: ...


@runtime_checkable
class WithImages(Protocol):
    @property
    def images(self) -> Images: ...


@runtime_checkable
class WithNetworks(Protocol):
    @property
    def networks(self) -> Networks: ...


@runtime_checkable
class WithMetrics(Protocol):
    @property
    def metrics(self) -> Metrics: ...


CAPABILITY_TYPES: Mapping[str, tuple[type, ...]] = {
    "compute": (WithMachines,),
    "storage": (WithBuckets,),
    "database": (WithDatabases,),
    "networking": (WithNetworks,),
    "monitoring": (WithMetrics,),
    "cdn": (WithDistributions,),
    "serverless": (),
    "kubernetes": (),
}
"""The types behind each published word: a cloud has it when it has all of them; a word without types nobody has."""


def capabilities_of(cloud: Cloud) -> dict[str, bool]:
    """The published capability list, derived from what `cloud` implements."""
    return {
        word: bool(types) and all(isinstance(cloud, each) for each in types) for word, types in CAPABILITY_TYPES.items()
    }


def machines_of(cloud: Cloud) -> Machines:
    """`Unsupported` when the cloud has no machines; so with the functions below for the other capabilities."""
    if isinstance(cloud, WithMachines):
        return cloud.machines
    raise without(cloud, "machines")


def volumes_of(cloud: Cloud) -> Volumes:
    if isinstance(cloud, WithVolumes):
        return cloud.volumes
    raise without(cloud, "volumes")


def snapshots_of(cloud: Cloud) -> Snapshots:
    if isinstance(cloud, WithSnapshots):
        return cloud.snapshots
    raise without(cloud, "snapshots")


def images_of(cloud: Cloud) -> Images:
    if isinstance(cloud, WithImages):
        return cloud.images
    raise without(cloud, "images")


def networks_of(cloud: Cloud) -> Networks:
    if isinstance(cloud, WithNetworks):
        return cloud.networks
    raise without(cloud, "networks")


def metrics_of(cloud: Cloud) -> Metrics:
    if isinstance(cloud, WithMetrics):
        return cloud.metrics
    raise without(cloud, "metrics")


def without(cloud: Cloud, capability: str) -> Unsupported:
    """The error that says that a cloud lacks something."""
    return Unsupported(
        "unsupported_capability",
        f"{cloud.provider_name} has no {capability}",
        provider=cloud.provider_name,
        operation=capability,
    )
