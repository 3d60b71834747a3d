"""What does Azure want to be told: credentials and the configuration of each kind of resource."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from shared.clouds.azure.certificate import Certificate
from shared.clouds.workload import OrganizationId

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)

_NAME = r"[A-Za-z0-9_.-]+"
_GROUP = rf"/subscriptions/{_NAME}/resourceGroups/[A-Za-z0-9_.()-]+/providers/"
SecurityGroupId = Annotated[
    str, Field(pattern=rf"^{_GROUP}Microsoft\.Network/networkSecurityGroups/{_NAME}$", max_length=400)
]


class _Application(BaseModel):
    """An application of Entra, and the one subscription that it is used for.

    The characters are those that azure-identity takes (azure/identity/_internal/utils.py).
    """

    model_config = _STRICT

    tenant_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,254}$", description="the directory's id or domain")
    client_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", description="the application's id")
    subscription_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")


class AzureCredentials(_Application):
    """A service principal with a client secret."""

    client_secret: SecretStr = Field(min_length=1, max_length=256, json_schema_extra={"writeOnly": True})


class CertificateCredentials(_Application):
    """A service principal with a certificate: what Entra has the public half of."""

    client_certificate: SecretStr = Field(
        min_length=1,
        max_length=16_384,
        description="the certificate and its RSA key, both in PEM and without a password",
        json_schema_extra={"writeOnly": True},
    )

    @field_validator("client_certificate")
    @classmethod
    def _is_whole(cls, value: SecretStr) -> SecretStr:
        """`from None`: the parser's exception may quote the key."""
        try:
            Certificate.read(value.get_secret_value())
        except ValueError as error:
            raise ValueError(str(error)) from None
        return value


class WorkloadCredentials(_Application):
    """A service principal with a federated credential that trusts this organization's identity token."""

    organization_id: OrganizationId


class AzureMachineConfiguration(BaseModel):
    """A virtual machine."""

    model_config = _STRICT

    instance_type: str = Field(
        default="Standard_B1s", pattern=r"^[A-Z][A-Za-z]{1,15}_[A-Za-z0-9_-]{1,48}$", description="a VM size"
    )
    image: str | None = Field(
        default=None,
        pattern=rf"^({_NAME}:{_NAME}:{_NAME}:{_NAME}|{_GROUP}Microsoft\.Compute(/{_NAME})+)$",
        max_length=400,
        description="publisher:offer:sku:version, or the id of an image; default: the newest Ubuntu LTS",
    )
    availability_zone: str | None = Field(
        default=None, pattern=r"^([1-9]|[a-z0-9]{3,32})$", description="1, 2 or 3; or the region, for no zone"
    )
    subnet_id: str | None = Field(
        default=None, pattern=rf"^{_GROUP}Microsoft\.Network/virtualNetworks/{_NAME}/subnets/{_NAME}$", max_length=400
    )
    security_groups: list[SecurityGroupId] = Field(
        default_factory=list, max_length=1, description="Azure guards a network interface by one group"
    )
    monitoring: Literal["basic"] = Field(default="basic", description="Azure publishes a point each 60 s")
    volume_size_gib: int | None = Field(
        default=None, ge=30, le=4095, description="size of the operating system's disk; default: the image's"
    )
    capacity_type: Literal["on_demand", "spot"] = Field(
        default="on_demand",
        description="spot: cheaper; Azure stops (deallocates) it when it needs the capacity; not for every size",
    )
