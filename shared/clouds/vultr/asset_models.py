"""What may be asked for at Vultr besides instances? The configuration of each kind, with safe defaults."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
InstanceId = Annotated[str, Field(pattern=_UUID)]
VpcId = Annotated[str, Field(pattern=_UUID)]

_PRIVATE = tuple(ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918, as "Create a VPC" (www.vultr.com/api) wants it."""


class VpcConfiguration(BaseModel):
    """A VPC: private addresses of one region, which nobody outside reaches without a NAT gateway."""

    model_config = STRICT

    ip_range: str | None = Field(
        default=None,
        pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$",
        description="private addresses, 10.1.0.0/24; default: Vultr's choice",
    )

    @field_validator("ip_range")
    @classmethod
    def _is_private(cls, text: str | None) -> str | None:
        if text is not None and not any(ipaddress.IPv4Network(text).subnet_of(each) for each in _PRIVATE):
            raise ValueError("is not within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
        return text


class BlockVolumeConfiguration(BaseModel):
    """Block storage: a disk of its own in a region. Limits: "Create Block Storage" (www.vultr.com/api), of its faster
    kind, which is Vultr's choice.
    """

    model_config = STRICT

    size_gib: int = Field(default=10, ge=10, le=10_000, description="may only grow", json_schema_extra=_CHANGES)
    machine_id: InstanceId | None = Field(
        default=None, description="an instance of its region, which has it as a disk", json_schema_extra=_CHANGES
    )


class VultrForwardingRule(BaseModel):
    """What comes to a port goes to a port of the targets, in the same protocol."""

    model_config = STRICT

    protocol: Literal["http", "tcp"] = "http"
    port: int = Field(default=80, ge=1, le=65535)
    target_port: int = Field(default=80, ge=1, le=65535)


class VultrHealthCheck(BaseModel):
    """How an instance shows that it can be given work. Limits: Vultr's Terraform provider."""

    model_config = STRICT

    protocol: Literal["http", "tcp"] = "http"
    port: int = Field(default=80, ge=1, le=65535)
    path: str | None = Field(
        default=None,
        pattern=r"^/[^\s\x00]{0,1023}$",
        validate_default=True,
        description="of http; default: /",
    )
    interval_s: int = Field(default=15, ge=1, le=300)
    timeout_s: int = Field(default=5, ge=1, le=300)
    unhealthy_threshold: int = Field(default=5, ge=1, le=300)
    healthy_threshold: int = Field(default=5, ge=1, le=300)

    @field_validator("path")
    @classmethod
    def _of_http(cls, path: str | None, given: ValidationInfo) -> str | None:
        if given.data.get("protocol") != "tcp":
            return path or "/"
        if path is not None:
            raise ValueError("is for http only")
        return None


class LoadBalancerConfiguration(BaseModel):
    """A load balancer: a public address before instances of its region.

    It ends no TLS: that needs a private key, which is never configuration. TLS passes through as tcp. Limits: "Create
    Load Balancer" (www.vultr.com/api): 1 to 99 nodes, an odd number.
    """

    model_config = STRICT

    forwarding_rules: list[VultrForwardingRule] = Field(
        default_factory=lambda: [VultrForwardingRule()], min_length=1, max_length=100, json_schema_extra=_CHANGES
    )
    balancing_algorithm: Literal["roundrobin", "leastconn"] = Field(default="roundrobin", json_schema_extra=_CHANGES)
    proxy_protocol: bool = Field(
        default=False, description="tell targets who calls; they must understand it", json_schema_extra=_CHANGES
    )
    health_check: VultrHealthCheck = Field(default_factory=VultrHealthCheck, json_schema_extra=_CHANGES)
    nodes: int = Field(default=1, ge=1, le=99, description="an odd number", json_schema_extra=_CHANGES)
    machines: list[InstanceId] = Field(
        default_factory=list, max_length=500, description="ids of instances of its region", json_schema_extra=_CHANGES
    )
    network_id: VpcId | None = Field(
        default=None, description="the VPC in which it reaches them; default: by their public addresses"
    )

    @field_validator("forwarding_rules")
    @classmethod
    def _told_apart(cls, rules: list[VultrForwardingRule]) -> list[VultrForwardingRule]:
        if len({each.port for each in rules}) < len(rules):
            raise ValueError("two have the same port")
        return sorted(rules, key=lambda each: each.port)

    @field_validator("nodes")
    @classmethod
    def _is_odd(cls, nodes: int) -> int:
        if nodes % 2 == 0:
            raise ValueError("is an odd number")
        return nodes

    @field_validator("machines")
    @classmethod
    def _in_order(cls, machines: list[str]) -> list[str]:
        return sorted(set(machines))


NEWEST: dict[str, str] = {"pg": "17", "mysql": "8", "valkey": "7"}
"""The version of an engine when none is named."""


class ManagedDatabaseConfiguration(BaseModel):
    """A managed database: encrypted, over TLS, backed up daily by Vultr. Its plan says its size and its standbys.

    The administrator's password is Vultr's own choice: it is in its answers, where we do not read it, and in its
    customer portal. Vultr lets everybody in who knows it; so nobody may but whom `trusted_ips` name.
    """

    model_config = STRICT

    engine: Literal["pg", "mysql", "valkey"] = "pg"
    version: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,2}$",
        validate_default=True,
        description="17 of PostgreSQL; default: the newest",
    )
    instance_type: str = Field(
        default="vultr-dbaas-hobbyist-cc-1-25-1",
        pattern=r"^vultr-dbaas-[a-z0-9_-]{3,80}$",
        description="a plan's id: its disk, memory and standbys",
        json_schema_extra=_CHANGES,
    )
    trusted_ips: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="addresses that may connect, 192.0.2.0/24, those of its network too; default: nobody's",
        json_schema_extra=_CHANGES,
    )
    network_id: VpcId | None = Field(default=None, description="the VPC in which it has an address; default: none")

    @field_validator("version")
    @classmethod
    def _newest(cls, version: str | None, given: ValidationInfo) -> str | None:
        return version or NEWEST.get(str(given.data.get("engine")))

    @field_validator("trusted_ips")
    @classmethod
    def _spelled_alike(cls, networks: list[str]) -> list[str]:
        return sorted({str(ipaddress.ip_network(each)) for each in networks})


class ObjectStorageConfiguration(BaseModel):
    """A subscription of Object Storage: a pair of keys, and all the buckets that are made with it, in one cluster.

    The keys are Vultr's own choice: they are in its answers, where we do not read them, and in its customer portal. A
    new bucket is private.
    """

    model_config = STRICT

    cluster_id: int | None = Field(
        default=None, ge=1, description="a cluster of the region; default: its first that takes new subscriptions"
    )
    tier_id: int | None = Field(default=None, ge=1, description="how fast it is; default: the cluster's default")


class CdnPullZoneConfiguration(BaseModel):
    """A pull zone: what an origin answers, kept near those who ask for it, over TLS."""

    model_config = STRICT

    origin_domain: str = Field(
        pattern=r"^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$",
        max_length=253,
        description="where it fetches: a host's name, in lower case",
        json_schema_extra=_CHANGES,
    )
    origin_scheme: Literal["https", "http"] = Field(default="https", json_schema_extra=_CHANGES)
    cors: bool = Field(default=False, description="let pages of other sites use it", json_schema_extra=_CHANGES)
    gzip: bool = Field(default=True, description="compress what it answers", json_schema_extra=_CHANGES)
    block_ai: bool = Field(default=False, description="refuse the crawlers of AI", json_schema_extra=_CHANGES)
    block_bad_bots: bool = Field(default=True, description="refuse known bad bots", json_schema_extra=_CHANGES)
