"""What does a provider run for us besides machines: buckets, databases, networks, load balancers, CDN, DNS?

They differ in what they are, not in how they live: made with a configuration, found by the token of their making,
listed, changed, tagged and removed. So they share one port, `Assets` ("asset": the field's word for a thing in an
inventory), and each kind is a capability of its own by the attribute that a cloud has it under (`ASSET_CAPABILITIES`).
The contract common to all ports stands in `capabilities.py` and holds here too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from shared.clouds.errors import FieldProblem, Unsupported
from shared.clouds.models import TOKEN_TAG

if TYPE_CHECKING:
    from shared.clouds.capabilities import Cloud

GLOBAL_REGION = "global"
"""The region of what belongs to none: a CDN distribution, a DNS zone, a network that spans all regions."""


class AssetState(StrEnum):
    """`running` is what serves and could stand still (a database, a load balancer), `available` what is just there."""

    CREATING = "creating"
    RUNNING = "running"
    AVAILABLE = "available"
    CHANGING = "changing"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DELETING = "deleting"
    DELETED = "deleted"
    FAILED = "failed"


SETTLED = frozenset({AssetState.RUNNING, AssetState.AVAILABLE})
"""What a create leads to."""


@dataclass(frozen=True, slots=True)
class AssetLink:
    """What a thing stands on. `target` names it as `kind:id`, the id being the provider's as our inventory shows it.

    Kinds are `machine`, `volume`, `snapshot`, `security_group`, `subnet`, and for assets their resource type; a bucket
    is `storage`. What is known by an address only (where a DNS record leads) is `address:<host name or IP>` in lower
    case; the inventory shows the one thing of the account that has it. `hard`: without the target the thing fails. A
    thing of another region is found too when its id is unique in the account (an ARN, a bucket's name), never a
    machine's number.
    """

    relation: str
    target: str
    hard: bool


@dataclass(frozen=True, slots=True)
class Asset:
    """A thing as its provider sees it now.

    `configuration` are its facts in the words of the kind's configuration schema, as far as the provider tells them
    (never a password); `facts` are others worth showing. Both are JSON values in one order, so that two equal reads
    are equal. `address` is where it is reached: a host name or an IP address.
    """

    id: str
    name: str
    state: AssetState
    region: str
    tags: Mapping[str, str]
    configuration: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[AssetLink, ...] = ()
    zone: str | None = None
    address: str | None = None
    created_at: datetime | None = None
    state_reason: str | None = None

    @property
    def token(self) -> str | None:
        """The idempotency token of the create that made it, None when we did not create it."""
        return self.tags.get(TOKEN_TAG)


@dataclass(frozen=True, slots=True)
class AssetSpec:
    """A thing to create. `token` as of `MachineSpec`; `configuration` as `Catalog.configuration` returned it.

    A provider's own name of the thing is made of the token where the configuration does not give one: it makes the
    create repeatable and tells nobody the client's words.
    """

    token: str
    configuration: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


class Assets(Protocol):
    """The things of one kind. A call that changes state answers when it is accepted, not when it is done."""

    @property
    def resource_type(self) -> str: ...

    @property
    def resource_subtype(self) -> str: ...

    @property
    def is_global(self) -> bool:
        """Whether they belong to no region; then every call is given `GLOBAL_REGION`."""
        ...

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """Create or, for a known token, return what was made before.

        A name in the configuration that is taken by something without our token is `Conflict`. What consists of several
        things at the provider (a load balancer with its listener) is completed by a repeat, whatever part of it exists.
        `QuotaExceeded`, `NoCapacity`, `InvalidRequest` with the field of the configuration, `NotFound` for something
        that the configuration names.
        """
        ...

    async def find_by_token(self, region: str, token: str) -> Asset | None: ...

    async def get(self, region: str, asset_id: str) -> Asset:
        """`NotFound`."""
        ...

    def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """All of the region, page by page; only an iteration that ends without an error has seen everything."""
        ...

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """Make the fields that its schema calls changeable (`x-change`) what `configuration` says. Idempotent.

        `NotFound`, `InvalidRequest` with the field, `StillWorking` while another change is at work.
        """
        ...

    async def delete(self, region: str, asset_id: str) -> None:
        """Idempotent. `Conflict` while something stands on it (a bucket with objects, a network with machines).

        With it goes what its create made beside it.
        """
        ...

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags, keep the others. Idempotent. `NotFound`, `InvalidRequest` (too many, too long).

        `Unsupported` where things of this kind can hold none: then only our own inventory keeps them.
        """
        ...


@runtime_checkable
class StopsAssets(Protocol):
    """Things that can stand still; a kind whose `Assets` is one can be stopped and started."""

    async def start(self, region: str, asset_id: str) -> None:
        """Idempotent. `NotFound`, `IncorrectState`, `StillWorking`."""
        ...

    async def stop(self, region: str, asset_id: str) -> None:
        """Idempotent. `NotFound`, `IncorrectState` (this one cannot be stopped), `StillWorking`."""
        ...


@runtime_checkable
class WithBuckets(Protocol):
    @property
    def buckets(self) -> Assets: ...


@runtime_checkable
class WithBlockVolumes(Protocol):
    """Volumes that can be made by themselves. Their kind is `storage`, `volume`, as of those that are only listed
    (`ListsVolumes`), so that a volume is one thing of the inventory, with the facts that `Volume` has.
    """

    @property
    def block_volumes(self) -> Assets: ...


@runtime_checkable
class WithDatabases(Protocol):
    @property
    def databases(self) -> Assets: ...


@runtime_checkable
class WithPrivateNetworks(Protocol):
    @property
    def private_networks(self) -> Assets: ...


@runtime_checkable
class WithLoadBalancers(Protocol):
    @property
    def load_balancers(self) -> Assets: ...


@runtime_checkable
class WithApplicationBalancers(Protocol):
    """Load balancers that understand HTTP, where a provider has them as a kind beside those that pass packets on."""

    @property
    def application_balancers(self) -> Assets: ...


@runtime_checkable
class WithDistributions(Protocol):
    """Content delivery."""

    @property
    def distributions(self) -> Assets: ...


@runtime_checkable
class WithDnsZones(Protocol):
    @property
    def dns_zones(self) -> Assets: ...


ASSET_CAPABILITIES: Mapping[type, str] = {
    WithBuckets: "buckets",
    WithBlockVolumes: "block_volumes",
    WithDatabases: "databases",
    WithPrivateNetworks: "private_networks",
    WithLoadBalancers: "load_balancers",
    WithApplicationBalancers: "application_balancers",
    WithDistributions: "distributions",
    WithDnsZones: "dns_zones",
}
"""The capability types of assets, and the attribute of a cloud that each asks for."""


def assets_of(cloud: Cloud) -> Iterator[Assets]:
    """Every kind that the cloud has."""
    for capability, attribute in ASSET_CAPABILITIES.items():
        if isinstance(cloud, capability):
            yield getattr(cloud, attribute)


def asset_kind_of(cloud: Cloud, resource_type: str, resource_subtype: str) -> Assets:
    """The port of one kind; `Unsupported` when the cloud does not have it."""
    for assets in assets_of(cloud):
        if (assets.resource_type, assets.resource_subtype) == (resource_type, resource_subtype):
            return assets
    raise Unsupported(
        "unsupported_resource_type",
        f"Unsupported resource type: {resource_type}/{resource_subtype}",
        provider=cloud.provider_name,
        operation="open",
        problems=(FieldProblem("resource_type", "is not one of this provider's"),),
    )
