"""What may be asked for at Azure besides machines? The configuration of each kind, with defaults that are safe."""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.clouds.models import CHANGE, IN_PLACE

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}

_NAME = r"[A-Za-z0-9_.-]+"
_MACHINES = rf"/subscriptions/{_NAME}/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Compute/virtualMachines"
MachineId = Annotated[str, Field(pattern=rf"^{_MACHINES}/{_NAME}$", max_length=400)]
_NETWORKS = rf"/subscriptions/{_NAME}/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Network/virtualNetworks"
SubnetId = Annotated[str, Field(pattern=rf"^{_NETWORKS}/{_NAME}/subnets/{_NAME}$", max_length=400)]

_LARGEST, _SMALLEST = 2, 29
"""Prefix lengths of the largest and the smallest IPv4 range that Azure takes."""
_RANGE = r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$"
Range = Annotated[str, Field(pattern=_RANGE, max_length=18)]


class AzureStorageAccountConfiguration(BaseModel):
    """A storage account for blobs (StorageV2). Encrypted, over TLS 1.2 only, and never readable without a sign-in.

    Limits: "Scalability targets for standard storage accounts" and "Soft delete for blobs" (learn.microsoft.com).
    """

    model_config = _STRICT

    account_name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]{3,24}$",
        description="a host name, unique in all of Azure; default: one of our own",
    )
    replication: Literal["LRS", "ZRS", "GRS", "GZRS"] = Field(
        default="LRS", description="copies in one building, in three zones, or either with copies in the paired region"
    )
    access_tier: Literal["Hot", "Cool", "Cold"] = Field(default="Hot", json_schema_extra=_CHANGES)
    versioning: bool = Field(default=False, description="keep what is written over", json_schema_extra=_CHANGES)
    soft_delete_days: int = Field(
        default=7, ge=0, le=365, description="how long deleted blobs and containers can be had back; 0: not at all",
        json_schema_extra=_CHANGES,
    )  # fmt: skip
    shared_key_access: bool = Field(
        default=False,
        description="whether the account's two keys open all of it; without, only identities of Entra do",
        json_schema_extra=_CHANGES,
    )
    subnet_ids: list[SubnetId] = Field(
        default_factory=list,
        max_length=400,
        description="when any is given, only they reach it, and Azure's own trusted services",
        json_schema_extra=_CHANGES,
    )

    @field_validator("subnet_ids")
    @classmethod
    def _in_order(cls, ids: list[str]) -> list[str]:
        return sorted(set(ids))


class AzureSubnet(BaseModel):
    """A part of a virtual network. Storage and SQL are reached from it without leaving Azure's own network."""

    model_config = _STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$")
    address_prefix: Range


class AzureVirtualNetworkConfiguration(BaseModel):
    """A virtual network: private addresses that nobody outside reaches.

    Limits: "Azure Virtual Network frequently asked questions" and "Networking limits" (learn.microsoft.com): ranges
    of /2 to /29, 3,000 of them (ours are fewer), 20 DNS servers.
    """

    model_config = _STRICT

    address_prefixes: list[Range] = Field(
        default_factory=lambda: ["10.62.0.0/16"], min_length=1, max_length=100, json_schema_extra=_CHANGES
    )
    subnets: list[AzureSubnet] = Field(
        default_factory=lambda given: _first_half(given.get("address_prefixes", [])),
        max_length=200,
        description="default: one, the first half of the first range. One that is left out of a change is removed, "
        "which Azure refuses while anything stands in it",
        json_schema_extra=_CHANGES,
        validate_default=True,
    )
    dns_servers: list[Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]{2,39}$")]] = Field(
        default_factory=list, max_length=20, description="default: Azure's own", json_schema_extra=_CHANGES
    )

    @field_validator("address_prefixes")
    @classmethod
    def _networks(cls, prefixes: list[str]) -> list[str]:
        """In Azure's order, which is that of the client."""
        networks = [_network(each) for each in prefixes]
        if any(one.overlaps(other) for one, other in combinations(networks, 2)):
            raise ValueError("ranges overlap")
        return prefixes

    @field_validator("subnets")
    @classmethod
    def _parts(cls, subnets: list[AzureSubnet], info: ValidationInfo) -> list[AzureSubnet]:
        """By name, so that the same subnets are the same list."""
        outer = [_network(each) for each in info.data.get("address_prefixes", [])]
        inner = [_network(each.address_prefix) for each in subnets]
        if len({each.name.lower() for each in subnets}) < len(subnets):
            raise ValueError("two have the same name")
        if any(one.overlaps(other) for one, other in combinations(inner, 2)):
            raise ValueError("ranges overlap")
        if not all(any(part.subnet_of(whole) for whole in outer) for part in inner):
            raise ValueError("a range is outside of address_prefixes")
        return sorted(subnets, key=lambda each: each.name)


def _first_half(prefixes: list[str]) -> list[AzureSubnet]:
    """All of a range that cannot be halved; nothing for ranges that were refused."""
    for each in prefixes[:1]:
        whole = ipaddress.IPv4Network(each)
        half = whole if whole.prefixlen == _SMALLEST else next(whole.subnets())
        return [AzureSubnet(name="default", address_prefix=str(half))]
    return []


def _network(text: str) -> ipaddress.IPv4Network:
    """Raises ValueError, also for a range that Azure does not make."""
    network = ipaddress.IPv4Network(text)
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise ValueError(f"{text} is not of /{_LARGEST} to /{_SMALLEST}")
    return network


class AzureSqlAdministrator(BaseModel):
    """Who administers a SQL server: an identity of Entra."""

    model_config = _STRICT

    login: str = Field(min_length=1, max_length=128, description="its name")
    object_id: str = Field(pattern=r"^[0-9a-fA-F-]{36}$", description="its object id; an application's client id")
    principal_type: Literal["User", "Group", "Application"] = "Group"


class AzureSqlDatabaseConfiguration(BaseModel):
    """A database of Azure SQL on a server of its own. There is no password, neither here nor at Azure: only identities
    of Entra sign in, our own application where no administrator is named. So nothing has to be kept, shown or rotated.

    Encrypted at rest, over TLS 1.2 only, and reached by nobody until a subnet is named.
    Limits: "Resource limits for single databases" (learn.microsoft.com): 4,096 GiB where the size allows it.
    """

    model_config = _STRICT

    database_name: str = Field(default="main", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,127}$")
    engine: Literal["sqlserver"] = "sqlserver"
    version: Literal["12.0"] = "12.0"
    instance_type: str = Field(
        default="S0",
        pattern=r"^[A-Z][A-Za-z0-9_]{1,63}$",
        description="a service objective (Basic, S0, GP_Gen5_2, GP_S_Gen5_1…)",
        json_schema_extra=_CHANGES,
    )
    storage_gib: int | None = Field(
        default=None, ge=1, le=4096, description="default: what its size has", json_schema_extra=_CHANGES
    )
    backup_redundancy: Literal["Local", "Zone", "Geo", "GeoZone"] = Field(default="Geo", json_schema_extra=_CHANGES)
    zone_redundant: bool = Field(
        default=False, description="copies in several zones; not at every size", json_schema_extra=_CHANGES
    )
    subnet_id: SubnetId | None = Field(
        default=None, description="the one subnet that reaches it; without, nobody does", json_schema_extra=_CHANGES
    )
    administrator: AzureSqlAdministrator | None = Field(default=None, description="default: our own application")
    source_database_id: str | None = Field(
        default=None,
        pattern=rf"^/subscriptions/{_NAME}/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Sql/servers/{_NAME}"
        r"/databases/[A-Za-z0-9_-]+$",
        max_length=400,
        description="makes it a readable copy of that database, whose name it must have",
    )


class AzureListener(BaseModel):
    """What comes to `port` goes to `target_port` of a machine."""

    model_config = _STRICT

    protocol: Literal["tcp", "udp"] = "tcp"
    port: int = Field(ge=1, le=65534)
    target_port: int = Field(ge=1, le=65535)


class AzureHealthCheck(BaseModel):
    """How a machine shows that it can be given work."""

    model_config = _STRICT

    protocol: Literal["tcp", "http", "https"] = "tcp"
    port: int = Field(default=80, ge=1, le=65535)
    path: str | None = Field(
        default=None, pattern=r"^/[^\s\x00]{0,2047}$", description="for http and https", validate_default=True
    )
    interval_s: int = Field(default=15, ge=5, le=3600)

    @field_validator("path")
    @classmethod
    def _where_it_is_asked(cls, path: str | None, info: ValidationInfo) -> str | None:
        """A path is asked for over HTTP only, and there it is needed: the root unless another is given."""
        if info.data.get("protocol") == "tcp":
            if path is not None:
                raise ValueError("tcp has no path")
            return None
        return path or "/"


class AzureLoadBalancerConfiguration(BaseModel):
    """A standard load balancer before virtual machines of one virtual network; within it unless `public`.

    Limits: "Load balancer limits" (learn.microsoft.com): 1,500 rules (ours are fewer) and 5,000 machines.
    """

    model_config = _STRICT

    public: bool = Field(default=False, description="whether it has an address on the Internet")
    subnet_id: SubnetId | None = Field(
        default=None, description="where a private one has its address; default: our own network of the region"
    )
    listeners: list[AzureListener] = Field(
        default_factory=lambda: [AzureListener(port=80, target_port=80)],
        min_length=1,
        max_length=100,
        json_schema_extra=_CHANGES,
        validate_default=True,
    )
    health_check: AzureHealthCheck = Field(default_factory=AzureHealthCheck, json_schema_extra=_CHANGES)
    machines: list[MachineId] = Field(
        default_factory=list, max_length=1000, description="ids of virtual machines", json_schema_extra=_CHANGES
    )

    @field_validator("subnet_id")
    @classmethod
    def _only_private(cls, subnet_id: str | None, info: ValidationInfo) -> str | None:
        if subnet_id is not None and info.data.get("public"):
            raise ValueError("a public one stands in no subnet")
        return subnet_id

    @field_validator("listeners")
    @classmethod
    def _told_apart(cls, listeners: list[AzureListener]) -> list[AzureListener]:
        """Azure wants both ends of each pair of rules to differ."""
        for end in ("port", "target_port"):
            if len({(each.protocol, getattr(each, end)) for each in listeners}) < len(listeners):
                raise ValueError(f"two have the same protocol and {end}")
        return sorted(listeners, key=lambda each: (each.protocol, each.port))

    @field_validator("machines")
    @classmethod
    def _in_order(cls, machines: list[str]) -> list[str]:
        return sorted(set(machines))
