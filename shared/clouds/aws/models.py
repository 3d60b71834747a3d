"""What does AWS want to be told: credentials and the configuration of each kind of resource."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, ValidationInfo, field_validator

from shared.clouds.models import CHANGE, IN_PLACE, NEEDS_STOP

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)

_CHANGES_IN_PLACE: dict[str, JsonValue] = {CHANGE: IN_PLACE}

SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]


class AwsCredentials(BaseModel):
    """An access key of an IAM user; `default_region` is asked for what belongs to no region."""

    model_config = _STRICT

    access_key_id: str = Field(pattern=r"^[\x21-\x7e]{4,128}$", description="for example AKIA…")
    secret_access_key: SecretStr = Field(min_length=1, max_length=256, json_schema_extra={"writeOnly": True})
    default_region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")


class Ec2InstanceConfiguration(BaseModel):
    """An EC2 instance."""

    model_config = _STRICT

    instance_type: str = Field(
        default="t3.micro",
        pattern=r"^[a-z][a-z0-9-]{0,31}\.[a-z0-9-]{1,31}$",
        description="for example m7i.large",
        json_schema_extra={CHANGE: NEEDS_STOP},
    )
    image: str | None = Field(
        default=None,
        pattern=r"^ami-[0-9a-f]{8,17}$",
        description="an AMI of the region; default: the newest Amazon Linux",
    )
    availability_zone: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z0-9]+)+-[0-9]{1,2}[a-z]$")
    subnet_id: str | None = Field(default=None, pattern=r"^subnet-[0-9a-f]{8,17}$")
    security_groups: list[SecurityGroupId] = Field(default_factory=list, max_length=16)
    monitoring: Literal["basic", "detailed"] = Field(
        default="basic", description="basic: a point each 300 s, free; detailed: a point each 60 s, billed by AWS"
    )
    volume_size_gib: int | None = Field(
        default=None, ge=1, le=16384, description="size of the root volume; default: the image's"
    )


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
