"""Providers: accounts of an organization at a cloud. Owned by the provisioner; credentials are never in a message."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Command, Event, Facts, ListRequest, Mutation, Page, Request
from shared.messages.texts import Line, Prose

ProviderName = Literal["aws", "azure", "gcp", "digitalocean", "linode", "vultr"]
ProviderType = Literal["primary", "secondary", "backup", "edge", "development"]


class Provider(Facts):
    """One account as anybody may see it; it publishes a point each `metrics_period_s` (basic 300, detailed 60).

    `health_status` is healthy, degraded, critical, or unknown (an account that is not asked), so since `health_since`
    (null: since before that was kept) and last confirmed at `last_health_check`; `health_reason` says why.
    `last_sync_at`: all of its inventory is at least as new as this; null until every scope was read to its end once.
    """

    id: UUID
    organization_id: UUID
    provider_name: str
    provider_type: str
    display_name: str
    description: str | None = None
    regions: list[str]
    account_id: str | None = None
    capabilities: dict[str, bool] = {}
    cost_budget: float | None = None
    metrics_period_s: int = 300
    is_active: bool = True
    health_status: str = "unknown"
    health_reason: str | None = None
    health_since: datetime | None = None
    last_health_check: datetime | None = None
    last_sync_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int


class Region(Facts):
    """One region of a provider, as discovered. Null zones or location: not known, because the region did not say.

    `capacity_status` is `unknown` as long as nothing measures it: a cloud tells a lack of it only when asked for some.
    """

    provider_id: UUID
    region_code: str
    region_name: str
    availability_zones: list[str] | None
    geographic_location: dict[str, Any] | None
    capacity_status: str = "unknown"


class ConnectionTest(Facts):
    """What a connection test found; `reason` says why it is not ok."""

    ok: bool
    latency_ms: float
    account: str | None
    reason: str | None = None
    checked_at: datetime


class CreateProvider(Mutation, entity="provider", name="create", owner="provisioner", reply=Provider, timeout_s=10.0):
    """Tests the credentials at the cloud, then stores them encrypted. 422 `invalid_credentials` stores nothing."""

    provider_name: ProviderName
    provider_type: ProviderType = "primary"
    display_name: Line = Field(min_length=1, max_length=200)
    description: Prose | None = Field(default=None, max_length=2000)
    regions: list[Line] = Field(default_factory=list, max_length=100)
    credentials_config: dict[str, Any] = Field(repr=False)
    cost_budget: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    metrics_period_s: int | None = Field(default=None, ge=1, le=86_400)


class GetProvider(Request, entity="provider", name="get", owner="provisioner", reply=Provider):
    provider_id: UUID


class ListProviders(ListRequest, entity="provider", name="list", owner="provisioner", reply=Page[Provider]):
    provider_name: Line | None = None
    q: Line | None = Field(default=None, max_length=200)


class UpdateProvider(Mutation, entity="provider", name="update", owner="provisioner", reply=Provider, timeout_s=10.0):
    """Only the fields that are given change; new credentials are tested before the old ones are dropped."""

    provider_id: UUID
    provider_type: ProviderType | None = None
    display_name: Line | None = Field(default=None, min_length=1, max_length=200)
    description: Prose | None = Field(default=None, max_length=2000)
    regions: list[Line] | None = Field(default=None, max_length=100)
    credentials_config: dict[str, Any] | None = Field(default=None, repr=False)
    cost_budget: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    metrics_period_s: int | None = Field(default=None, ge=1, le=86_400)
    is_active: bool | None = None


class RemoveProvider(Mutation, entity="provider", name="remove", owner="provisioner", reply=Provider):
    """409 `active_resources` while resources of it are not terminated."""

    provider_id: UUID


class TestConnection(
    Request, entity="provider", name="test_connection", owner="provisioner", reply=ConnectionTest, timeout_s=10.0
):
    __test__ = False

    provider_id: UUID


class ListRegions(Request, entity="provider", name="list_regions", owner="provisioner", reply=Page[Region]):
    provider_id: UUID


class ListProviderInventory(
    ListRequest,
    entity="provider",
    name="inventory",
    owner="provisioner",
    reply=Page[Provider],
    askers=("monitor", "costs", "recovery"),
):
    """All providers of all organizations, page by page: the snapshot for a projection. Its organization is `system`."""


class Trust(Facts):
    """What an organization has to let its cloud trust, for accounts that are opened without a secret of its own.

    `methods` are what this deployment can do for it at that provider, the first needs no trust. `external_id` is given
    by Canopy, another one to each organization; `principal` is who assumes AWS roles. `issuer`, `subject` and
    `audience` are those of the organization's identity token. Null: this deployment has none.
    """

    provider_name: str
    methods: list[str]
    external_id: str | None = None
    principal: str | None = None
    issuer: str | None = None
    subject: str | None = None
    audience: list[str] | None = None


class GetTrust(Request, entity="provider", name="get_trust", owner="provisioner", reply=Trust, timeout_s=10.0):
    provider_name: ProviderName


class CheckProvider(Command, entity="provider", name="check", owner="provisioner"):
    """Ask the cloud whether the credentials still work and keep the answer as the provider's health."""


class Rotation(Facts):
    """How many sealed records (credentials, channels) came under the primary key now, and how many wait."""

    rotated: int
    remaining: int


class RotateCredentials(
    Request,
    entity="provider",
    name="rotate_credentials",
    owner="provisioner",
    reply=Rotation,
    askers=("operator",),
    timeout_s=10.0,
):
    """Seal again what is not under the key ring's primary key; ask again while some remain. Organization `system`."""


class ProviderEvent(Event):
    """The aggregate is the provider; the event holds all of it."""

    provider: Provider


class ProviderAdded(ProviderEvent, entity="provider", name="added", owner="provisioner"):
    pass


class ProviderUpdated(ProviderEvent, entity="provider", name="updated", owner="provisioner"):
    pass


class ProviderHealthChanged(ProviderEvent, entity="provider", name="health_changed", owner="provisioner"):
    pass


class ProviderRemoved(ProviderEvent, entity="provider", name="removed", owner="provisioner"):
    pass


PROVIDER_EVENTS = (ProviderAdded, ProviderUpdated, ProviderHealthChanged, ProviderRemoved)
