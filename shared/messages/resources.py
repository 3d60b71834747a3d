"""Resources: what runs at a cloud. Owned by the provisioner; health comes from monitor, cost from costs, as events."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Command, Event, Facts, ListRequest, Mutation, Page, Request
from shared.messages.operations import Operation
from shared.messages.texts import Line

ResourceType = Literal["compute", "storage", "database", "network", "load_balancer", "cdn", "dns", "analytics"]
ResourceStatus = Literal[
    "provisioning", "running", "stopped", "stopping", "starting", "error", "terminated", "available"
]
"""`available` is what exists and neither runs nor stands still: a volume, a snapshot."""
Origin = Literal["provisioned", "discovered"]
HealthStatus = Literal["healthy", "warning", "critical", "unknown"]
Environment = Literal["development", "testing", "staging", "production"]


class Resource(Facts):
    """One resource. `resource_id` is the provider's own id, null until it is known, as are zone and addresses.

    `address` is the host name or address where an asset (a database, a load balancer) is reached.
    `version` counts the owner's own changes; health, metrics and costs are other services' facts and do not move it.
    `origin` is `provisioned` (made through us) or `discovered` (found in the account and adopted). `group_id` is the id
    of the resource that it is a copy of by a scale-out, its own when it has copies; null when there never were any.
    """

    id: UUID
    organization_id: UUID
    provider_id: UUID
    provider_name: str
    region: str
    resource_id: str | None = None
    resource_name: str
    resource_type: str
    resource_subtype: str
    size_category: str | None = None
    availability_zone: str | None = None
    private_ip: str | None = None
    public_ip: str | None = None
    address: str | None = None
    configuration: dict[str, Any] = {}
    resource_status: str
    health_status: str = "unknown"
    status_reason: str | None = None
    environment: str
    project: str
    tags: dict[str, str] = {}
    is_wedding_critical: bool = False
    origin: str = "provisioned"
    group_id: UUID | None = None
    cost_tracking: dict[str, Any] = {}
    performance_metrics: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime
    terminated_at: datetime | None = None
    version: int


class AcceptedResource(Facts):
    """A resource and the long work that was accepted for it."""

    operation: Operation
    resource: Resource


class ResourceOrder(Facts):
    """What is to be provisioned; the provider's schema of the subtype checks `configuration`."""

    provider_id: UUID
    region: Line = Field(min_length=1, max_length=64)
    resource_name: Line = Field(min_length=1, max_length=200)
    resource_type: ResourceType
    resource_subtype: Line = Field(min_length=1, max_length=64)
    configuration: dict[str, Any] = Field(default_factory=dict)
    environment: Environment = "development"
    project: Line = Field(min_length=1, max_length=100)
    tags: dict[Line, Line] = Field(default_factory=dict, max_length=40)
    is_wedding_critical: bool = False


class CreateResource(
    ResourceOrder, Mutation, entity="resource", name="create", owner="provisioner", reply=AcceptedResource
):
    """Accepts the provisioning of one resource."""


class GetResource(Request, entity="resource", name="get", owner="provisioner", reply=Resource):
    resource: UUID


class ListResources(ListRequest, entity="resource", name="list", owner="provisioner", reply=Page[Resource]):
    """Filters are equalities; `tag` is `key` or `key=value`; `q` is a prefix of the name."""

    provider_id: UUID | None = None
    provider: Line | None = None
    region: Line | None = None
    resource_type: Line | None = None
    resource_subtype: Line | None = None
    resource_status: Line | None = None
    health_status: Line | None = None
    environment: Line | None = None
    project: Line | None = None
    origin: Line | None = None
    group: UUID | None = None
    tag: Line | None = Field(default=None, max_length=400)
    q: Line | None = Field(default=None, max_length=200)


class UpdateResource(Mutation, entity="resource", name="update", owner="provisioner", reply=Resource):
    """Only the fields that are given change; `tags` replace all earlier ones. The machine's own tags follow."""

    resource: UUID
    resource_name: Line | None = Field(default=None, min_length=1, max_length=200)
    environment: Environment | None = None
    project: Line | None = Field(default=None, min_length=1, max_length=100)
    tags: dict[Line, Line] | None = Field(default=None, max_length=40)
    is_wedding_critical: bool | None = None


class StopResource(Mutation, entity="resource", name="stop", owner="provisioner", reply=AcceptedResource):
    """409 unless it is running; a critical one, or one that others stand on, needs `force` and a manager."""

    resource: UUID
    force: bool = False


class StartResource(Mutation, entity="resource", name="start", owner="provisioner", reply=AcceptedResource):
    resource: UUID


class DeleteResource(Mutation, entity="resource", name="delete", owner="provisioner", reply=AcceptedResource):
    resource: UUID
    force: bool = False


class ListInventory(
    ListRequest,
    entity="resource",
    name="inventory",
    owner="provisioner",
    reply=Page[Resource],
    askers=("monitor", "costs", "recovery"),
):
    """All resources of all organizations, page by page: the snapshot for a projection. Its organization is `system`."""


class ProvisionResource(Command, entity="resource", name="provision", owner="provisioner"):
    """Create at the cloud what the row says. The aggregate is the resource; its facts are read from the row."""


class PowerOffResource(Command, entity="resource", name="power_off", owner="provisioner"):
    pass


class PowerOnResource(Command, entity="resource", name="power_on", owner="provisioner"):
    pass


class TerminateResource(Command, entity="resource", name="terminate", owner="provisioner"):
    pass


class TagResource(Command, entity="resource", name="tag", owner="provisioner"):
    """Put the row's tags on the thing at the cloud."""


class Change(Facts):
    """What a fact was and what it is now; null: there was none."""

    before: Any = None
    after: Any = None


class ResourceEvent(Event):
    """The aggregate is the resource; the event holds all of it, so that a projection needs nothing else.

    `changes`, by name of the fact, are what a read of the account found changed; empty for a change that we made.
    """

    resource: Resource
    changes: dict[str, Change] = {}


class ResourceRequested(ResourceEvent, entity="resource", name="requested", owner="provisioner"):
    """It was accepted and is being provisioned."""


class ResourceUpdated(ResourceEvent, entity="resource", name="updated", owner="provisioner"):
    """Tags, configuration or an intermediate status (starting, stopping; stopped while it is scaled) changed."""


class ResourceStarted(ResourceEvent, entity="resource", name="started", owner="provisioner"):
    """It runs: after provisioning or after a start."""


class ResourceStopped(ResourceEvent, entity="resource", name="stopped", owner="provisioner"):
    pass


class ResourceScaled(ResourceEvent, entity="resource", name="scaled", owner="provisioner"):
    """It has another size, and runs with it if it ran before; `before` and `after` are its configurations."""

    action: str
    trigger: str
    before: dict[str, Any]
    after: dict[str, Any]


class ResourceFailed(ResourceEvent, entity="resource", name="failed", owner="provisioner"):
    """Provisioning failed and what was made was removed, or a transition failed; `status_reason` says why."""


class ResourceTerminated(ResourceEvent, entity="resource", name="terminated", owner="provisioner"):
    """It is gone: removed through us, or a complete read of the account found it no more (`status_reason`)."""


class ResourceDiscovered(ResourceEvent, entity="resource", name="discovered", owner="provisioner"):
    """It was found in the account, not made through us, and is kept, watched and metered from now on."""


RESOURCE_EVENTS = (
    ResourceDiscovered,
    ResourceRequested,
    ResourceUpdated,
    ResourceStarted,
    ResourceStopped,
    ResourceScaled,
    ResourceFailed,
    ResourceTerminated,
)


class ResourceHealthChanged(Event, entity="resource", name="health_changed", owner="monitor"):
    """What monitor found. Its version counts monitor's own changes of this resource, not the resource's."""

    resource_id: UUID
    old_health_status: str
    health_status: str
    health_score: int | None
    performance_metrics: dict[str, Any] = {}


class ResourceCostChanged(Event, entity="resource", name="cost_changed", owner="costs"):
    """What costs knows: hourly, daily, monthly, total in `currency`; a null price is unknown, never 0."""

    resource_id: UUID
    cost_tracking: dict[str, Any]
