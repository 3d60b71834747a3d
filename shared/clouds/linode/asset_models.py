"""What may be asked for at Linode besides machines? The configuration of each kind, with safe defaults.

Linode has no content delivery in its API: Akamai's own is another product, with another account.
"""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
Number = Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]
"""How Linode names nearly everything."""

_PRIVATE = tuple(ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_LINODES_OWN = ipaddress.IPv4Network("192.168.128.0/17")
_LARGEST, _SMALLEST = 8, 29


class VpcSubnet(BaseModel):
    """A part of a VPC."""

    model_config = STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=64, description="unique in the VPC")
    ip_range: str = Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$", description="private: 10.0.1.0/24")

    @field_validator("ip_range")
    @classmethod
    def _a_private_range(cls, text: str) -> str:
        """In one spelling."""
        network = ipaddress.IPv4Network(text)
        if not _LARGEST <= network.prefixlen <= _SMALLEST:
            raise ValueError(f"is not of /{_LARGEST} to /{_SMALLEST}")
        if not any(network.subnet_of(each) for each in _PRIVATE) or network.overlaps(_LINODES_OWN):
            raise ValueError(f"is no private range, or in Linode's own, {_LINODES_OWN}")
        return str(network)


class VpcConfiguration(BaseModel):
    """A VPC: private addresses of a region that nobody outside reaches. A Linode is put into a subnet when it is made.

    Limits: "VPC" (techdocs.akamai.com/cloud-computing/docs/vpc): private IPv4 ranges (RFC 1918) without
    192.168.128.0/17; 10 VPCs a region and 10 subnets in each, more when the support is asked for them.
    """

    model_config = STRICT

    subnets: list[VpcSubnet] = Field(
        default_factory=list,
        max_length=100,
        description="one that is left out of a change is removed, which Linode refuses while anything stands in it; "
        "with another range it is made anew",
        json_schema_extra=_CHANGES,
    )

    @field_validator("subnets")
    @classmethod
    def _told_apart(cls, subnets: list[VpcSubnet]) -> list[VpcSubnet]:
        """By name, so that the same subnets are the same list."""
        if len({each.name for each in subnets}) < len(subnets):
            raise ValueError("two have the same name")
        ranges = [ipaddress.IPv4Network(each.ip_range) for each in subnets]
        if any(one.overlaps(other) for one, other in combinations(ranges, 2)):
            raise ValueError("ranges overlap")
        return sorted(subnets, key=lambda each: each.name)


class VolumeConfiguration(BaseModel):
    """A volume of block storage, encrypted, free or attached to a Linode.

    Limits: "Create a volume" (techdocs.akamai.com/linode-api/reference/post-volume): 10 to 16,384 GB.
    """

    model_config = STRICT

    size_gib: int = Field(default=20, ge=10, le=16_384, description="may only grow", json_schema_extra=_CHANGES)
    encrypted: bool = Field(default=True, description="false only where its region cannot")
    machine_id: Number | None = Field(
        default=None, description="the Linode of its region that has it", json_schema_extra=_CHANGES
    )


class NodeBalancerBackend(BaseModel):
    """A Linode of the region, reached by its private address: one that had none gets one, and has to be restarted."""

    model_config = STRICT

    machine_id: Number
    port: int = Field(default=80, ge=1, le=65535)
    weight: int = Field(default=100, ge=1, le=255, description="its share of the work, beside those of the others")


class NodeBalancerCheck(BaseModel):
    """How a Linode shows that it can be given work."""

    model_config = STRICT

    kind: Literal["none", "connection", "http"] = Field(
        default="connection", description="connection: the port opens; http: it answers 2xx or 3xx to a GET"
    )
    path: str = Field(default="/", pattern=r"^/[^\s\x00]{0,1023}$", description="of http")
    interval_s: int = Field(default=5, ge=2, le=3600)
    timeout_s: int = Field(default=3, ge=1, le=30, description="less than the interval")
    attempts: int = Field(default=2, ge=1, le=30, description="so many failures in a row and it gets no more work")

    @model_validator(mode="after")
    def _answered_in_time(self) -> Self:
        if self.timeout_s >= self.interval_s:
            raise ValueError("timeout_s must be less than interval_s")
        return self


class NodeBalancerListener(BaseModel):
    """A port of the NodeBalancer, and what is behind it."""

    model_config = STRICT

    port: int = Field(default=80, ge=1, le=65535)
    protocol: Literal["tcp", "http"] = "tcp"
    algorithm: Literal["roundrobin", "leastconn", "source"] = "roundrobin"
    stickiness: Literal["none", "table", "http_cookie"] = Field(
        default="none", description="what sends a client to the same Linode again"
    )
    health_check: NodeBalancerCheck = Field(default_factory=NodeBalancerCheck)
    backends: list[NodeBalancerBackend] = Field(default_factory=list, max_length=255)

    @field_validator("backends")
    @classmethod
    def _in_order(cls, backends: list[NodeBalancerBackend]) -> list[NodeBalancerBackend]:
        if len({(each.machine_id, each.port) for each in backends}) < len(backends):
            raise ValueError("two are the same Linode and port")
        return sorted(backends, key=lambda each: (int(each.machine_id), each.port))

    @model_validator(mode="after")
    def _cookies_are_of_http(self) -> Self:
        if self.stickiness == "http_cookie" and self.protocol != "http":
            raise ValueError("stickiness by cookie needs the protocol http")
        return self


class NodeBalancerConfiguration(BaseModel):
    """A NodeBalancer: a public address before Linodes of its region.

    No HTTPS of its own: its private key would stand in a configuration, which everybody may read. TLS goes through as
    TCP to the Linodes; a port that speaks HTTPS or UDP, made at Linode, is shown and stays as it is. Limits: "Create a
    NodeBalancer" (techdocs.akamai.com/linode-api/reference/post-node-balancer).
    """

    model_config = STRICT

    connections_per_second_max: int = Field(
        default=0, ge=0, le=20, description="of one client; 0: as many as it wants", json_schema_extra=_CHANGES
    )
    listeners: list[NodeBalancerListener] = Field(
        default_factory=lambda: [NodeBalancerListener()], max_length=100, json_schema_extra=_CHANGES
    )

    @field_validator("listeners")
    @classmethod
    def _one_a_port(cls, listeners: list[NodeBalancerListener]) -> list[NodeBalancerListener]:
        if len({each.port for each in listeners}) < len(listeners):
            raise ValueError("two have the same port")
        return sorted(listeners, key=lambda each: each.port)


NEWEST: dict[str, str] = {"mysql": "8", "postgresql": "17"}
"""The version of an engine when none is named."""


class ManagedDatabaseConfiguration(BaseModel):
    """A managed database: encrypted, over TLS only, backed up daily, reached by nobody until somebody is let in.

    Its administrator's password is made and kept by Linode; we neither send nor read it. Its disk's size is its type's.
    Limits: "Create a managed database" (techdocs.akamai.com/linode-api/reference/post-databases-postgre-sql-instances).
    """

    model_config = STRICT

    engine: Literal["postgresql", "mysql"] = "postgresql"
    version: str | None = Field(
        default=None, pattern=r"^[0-9]{1,2}$", validate_default=True, description="the major one; default: the newest"
    )
    instance_type: str = Field(
        default="g6-nanode-1",
        pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$",
        description="of each of its machines; only to one with as much disk",
        json_schema_extra=_CHANGES,
    )
    cluster_size: Literal[1, 2, 3] = Field(
        default=1, description="machines with a copy each: another takes over", json_schema_extra=_CHANGES
    )
    allow_list: list[str] = Field(
        default_factory=list,
        max_length=256,
        description="addresses and ranges from which it is reached: 203.0.113.0/24",
        json_schema_extra=_CHANGES,
    )
    network_id: Number | None = Field(
        default=None, description="the VPC that reaches it, with a subnet; then there is no public address"
    )
    subnet_id: Number | None = Field(default=None, validate_default=True, description="of the VPC")

    @field_validator("version")
    @classmethod
    def _newest(cls, version: str | None, given: ValidationInfo) -> str | None:
        return version or NEWEST.get(str(given.data.get("engine")))

    @field_validator("allow_list")
    @classmethod
    def _ranges(cls, ranges: list[str]) -> list[str]:
        """In one spelling and one order."""
        return sorted({str(ipaddress.ip_network(each)) for each in ranges})

    @field_validator("subnet_id")
    @classmethod
    def _of_the_network(cls, subnet: str | None, given: ValidationInfo) -> str | None:
        if (subnet is None) != (given.data.get("network_id") is None):
            raise ValueError("is given together with network_id")
        return subnet


class ObjectStorageBucketConfiguration(BaseModel):
    """A private bucket, reached over TLS with a key that Linode gives for it.

    It has no name of its own choice: its name is all the text that it holds, and ours says whose it is. Its address is
    told. Versions and life cycles are set with such a key by S3's protocol, which an account's token does not speak.
    """

    model_config = STRICT

    cors: bool = Field(
        default=False, description="whether pages of other sites may read it in a browser", json_schema_extra=_CHANGES
    )
