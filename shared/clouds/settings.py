"""How this deployment reaches the clouds: endpoints and time limits, never a tenant's input."""

from __future__ import annotations

from uuid import UUID

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ORGANIZATION = "{organization}"
"""In the name of the file of identity tokens: where the organization's id goes."""


class CloudSettings(BaseSettings):
    """Read from the environment with the prefix `CANOPY_`, like every setting of a service."""

    model_config = SettingsConfigDict(env_prefix="CANOPY_", frozen=True, extra="ignore", env_ignore_empty=True)

    workload_token_file: str | None = Field(
        default=None, description="the identity token of an organization: a path with {organization} in it"
    )
    workload_token_organization: UUID | None = Field(
        default=None, description="whose token it is when the path has no {organization} in it; nobody else may use it"
    )
    aws_base_access_key_id: str | None = Field(
        default=None, description="of the principal that assumes tenants' roles when they give no key of their own"
    )
    aws_base_secret_access_key: SecretStr | None = None
    aws_endpoint_url: AnyHttpUrl | None = Field(
        default=None, description="one address for every AWS API and region; unset: AWS's own addresses"
    )
    azure_endpoint_url: AnyHttpUrl | None = Field(
        default=None, description="one address for Entra, Resource Manager and metrics; unset: Azure's public cloud"
    )
    digitalocean_endpoint_url: AnyHttpUrl | None = Field(
        default=None, description="the DigitalOcean API; unset: DigitalOcean's own address"
    )
    gcp_endpoint_url: AnyHttpUrl | None = Field(
        default=None, description="one address for Google's token endpoint and every API; unset: Google's own addresses"
    )
    gcp_operation_wait_s: float = Field(
        default=10.0, gt=0, le=120, description="how long a change of Google Cloud is waited for before it is answered"
    )
    linode_endpoint_url: AnyHttpUrl | None = Field(
        default=None, description="the Linode API; unset: Linode's own address"
    )
    vultr_endpoint_url: AnyHttpUrl | None = Field(default=None, description="the Vultr API; unset: Vultr's own address")
    cloud_connect_timeout_s: float = Field(default=5.0, gt=0, le=60)
    cloud_read_timeout_s: float = Field(default=30.0, gt=0, le=300)
    cloud_call_attempts: int = Field(
        default=2, ge=1, le=10, description="tries inside one call, the first included; sagas and jobs retry above it"
    )
    cloud_accounts_open: int = Field(
        default=16, ge=1, le=1000, description="accounts kept open, the least recently asked given up; each has clients"
    )
    cloud_handover_s: float = Field(
        default=120.0,
        ge=0,
        le=3600,
        description="how long the old credentials' work under way may go on after new came",
    )
    cloud_clients_per_account: int = Field(
        default=32, ge=1, le=200, description="SDK clients kept, one per service and region; TLS takes 0.8 MB of each"
    )
    cloud_threads_per_account: int = Field(
        default=8, ge=1, le=64, description="blocking SDK calls at once for one account; more wait their turn"
    )
    cloud_budget_first_per_s: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="calls a second, and at once, that each API is believed to take at first; unset: what is published",
    )
    cloud_budget_wait_s: float = Field(
        default=10.0, ge=0, le=300, description="how long a call for which somebody waits may wait for its turn"
    )
    cloud_budget_background_wait_s: float = Field(
        default=60.0, ge=0, le=3600, description="the same of a call of the background (inventory, metrics)"
    )
