"""What does Google Cloud want to be told: credentials and the configuration of each kind of resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from shared.clouds.private_keys import read_private_key
from shared.clouds.workload import OrganizationId

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)

NetworkTag = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]


class ServiceAccountKey(BaseModel):
    """What we use of a service account's key.

    The addresses in the document (`token_uri`, `universe_domain`…) are not read: a tenant's input must not decide
    where this deployment sends a signed assertion.
    """

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True, frozen=True)

    type: str = Field(pattern=r"^service_account$")
    client_email: str = Field(pattern=r"^[^@\s]{1,128}@[A-Za-z0-9.-]{1,253}$")
    private_key_id: str = Field(pattern=r"^[0-9A-Za-z_-]{1,128}$")
    private_key: SecretStr = Field(json_schema_extra={"writeOnly": True})

    @field_validator("private_key")
    @classmethod
    def _is_rsa(cls, value: SecretStr) -> SecretStr:
        """`from None`: the parser's exception may quote the key."""
        try:
            key = read_private_key(value.get_secret_value())
        except Exception:  # noqa: BLE001 - whatever the parser dislikes
            raise ValueError("is not a private key in PEM") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("is not an RSA key")  # noqa: TRY004 - pydantic shows ValueError
        return value

    def canonical(self) -> str:
        """The same key as one line of JSON, without what we do not use."""
        plain = self.model_dump() | {"private_key": self.private_key.get_secret_value()}
        return json.dumps(plain, sort_keys=True)


def _parsed(value: Any) -> Any:
    """A key comes as Google's JSON document, or as text that holds it."""
    if not isinstance(value, str):
        return dict(value) if isinstance(value, Mapping) else value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("is not a JSON document") from None


ProjectId = Annotated[
    str,
    Field(pattern=r"^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", description="for example wedding-photos-1"),
]
ServiceAccountEmail = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.-]{1,100}\.iam\.gserviceaccount\.com$",
        description="the service account that works for us: whoever the credentials are may only become it",
    ),
]


class GcpCredentials(BaseModel):
    """A service account's key, and the project that we work in, which need not be the account's own."""

    model_config = _STRICT

    project_id: ProjectId
    service_account_key: Annotated[ServiceAccountKey, BeforeValidator(_parsed)] = Field(
        description="the JSON document that Google gives for a service account's key, as an object or as text"
    )
    impersonated_service_account: ServiceAccountEmail | None = None


class GcpWorkloadCredentials(BaseModel):
    """A project whose workload identity pool trusts this organization's identity token.

    Without a service account to become, the pool's principal itself has the roles.
    """

    model_config = _STRICT

    project_id: ProjectId
    audience: str = Field(
        pattern=(
            r"^//iam\.googleapis\.com/projects/[0-9]{1,20}/locations/global"
            r"/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$"
        ),
        description="the pool's provider: //iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/…",
    )
    impersonated_service_account: ServiceAccountEmail | None = None
    organization_id: OrganizationId


class GceInstanceConfiguration(BaseModel):
    """A Compute Engine instance."""

    model_config = _STRICT

    instance_type: str = Field(
        default="e2-micro", pattern=r"^[a-z][a-z0-9]{1,15}(-[a-z0-9]{1,15}){1,4}$", description="for example e2-medium"
    )
    image: str | None = Field(
        default=None,
        pattern=r"^projects/[a-z0-9.:-]{1,100}/global/images/(family/)?[a-z][-a-z0-9]{0,62}$",
        description="an image or image family; default: the newest Debian 12",
    )
    availability_zone: str | None = Field(default=None, pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$")
    subnet_id: str | None = Field(
        default=None,
        pattern=r"^projects/[a-z0-9.:-]{1,100}/regions/[a-z0-9-]{1,40}/subnetworks/[a-z][-a-z0-9]{0,62}$",
        description="default: the region's part of the default network, with an external address",
    )
    security_groups: list[NetworkTag] = Field(
        default_factory=list, max_length=16, description="network tags, which firewall rules name"
    )
    volume_size_gib: int | None = Field(
        default=None, ge=10, le=65536, description="size of the boot disk; default: the image's"
    )
    capacity_type: Literal["on_demand", "spot"] = Field(
        default="on_demand", description="spot: cheaper; Google stops it when it needs the capacity"
    )
