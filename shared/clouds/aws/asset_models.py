"""What does AWS want to be told of a bucket, a network, a database, a load balancer, a zone, a distribution?"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from shared.clouds.aws.models import SecurityGroupId
from shared.clouds.models import CHANGE, IN_PLACE

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES_IN_PLACE: dict[str, JsonValue] = {CHANGE: IN_PLACE}

DNS_RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "PTR", "SRV", "TXT")
_LABELS = r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

MachineId = Annotated[str, Field(pattern=r"^i-[0-9a-f]{8,17}$")]
NetworkId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]


class S3BucketConfiguration(BaseModel):
    """An S3 bucket. Objects are owned by the account, whoever puts them there; access lists do not count."""

    model_config = _STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="unique among all buckets of the world; default: one made by us",
    )
    versioning: bool = Field(
        default=False, description="keep what is overwritten or deleted", json_schema_extra=_CHANGES_IN_PLACE
    )
    block_public_access: bool = Field(
        default=True, description="whatever policies and access lists say", json_schema_extra=_CHANGES_IN_PLACE
    )
    require_tls: bool = Field(
        default=True, description="refuse plain HTTP by the bucket's policy", json_schema_extra=_CHANGES_IN_PLACE
    )
    kms_key: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:kms:",
        max_length=2048,
        description="ARN of the key that objects are encrypted with; default: one that S3 keeps (AES-256)",
        json_schema_extra=_CHANGES_IN_PLACE,
    )


def subnet_prefix(network: IPv4Network) -> int:
    """A part is a sixteenth of the network, but no smaller than AWS lets it be (VPC User Guide, "Subnet sizing")."""
    return min(28, network.prefixlen + 4)


class VpcConfiguration(BaseModel):
    """A private network with a subnet in each of some zones; nothing in it has an address of the internet."""

    model_config = _STRICT

    cidr_block: str = Field(default="10.0.0.0/16", description="its private IPv4 addresses, /16 to /28")
    zones: int = Field(default=2, ge=0, le=6, validate_default=True, description="in how many zones it has a subnet")
    dns_hostnames: bool = Field(
        default=True, description="give machines names in the private DNS", json_schema_extra=_CHANGES_IN_PLACE
    )

    @field_validator("cidr_block")
    @classmethod
    def _is_a_network(cls, block: str) -> str:
        try:
            network = IPv4Network(block)
        except ValueError:
            raise ValueError("is an IPv4 network such as 10.0.0.0/16") from None
        if not 16 <= network.prefixlen <= 28:
            raise ValueError("has a prefix of /16 to /28")
        return str(network)

    @field_validator("zones")
    @classmethod
    def _fits(cls, zones: int, given: ValidationInfo) -> int:
        block = given.data.get("cidr_block")
        if block is not None:
            network = IPv4Network(block)
            most = 2 ** (subnet_prefix(network) - network.prefixlen)
            if zones > most:
                raise ValueError(f"is at most {most} in a network of this size")
        return zones


class RdsInstanceConfiguration(BaseModel):
    """An RDS database of one instance, or with a standby in another zone. Limits: RDS User Guide, "Quotas"."""

    model_config = _STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z](-?[a-z0-9])*$",
        max_length=63,
        description="unique in account and region; default: one made by us",
    )
    engine: Literal["postgres", "mysql", "mariadb"] = "postgres"
    engine_version: str | None = Field(
        default=None, pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){0,2}$", description="default: the newest that RDS advises"
    )
    instance_type: str = Field(
        default="db.t4g.micro",
        pattern=r"^db\.[a-z][a-z0-9-]{0,31}\.[a-z0-9-]{1,31}$",
        description="for example db.m7g.large; a change restarts it",
        json_schema_extra=_CHANGES_IN_PLACE,
    )
    storage_gib: int = Field(
        default=20, ge=20, le=65536, description="only ever grows", json_schema_extra=_CHANGES_IN_PLACE
    )
    multi_az: bool = Field(
        default=False, description="with a standby in another zone", json_schema_extra=_CHANGES_IN_PLACE
    )
    backup_retention_days: int = Field(
        default=7, ge=0, le=35, description="of the daily backups of RDS; 0: none", json_schema_extra=_CHANGES_IN_PLACE
    )
    network_id: NetworkId | None = Field(default=None, description="a VPC; default: the region's own")
    security_groups: list[SecurityGroupId] = Field(default_factory=list, max_length=5)
    master_username: str = Field(
        default="canopy", pattern=r"^[A-Za-z][A-Za-z0-9_]{0,15}$", description="its password is made and kept by RDS"
    )
    database_name: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")
    replica_of: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:rds:[a-z0-9-]+:[0-9]{12}:db:[a-z][a-z0-9-]{0,62}$",
        description="the database that this one is a read replica of: it has that one's engine, data and users",
    )


class LoadBalancerConfiguration(BaseModel):
    """A load balancer with one listener and its targets, which are reached by HTTP (application) or TCP (network)."""

    model_config = _STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9])*$",
        max_length=32,
        description="unique in account and region; default: one made by us",
    )
    load_balancer_type: Literal["application", "network"] = "application"
    scheme: Literal["internal", "internet-facing"] = "internal"
    network_id: NetworkId | None = Field(default=None, description="a VPC; default: the region's own")
    security_groups: list[SecurityGroupId] = Field(default_factory=list, max_length=5)
    port: int | None = Field(default=None, ge=1, le=65535, description="default: 443 with a certificate, otherwise 80")
    certificate: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:(acm|iam):",
        max_length=2048,
        description="ARN of the certificate for HTTPS or TLS; without one nothing is encrypted",
    )
    target_port: int = Field(default=80, ge=1, le=65535)
    targets: list[MachineId] = Field(
        default_factory=list, max_length=200, description="EC2 instances", json_schema_extra=_CHANGES_IN_PLACE
    )
    health_check_path: str = Field(
        default="/",
        pattern=r"^/[\x21-\x7e]*$",
        max_length=1024,
        description="of an application load balancer; a network one connects by TCP",
        json_schema_extra=_CHANGES_IN_PLACE,
    )


class DnsRecord(BaseModel):
    """The records of one name and type."""

    model_config = _STRICT

    name: str = Field(
        pattern=rf"^(\*\.)?{_LABELS}$", max_length=253, description="the whole name, such as www.example.com"
    )
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "PTR", "SRV", "TXT"]
    values: list[Annotated[str, Field(min_length=1, max_length=4000)]] = Field(
        min_length=1, max_length=400, description="as in a zone file; a text may stand without quotes"
    )
    ttl_s: int = Field(default=300, ge=0, le=2_147_483_647)

    @field_validator("values")
    @classmethod
    def _in_one_order(cls, values: list[str]) -> list[str]:
        """DNS knows no order of them."""
        return sorted(values)


class Route53ZoneConfiguration(BaseModel):
    """A DNS zone of the internet or, with a network, of that network alone."""

    model_config = _STRICT

    name: str = Field(pattern=rf"^{_LABELS}$", max_length=253, description="the domain, such as example.com")
    network_id: NetworkId | None = Field(default=None, description="a VPC: the zone is known there only")
    network_region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$",
        validate_default=True,
        description="the VPC's region",
    )
    records: list[DnsRecord] = Field(
        default_factory=list,
        max_length=1000,
        description="all but the zone's own; what is not here is removed",
        json_schema_extra=_CHANGES_IN_PLACE,
    )

    @field_validator("network_region")
    @classmethod
    def _with_network(cls, region: str | None, given: ValidationInfo) -> str | None:
        if (region is None) != (given.data.get("network_id") is None):
            raise ValueError("is said with network_id, and only with it")
        return region

    @field_validator("records")
    @classmethod
    def _of_the_zone(cls, records: list[DnsRecord], given: ValidationInfo) -> list[DnsRecord]:
        zone = given.data.get("name")
        names = [(each.name, each.type) for each in records]
        if len(set(names)) < len(names):
            raise ValueError("has each name and type once")
        if zone is not None and any(each.name != zone and not each.name.endswith(f".{zone}") for each in records):
            raise ValueError(f"has names in {zone} only")
        return sorted(records, key=lambda each: (each.name, each.type))


class CloudFrontDistributionConfiguration(BaseModel):
    """Content delivery from a bucket, which needs not be public, or from a server that speaks HTTPS."""

    model_config = _STRICT

    bucket: str | None = Field(
        default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="an S3 bucket of the account"
    )
    origin: str | None = Field(
        default=None,
        pattern=rf"^{_LABELS}$",
        max_length=253,
        validate_default=True,
        description="the host name of a server; either this or a bucket",
    )
    origin_path: str = Field(default="", pattern=r"^(/[\x21-\x7e]*[^/])?$", max_length=255)
    domains: list[Annotated[str, Field(pattern=rf"^(\*\.)?{_LABELS}$", max_length=253)]] = Field(
        default_factory=list,
        max_length=100,
        description="domains that it answers to, all in the certificate",
        json_schema_extra=_CHANGES_IN_PLACE,
    )
    certificate: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:acm:us-east-1:",
        max_length=2048,
        validate_default=True,
        description="ARN of a certificate of us-east-1; default: CloudFront's own",
        json_schema_extra=_CHANGES_IN_PLACE,
    )
    default_root_object: str = Field(
        default="",
        pattern=r"^[\x21-\x7e]*$",
        max_length=255,
        description="what / shows, such as index.html",
        json_schema_extra=_CHANGES_IN_PLACE,
    )
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        default="PriceClass_100",
        description="100: Europe and North America; All: the whole world",
        json_schema_extra=_CHANGES_IN_PLACE,
    )
    cache: Literal["optimized", "disabled"] = Field(default="optimized", json_schema_extra=_CHANGES_IN_PLACE)

    @field_validator("origin")
    @classmethod
    def _one_source(cls, origin: str | None, given: ValidationInfo) -> str | None:
        if (origin is None) == (given.data.get("bucket") is None):
            raise ValueError("either this or a bucket is given")
        return origin

    @field_validator("domains")
    @classmethod
    def _in_one_order(cls, domains: list[str]) -> list[str]:
        return sorted(set(domains))

    @field_validator("certificate")
    @classmethod
    def _for_domains(cls, certificate: str | None, given: ValidationInfo) -> str | None:
        if certificate is None and given.data.get("domains"):
            raise ValueError("is needed for domains of one's own")
        return certificate
