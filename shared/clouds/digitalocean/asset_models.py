"""What may be asked for at DigitalOcean besides droplets? The configuration of each kind, with safe defaults."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
Uuid = Annotated[str, Field(pattern=rf"^{_UUID}$")]
MachineId = Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]
Port = Annotated[int, Field(ge=1, le=65535)]

_LARGEST, _SMALLEST = 16, 28
"""Prefix lengths of the largest and the smallest VPC (docs.digitalocean.com/products/networking/vpc/details/limits)."""
_PRIVATE = tuple(ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


class VpcConfiguration(BaseModel):
    """A VPC: private addresses of one region, which nobody outside of it reaches."""

    model_config = STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z0-9.-]{1,255}$",
        description="unique in the account; default: one of our own",
        json_schema_extra=_CHANGES,
    )
    ip_range: str | None = Field(
        default=None,
        pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$",
        description="10.10.0.0/20: private, /16 to /28, overlapping no other VPC; default: DigitalOcean's choice",
    )

    @field_validator("ip_range")
    @classmethod
    def _private(cls, text: str | None) -> str | None:
        if text is None:
            return None
        network = ipaddress.IPv4Network(text)
        if not _LARGEST <= network.prefixlen <= _SMALLEST or not any(network.subnet_of(each) for each in _PRIVATE):
            raise ValueError(f"is a private range (RFC 1918) of /{_LARGEST} to /{_SMALLEST}")
        return text


class VolumeConfiguration(BaseModel):
    """A volume of block storage, encrypted at rest; for one droplet of its region at a time.

    Limits: docs.digitalocean.com/products/volumes/details/limits: 1 GiB to 16 TiB, 15 volumes at a droplet.
    """

    model_config = STRICT

    size_gib: int = Field(default=10, ge=1, le=16_384, description="may only grow", json_schema_extra=_CHANGES)
    machine_id: MachineId | None = Field(
        default=None, description="the droplet that it is attached to", json_schema_extra=_CHANGES
    )


class ForwardingRule(BaseModel):
    """Which port of the balancer leads to which port of the droplets. HTTPS ends at the balancer with a certificate, or
    goes through it untouched.
    """

    model_config = STRICT

    entry_protocol: Literal["http", "https", "http2", "tcp"] = "http"
    entry_port: Port = 80
    target_protocol: Literal["http", "https", "http2", "tcp"] = "http"
    target_port: Port = 80
    certificate_id: Uuid | None = Field(default=None, description="a certificate of the account at DigitalOcean")
    tls_passthrough: bool = False

    @model_validator(mode="after")
    def _ends_somewhere(self) -> Self:
        encrypted = self.entry_protocol in {"https", "http2"}
        if encrypted and (self.certificate_id is None) is not self.tls_passthrough:
            raise ValueError("https and http2 need a certificate, or pass through")
        if not encrypted and (self.certificate_id is not None or self.tls_passthrough):
            raise ValueError("only https and http2 have a certificate or pass through")
        return self


class HealthCheck(BaseModel):
    """Whether a droplet gets requests. Limits: DigitalOcean's Terraform provider, "healthcheck"."""

    model_config = STRICT

    protocol: Literal["http", "https", "tcp"] = "http"
    port: Port = 80
    path: str | None = Field(default="/", pattern=r"^/[\x21-\x7e]{0,1023}$", description="null with tcp")
    interval_s: int = Field(default=10, ge=3, le=300)
    timeout_s: int = Field(default=5, ge=3, le=300)
    healthy_threshold: int = Field(default=5, ge=2, le=10)
    unhealthy_threshold: int = Field(default=3, ge=2, le=10)

    @model_validator(mode="after")
    def _asks_a_path_by_http(self) -> Self:
        if (self.path is None) is not (self.protocol == "tcp"):
            raise ValueError("http and https ask a path, tcp has none")
        return self


class StickySessions(BaseModel):
    """A cookie by which a visitor comes to the same droplet again."""

    model_config = STRICT

    cookie_name: str = Field(default="DO-LB", pattern=r"^[A-Za-z0-9_-]{2,40}$")
    cookie_ttl_s: int = Field(default=300, ge=1, le=31_536_000)


class LoadBalancerConfiguration(BaseModel):
    """A load balancer of one region, before droplets of its VPC.

    Limits: "Load Balancers Limits" (docs.digitalocean.com/products/networking/load-balancers/details/limits): 10
    droplets by their ids; 200 nodes, changed once an hour at most.
    """

    model_config = STRICT

    nodes: int = Field(
        default=1, ge=1, le=200, description="how much it carries: 10,000 requests a second each",
        json_schema_extra=_CHANGES,
    )  # fmt: skip
    forwarding_rules: list[ForwardingRule] = Field(
        default_factory=lambda: [ForwardingRule()], min_length=1, max_length=50, json_schema_extra=_CHANGES
    )
    health_check: HealthCheck = Field(default_factory=HealthCheck, json_schema_extra=_CHANGES)
    sticky_sessions: StickySessions | None = Field(
        default=None, description="default: any droplet answers any request", json_schema_extra=_CHANGES
    )
    redirect_http_to_https: bool = Field(
        default=False, description="needs rules for the ports 80 and 443", json_schema_extra=_CHANGES
    )
    machines: list[MachineId] = Field(
        default_factory=list, max_length=10, description="droplets of the same VPC", json_schema_extra=_CHANGES
    )
    network_id: Uuid | None = Field(default=None, description="a VPC; default: the region's")
    internal: bool = Field(default=False, description="reached from its VPC only")

    @field_validator("forwarding_rules")
    @classmethod
    def _told_apart(cls, rules: list[ForwardingRule]) -> list[ForwardingRule]:
        """By port, so that the same rules are the same list."""
        if len({each.entry_port for each in rules}) < len(rules):
            raise ValueError("two have the same port")
        return sorted(rules, key=lambda each: each.entry_port)

    @field_validator("machines")
    @classmethod
    def _in_order(cls, machines: list[str]) -> list[str]:
        return sorted(set(machines), key=int)


class DatabaseClusterConfiguration(BaseModel):
    """A managed database. Encrypted at rest and under way, backed up daily (Valkey is not), in a VPC, and reached from
    trusted sources only: without any from nowhere.

    Limits: "PostgreSQL Limits" (docs.digitalocean.com/products/databases/postgresql/details/limits): 3 nodes, 100
    addresses as trusted sources, of which a droplet has two; `doctl databases resize`: 15 TB.
    """

    model_config = STRICT

    engine: Literal["pg", "mysql", "valkey", "mongodb"] = "pg"
    version: str | None = Field(
        default=None, pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$", description="17; default: DigitalOcean's choice"
    )
    instance_type: str = Field(
        default="db-s-1vcpu-1gb", pattern=r"^[a-z0-9][a-z0-9_-]{3,63}$",
        description="a size's slug, db-s-2vcpu-4gb; may only grow", json_schema_extra=_CHANGES,
    )  # fmt: skip
    nodes: int = Field(
        default=1, ge=1, le=3, description="the others stand by for the first", json_schema_extra=_CHANGES
    )
    storage_gib: int | None = Field(
        default=None, ge=10, le=15_000, description="default: what comes with the size; may only grow",
        json_schema_extra=_CHANGES,
    )  # fmt: skip
    network_id: Uuid | None = Field(default=None, description="a VPC; default: the region's")
    trusted_machines: list[MachineId] = Field(
        default_factory=list, max_length=50, description="droplets that may reach it", json_schema_extra=_CHANGES
    )
    trusted_addresses: list[Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?$")]] = Field(
        default_factory=list, max_length=100, description="IPv4 addresses or ranges that may reach it",
        json_schema_extra=_CHANGES,
    )  # fmt: skip

    @field_validator("trusted_machines")
    @classmethod
    def _in_order(cls, machines: list[str]) -> list[str]:
        return sorted(set(machines))

    @field_validator("trusted_addresses")
    @classmethod
    def _readable(cls, addresses: list[str]) -> list[str]:
        if any(ipaddress.IPv4Network(each).prefixlen == 0 for each in addresses):
            raise ValueError("the whole Internet is not trusted")
        return sorted(set(addresses))


class SpacesBucketConfiguration(BaseModel):
    """A bucket of Spaces: encrypted at rest, over TLS, and closed to whoever has no key.

    Limits: docs.digitalocean.com/products/spaces/details/limits.
    """

    model_config = STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        description="unique in all of Spaces; default: one of our own",
    )
    versioning: bool = Field(default=False, description="keep what is written over", json_schema_extra=_CHANGES)


class CdnEndpointConfiguration(BaseModel):
    """Content delivery before a bucket of the account. What is cached is what everybody may read of the bucket.

    Limits: docs.digitalocean.com/reference/api, "CDN Endpoints". A bucket with a dot in its name has none.
    """

    model_config = STRICT

    origin: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\.[a-z]{3}[0-9]\.digitaloceanspaces\.com$",
        description="a bucket's address: albums.nyc3.digitaloceanspaces.com",
    )
    ttl_s: Literal[60, 600, 3600, 86400, 604800] = Field(
        default=3600, description="how long it is kept at the edge", json_schema_extra=_CHANGES
    )
    custom_domain: str | None = Field(
        default=None, pattern=r"^([a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$", max_length=253,
        description="a name of your own, with its certificate", json_schema_extra=_CHANGES,
    )  # fmt: skip
    certificate_id: str | None = Field(
        default=None,
        pattern=rf"^({_UUID}|needs-cloudflare-cert)$",
        description="a certificate of the account; needs-cloudflare-cert: one that DigitalOcean gets",
        json_schema_extra=_CHANGES,
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.custom_domain is None) is not (self.certificate_id is None):
            raise ValueError("custom_domain and certificate_id go together")
        return self
