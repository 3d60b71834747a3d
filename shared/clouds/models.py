"""What a cloud's things look like, whichever cloud they are in.

Sizes are GiB, times are timezone-aware UTC, regions and ids are the provider's own. `None` means that the provider does
not say; it never means zero or "no".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from shared.clouds.errors import CloudError

TOKEN_TAG = "canopy:token"  # noqa: S105 - a tag's name
"""The tag under which everything that we create carries its idempotency token."""

CHANGE = "x-change"
"""In a configuration's schema, at a field: how it changes on a thing that exists. Without it: by a new thing only."""
NEEDS_STOP = "needs_stop"
"""A value of CHANGE: the thing is stopped for it and runs again afterwards."""
IN_PLACE = "in_place"
"""A value of CHANGE: the thing serves on while it changes."""

_FINGERPRINT_KEY = secrets.token_bytes(32)


class Credentials(Mapping[str, str]):
    """A provider's credentials by field name. They never print themselves, so no log shows them by accident."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(f'{name}=***' for name in sorted(self._values))})"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("credentials are not pickled: plaintext exists only in memory at the moment of a call")

    def fingerprint(self) -> str:
        """Same credentials, same value within this process; useless outside (the key is random)."""
        canonical = "\x00".join(f"{name}\x01{self._values[name]}" for name in sorted(self._values))
        return hmac.new(_FINGERPRINT_KEY, canonical.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the credentials belong to: the account, and `principal` as the provider names the caller."""

    account_id: str
    principal: str | None = None


@dataclass(frozen=True, slots=True)
class GeographicLocation:
    continent: str
    country: str
    city: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """`availability_zones` is None when the region could not be asked; `geographic_location` when we do not know it."""

    region_code: str
    region_name: str
    availability_zones: tuple[str, ...] | None
    geographic_location: GeographicLocation | None


class MachineState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUTTING_DOWN = "shutting_down"
    TERMINATED = "terminated"


class CapacityType(StrEnum):
    """How a machine's capacity is bought. A spot machine is cheaper, and its provider may take it back at any time."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"


@dataclass(frozen=True, slots=True)
class AttachedVolume:
    volume_id: str
    device_name: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine as its provider sees it now. `zone` is the provider's own name of the zone.

    `network_id` is the id of the private network (VPC) that it is in, as the inventory shows that network. `failure`:
    what its creation ended with, when it was accepted and never came to run and the provider gives the reason's code.
    """

    id: str
    state: MachineState
    instance_type: str
    image: str
    region: str
    zone: str | None
    tags: Mapping[str, str]
    private_ip: str | None = None
    public_ip: str | None = None
    subnet_id: str | None = None
    network_id: str | None = None
    security_groups: tuple[str, ...] = ()
    launched_at: datetime | None = None
    state_reason: str | None = None
    architecture: str | None = None
    root_device_name: str | None = None
    volumes: tuple[AttachedVolume, ...] = ()
    detailed_monitoring: bool | None = None
    capacity_type: CapacityType | None = None
    failure: CloudError | None = field(default=None, compare=False)

    @property
    def token(self) -> str | None:
        """The idempotency token of the create that made it, None when we did not create it."""
        return self.tags.get(TOKEN_TAG)

    @property
    def root_volume_id(self) -> str | None:
        return next((each.volume_id for each in self.volumes if each.device_name == self.root_device_name), None)


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine to create. `token` (1 to 64 letters, digits and . _ : / -) makes the create repeatable.

    `image` None means the provider's newest default Linux image; `zone`, `subnet_id` None mean the provider's choice.
    """

    token: str
    instance_type: str
    tags: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    zone: str | None = None
    subnet_id: str | None = None
    security_groups: tuple[str, ...] = ()
    detailed_monitoring: bool = False
    root_volume_gib: int | None = None
    capacity_type: CapacityType = CapacityType.ON_DEMAND

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any], *, token: str, tags: Mapping[str, str]) -> Self:
        """The spec that a configuration accepted by `Catalog.configuration` for a compute resource describes."""
        groups: Sequence[str] = configuration.get("security_groups") or ()
        return cls(
            token=token,
            instance_type=configuration["instance_type"],
            tags=tags,
            image=configuration.get("image"),
            zone=configuration.get("availability_zone"),
            subnet_id=configuration.get("subnet_id"),
            security_groups=tuple(groups),
            detailed_monitoring=configuration.get("monitoring") == "detailed",
            root_volume_gib=configuration.get("volume_size_gib"),
            capacity_type=CapacityType(configuration.get("capacity_type") or CapacityType.ON_DEMAND),
        )


def price_item(instance_type: str, capacity_type: str | None) -> str:
    """By which item of its provider's price list a machine is paid for (prices.md); None counts as on demand."""
    return f"{CapacityType.SPOT}:{instance_type}" if capacity_type == CapacityType.SPOT else instance_type


@dataclass(frozen=True, slots=True)
class MachineType:
    """A size that machines come in, as the provider publishes it. Within a `family` only the amounts differ.

    `architecture` is `x86_64` or `arm64`; memory is in GiB. `disk_gib` is the local disk that comes with it, None where
    its disk is a volume of a size of its own.
    """

    name: str
    family: str
    vcpu: int
    memory_gib: float
    architecture: str
    bare_metal: bool = False
    disk_gib: int | None = None


class VolumeState(StrEnum):
    CREATING = "creating"
    AVAILABLE = "available"
    IN_USE = "in_use"
    DELETING = "deleting"
    DELETED = "deleted"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk of its own. `kind` is the provider's own word, by which it is paid: gp3, pd-balanced, Premium_LRS."""

    id: str
    state: VolumeState
    size_gib: int
    region: str
    zone: str
    tags: Mapping[str, str]
    snapshot_id: str | None = None
    machine_id: str | None = None
    device_name: str | None = None
    encrypted: bool | None = None
    created_at: datetime | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    token: str
    zone: str
    snapshot_id: str
    tags: Mapping[str, str] = field(default_factory=dict)


class SnapshotState(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A point-in-time copy of a volume. `started_at` is the point in time that it holds; progress is 0 to 100."""

    id: str
    state: SnapshotState
    region: str
    volume_id: str | None
    size_gib: int
    started_at: datetime
    tags: Mapping[str, str]
    progress_percent: int | None = None
    encrypted: bool | None = None
    state_reason: str | None = None


@dataclass(frozen=True, slots=True)
class SnapshotSpec:
    token: str
    volume_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


class ImageState(StrEnum):
    PENDING = "pending"
    AVAILABLE = "available"
    FAILED = "failed"
    DEREGISTERED = "deregistered"


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    state: ImageState
    name: str
    region: str
    architecture: str | None
    root_device_name: str | None
    snapshot_ids: tuple[str, ...]
    tags: Mapping[str, str]
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image to register whose root volume is `root_snapshot_id`; architecture and device as the source machine's."""

    token: str
    root_snapshot_id: str
    architecture: str
    root_device_name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A set of network rules; without any, machines in it reach nothing outside of it and nothing there reaches them.

    Counted are rules that open something: one that only denies, or that opens to nobody, is none.
    """

    id: str
    name: str
    region: str
    network_id: str | None
    ingress_rules: int
    egress_rules: int
    tags: Mapping[str, str]


class MetricName(StrEnum):
    """The eight values of a resource that every cloud's metrics are translated to; the unit is in the comment."""

    CPU_UTILIZATION = "cpu_utilization"  # percent
    MEMORY_UTILIZATION = "memory_utilization"  # percent
    DISK_UTILIZATION = "disk_utilization"  # percent
    NETWORK_IN_MBPS = "network_in_mbps"  # 10^6 bits a second
    NETWORK_OUT_MBPS = "network_out_mbps"  # 10^6 bits a second
    RESPONSE_TIME_MS = "response_time_ms"  # milliseconds
    ERROR_RATE = "error_rate"  # percent of requests
    REQUESTS_PER_SECOND = "requests_per_second"


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One series: `period_s` is the width of a point in seconds, as the provider publishes it (AWS: 300 or 60)."""

    resource_id: str
    metric: MetricName
    period_s: int


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """The value of the period that *begins* at `time`, in the unit of its metric."""

    time: datetime
    value: float


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """Points in time order, none doubled. `complete` is False when the provider says that it left points out."""

    query: MetricQuery
    points: tuple[MetricPoint, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """`series` in the order of the queries. `api_calls` and `metrics_requested` are what the account is billed by."""

    series: tuple[MetricSeries, ...]
    api_calls: int
    metrics_requested: int


@dataclass(frozen=True, slots=True)
class Spot:
    """What the spot machines of a kind can. `can_stop`: stand still and be started again, and so change their type."""

    can_stop: bool


@dataclass(frozen=True, slots=True)
class ResourceOffer:
    """A kind of resource that a provider provisions, with the JSON Schema (2020-12) of its configuration.

    `is_global`: it belongs to no region. `can_stop`: it can stand still and be started again. `spot` None: it is not
    to be had as a spot machine.
    """

    resource_type: str
    resource_subtype: str
    display_name: str
    configuration_schema: Mapping[str, Any]
    is_global: bool = False
    can_stop: bool = False
    spot: Spot | None = None
