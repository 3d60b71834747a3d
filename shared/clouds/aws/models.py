"""What does AWS want to be told: credentials and the configuration of each kind of resource."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.clouds.models import CHANGE, NEEDS_STOP
from shared.clouds.workload import OrganizationId

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)

SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]


AccessKeyId = Annotated[str, Field(pattern=r"^[\x21-\x7e]{4,128}$", description="for example AKIA…")]
SecretAccessKey = Annotated[SecretStr, Field(min_length=1, max_length=256, json_schema_extra={"writeOnly": True})]
DefaultRegion = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")]
RoleArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}$",
        description="arn:aws:iam::123456789012:role/canopy",
    ),
]


class AwsCredentials(BaseModel):
    """An access key of an IAM user; `default_region` is asked for what belongs to no region."""

    model_config = _STRICT

    access_key_id: AccessKeyId
    secret_access_key: SecretAccessKey
    default_region: DefaultRegion | None = None


class AssumedRole(BaseModel):
    """A role of the account, assumed with the external id that Canopy gives the organization.

    By the access key here, which needs to be allowed nothing else, or without one by the deployment's own.
    """

    model_config = _STRICT

    role_arn: RoleArn
    access_key_id: AccessKeyId | None = None
    secret_access_key: SecretAccessKey | None = None
    default_region: DefaultRegion | None = None
    organization_id: OrganizationId

    @model_validator(mode="after")
    def _key_is_whole(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("an access key is access_key_id and secret_access_key, or neither")
        return self


class WebIdentityRole(BaseModel):
    """A role of the account whose trust names the identity provider that signs this organization's tokens."""

    model_config = _STRICT

    role_arn: RoleArn
    default_region: DefaultRegion | None = None
    organization_id: OrganizationId


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
    capacity_type: Literal["on_demand", "spot"] = Field(
        default="on_demand",
        description="spot: cheaper; EC2 terminates it when it needs the capacity, and it cannot be stopped or resized",
    )
