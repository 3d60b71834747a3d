"""What may be asked for at Google Cloud besides machines? The configuration of each kind, with safe defaults."""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.clouds.models import CHANGE, IN_PLACE

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}

_NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
_PROJECT = r"projects/[a-z0-9.:-]{1,100}"
RegionCode = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}$")]
NetworkId = Annotated[str, Field(pattern=rf"^{_PROJECT}/global/networks/{_NAME}$")]
MachineId = Annotated[str, Field(pattern=rf"^zones/[a-z]+-[a-z]+[0-9]{{1,2}}-[a-z]/instances/{_NAME}$")]

_LARGEST, _SMALLEST = 4, 29
"""Prefix lengths of the largest and the smallest range of a subnet (cloud.google.com/vpc/docs/subnets)."""


class GcsBucketConfiguration(BaseModel):
    """A bucket of Cloud Storage. Encrypted, reached over TLS by those that IAM lets in, and never public.

    Limits: "Bucket locations", "Storage classes" and "Soft delete" (cloud.google.com/storage/docs).
    """

    model_config = _STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$",
        description="unique in all of Cloud Storage; default: one of our own",
    )
    location: str = Field(
        default="US",
        pattern=r"^[A-Z][A-Z0-9-]{1,30}$",
        description="a region (EUROPE-WEST1), a pair of regions (EUR4) or a continent (EU, US, ASIA)",
    )
    storage_class: Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] = Field(
        default="STANDARD", description="of new objects that do not name one", json_schema_extra=_CHANGES
    )
    versioning: bool = Field(default=False, description="keep what is written over", json_schema_extra=_CHANGES)
    soft_delete_days: int = Field(
        default=7, ge=0, le=90, description="how long deleted objects can be had back, 7 or more; 0: not at all",
        json_schema_extra=_CHANGES,
    )  # fmt: skip

    @field_validator("soft_delete_days")
    @classmethod
    def _a_week_or_none(cls, days: int) -> int:
        if 0 < days < 7:
            raise ValueError("is 0 or 7 to 90")
        return days


class GcpSubnet(BaseModel):
    """A network's part in one region. Machines in it reach Google's APIs without an external address."""

    model_config = _STRICT

    name: str = Field(pattern=rf"^{_NAME}$", description="unique in the project and region")
    region: RegionCode
    ip_range: str = Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$", description="may only grow")


class VpcNetworkConfiguration(BaseModel):
    """A VPC network, which spans all regions: private addresses that nobody outside reaches until a firewall rule
    lets them in.

    Limits: "VPC networks" and "Subnets" (cloud.google.com/vpc/docs): ranges of /4 to /29.
    """

    model_config = _STRICT

    subnet_mode: Literal["auto", "custom"] = Field(
        default="auto", description="auto: Google makes a subnet in every region; custom: only those that are named"
    )
    subnets: list[GcpSubnet] = Field(
        default_factory=list,
        max_length=100,
        description="in custom mode. One that is left out of a change is removed, which Google refuses while anything "
        "stands in it",
        json_schema_extra=_CHANGES,
    )
    routing_mode: Literal["REGIONAL", "GLOBAL"] = Field(
        default="REGIONAL", description="how far its cloud routers' routes reach", json_schema_extra=_CHANGES
    )
    internal_traffic: bool = Field(
        default=True, description="whether its machines reach each other", json_schema_extra=_CHANGES
    )

    @field_validator("subnets")
    @classmethod
    def _parts(cls, subnets: list[GcpSubnet], given: ValidationInfo) -> list[GcpSubnet]:
        """By region and name, so that the same subnets are the same list."""
        if subnets and given.data.get("subnet_mode") == "auto":
            raise ValueError("are Google's in auto mode")
        ranges = [_network(each.ip_range) for each in subnets]
        if any(one.overlaps(other) for one, other in combinations(ranges, 2)):
            raise ValueError("ranges overlap")
        if len({(each.region, each.name) for each in subnets}) < len(subnets):
            raise ValueError("two have the same name in a region")
        return sorted(subnets, key=lambda each: (each.region, each.name))


def _network(text: str) -> ipaddress.IPv4Network:
    """Raises ValueError, also for a range that Google does not make."""
    network = ipaddress.IPv4Network(text)
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise ValueError(f"{text} is not of /{_LARGEST} to /{_SMALLEST}")
    return network


NEWEST: dict[str, str] = {"mysql": "8.4", "postgres": "17"}
"""The version of an engine when none is named."""


class CloudSqlInstanceConfiguration(BaseModel):
    """An instance of Cloud SQL. Encrypted at rest, over TLS only, backed up.

    Whoever signs in is an identity of IAM: the engine's IAM authentication is on. The administrator's password, which
    the engine must have (MySQL's root would be open without one), is random, and nobody knows it, we included: it is
    sent with the creation and not kept. Who wants one sets it at Google.

    Without a network it has a public address that lets nobody in but Cloud SQL's own connectors, which prove who they
    are by IAM. Limits: "Instance settings" (cloud.google.com/sql/docs): 10 GiB to 64 TiB.
    """

    model_config = _STRICT

    engine: Literal["postgres", "mysql"] = "postgres"
    version: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,2}(\.[0-9])?$",
        validate_default=True,
        description="for example 17 of PostgreSQL, 8.4 of MySQL; default: the newest",
    )
    instance_type: str = Field(
        default="db-g1-small",
        pattern=r"^db-[a-zA-Z0-9-]{2,60}$",
        description="for example db-custom-2-7680 or db-perf-optimized-N-2; a change restarts it",
        json_schema_extra=_CHANGES,
    )
    storage_gib: int = Field(default=10, ge=10, le=65536, description="may only grow", json_schema_extra=_CHANGES)
    storage_grows: bool = Field(default=True, description="whether a full disk grows by itself")
    high_availability: bool = Field(
        default=False, description="a second copy in another zone takes over", json_schema_extra=_CHANGES
    )
    backups: bool = Field(
        default=True, description="daily, and to any point in time; a copy has none", json_schema_extra=_CHANGES
    )
    network_id: NetworkId | None = Field(
        default=None,
        description="the network that reaches it, which has private services access; then nobody else does",
    )
    source_database_id: str | None = Field(
        default=None, pattern=rf"^{_NAME}$", max_length=98, description="makes it a readable copy of that instance"
    )

    @field_validator("version")
    @classmethod
    def _newest(cls, version: str | None, given: ValidationInfo) -> str | None:
        return version or NEWEST.get(str(given.data.get("engine")))

    @field_validator("backups")
    @classmethod
    def _what_takes_over_is_backed_up(cls, backups: bool, given: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's
        if given.data.get("high_availability") and not backups:
            raise ValueError("high availability needs them")
        return backups

    @field_validator("source_database_id")
    @classmethod
    def _copies_are_not_backed_up(cls, source: str | None, given: ValidationInfo) -> str | None:
        if source is not None and given.data.get("backups"):
            raise ValueError("a copy has no backups of its own: backups must be false")
        return source


class GcpHealthCheck(BaseModel):
    """How a machine shows that it can be given work: it answers 200 to a GET."""

    model_config = _STRICT

    port: int = Field(default=80, ge=1, le=65535)
    path: str = Field(default="/", pattern=r"^/[^\s\x00]{0,1023}$")
    interval_s: int = Field(default=5, ge=1, le=300)


class NetworkLoadBalancerConfiguration(BaseModel):
    """A passthrough network load balancer: a public address before machines of a region, whatever their zones.

    A forwarding rule, a target pool and a health check. Target pools, and not backend services: a pool names machines,
    where a backend service takes one instance group or endpoint group per zone and network, and a machine may be in one
    load-balanced instance group only. The price: it is always public, and its check speaks HTTP. Nothing reaches the
    machines until a firewall rule of their network lets it (and the check, from 35.191.0.0/16, 209.85.152.0/22 and
    209.85.204.0/22) in. Limits: "Target pools" (cloud.google.com/load-balancing/docs).
    """

    model_config = _STRICT

    protocol: Literal["tcp", "udp"] = "tcp"
    port: int = Field(default=80, ge=1, le=65535, description="the first, or only one; machines see the same port")
    last_port: int | None = Field(
        default=None, ge=1, le=65535, validate_default=True, description="of a range of ports; default: the first"
    )
    session_affinity: Literal["NONE", "CLIENT_IP", "CLIENT_IP_PROTO"] = Field(
        default="NONE", description="what sends a client to the same machine again"
    )
    health_check: GcpHealthCheck = Field(default_factory=GcpHealthCheck, json_schema_extra=_CHANGES)
    machines: list[MachineId] = Field(
        default_factory=list, max_length=500, description="ids of machines of its region", json_schema_extra=_CHANGES
    )

    @field_validator("last_port")
    @classmethod
    def _a_range(cls, last: int | None, given: ValidationInfo) -> int | None:
        first = given.data.get("port")
        if last is not None and first is not None and last < first:
            raise ValueError("is less than the first port")
        return last or first

    @field_validator("machines")
    @classmethod
    def _in_order(cls, machines: list[str]) -> list[str]:
        return sorted(set(machines))
