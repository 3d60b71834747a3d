"""Scalings: a resource gets another size, and what is remembered of it. Owned by the provisioner."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Command, Facts, ListRequest, Mutation, Page, Request
from shared.messages.operations import Operation
from shared.messages.resources import AcceptedResource, Environment, Resource, UpdateResource
from shared.messages.texts import Line, Prose

ScalingAction = Literal["scale_up", "scale_down", "configuration_change"]
"""What another size may be. History knows `scale_out` and `scale_in` too: more or fewer things of one size."""
ScalingTrigger = Literal["manual", "auto_cpu", "auto_memory", "auto_requests", "scheduled"]


class Scaling(Facts):
    """One change of size or number, from its acceptance on. `id` is its operation's; of a number, both are `count`.

    `success` and `duration_s` are null while it is at work; the configurations are those before and as desired, also of
    one that failed and was taken back. `cost_impact` (of an hour) is null until costs has said a price of both sizes,
    and stays null when one has none: unknown is never 0. `performance_impact` is null when a size is not known.
    """

    id: UUID
    resource_id: UUID
    action: str
    before_configuration: dict[str, Any]
    after_configuration: dict[str, Any]
    trigger: str
    reason: str | None = None
    cost_impact: dict[str, Any] | None = None
    performance_impact: dict[str, Any] | None = None
    success: bool | None = None
    error: str | None = None
    duration_s: float | None = None
    created_by: str
    started_at: datetime
    finished_at: datetime | None = None


class ScaleResource(Mutation, entity="resource", name="scale", owner="provisioner", reply=AcceptedResource):
    """Give a resource another size; without `instance_type` the next larger or smaller one of its family.

    What runs is stopped for it and runs again afterwards, at the old size when the new one cannot be had. 409 unless it
    runs or is stopped; a critical resource needs `force` and a manager.
    """

    resource: UUID
    action: ScalingAction
    instance_type: Line | None = Field(default=None, min_length=1, max_length=64)
    reason: Prose | None = Field(default=None, max_length=1000)
    trigger: ScalingTrigger = "manual"
    force: bool = False


class ListScalings(ListRequest, entity="resource", name="list_scalings", owner="provisioner", reply=Page[Scaling]):
    """What a resource's sizes were changed to, and why; the newest first."""

    resource: UUID


class FieldChange(Facts):
    """`field` is a JSON pointer into the body of the change."""

    field: str
    before: Any = None
    after: Any = None


class ResourceChanges(Facts):
    """What a desired state changes at once, what with a stop, and what only a new resource can have."""

    in_place: list[FieldChange] = []
    needs_stop: list[FieldChange] = []
    replace: list[FieldChange] = []


class ConfiguredResource(Facts):
    """The resource after what changed at once, and the long work on the rest; `operation` null when there is none."""

    operation: Operation | None = None
    resource: Resource
    changes: ResourceChanges


class ConfigureResource(
    UpdateResource, entity="resource", name="configure", owner="provisioner", reply=ConfiguredResource
):
    """As `update`, and a desired configuration: its fields that are given are to become so, the others stay.

    422 naming each field that an existing resource cannot change; then nothing changes at all.
    """

    configuration: dict[Line, Any] = Field(max_length=100)
    reason: Prose | None = Field(default=None, max_length=1000)
    force: bool = False


class CompareResource(Request, entity="resource", name="compare", owner="provisioner", reply=ResourceChanges):
    """What `configure` with the same fields would do; nothing is changed."""

    resource: UUID
    configuration: dict[Line, Any] = Field(max_length=100)
    resource_name: Line | None = Field(default=None, min_length=1, max_length=200)
    environment: Environment | None = None
    project: Line | None = Field(default=None, min_length=1, max_length=100)
    tags: dict[Line, Line] | None = Field(default=None, max_length=40)
    is_wedding_critical: bool | None = None


class ResizeResource(Command, entity="resource", name="resize", owner="provisioner"):
    """Give the machine of a resource another type. `resource_status` is what it was when this was accepted."""

    instance_type: str
    resource_status: str


class ReconfigureResource(Command, entity="resource", name="reconfigure", owner="provisioner"):
    """Give an asset this whole configuration, of which the fields of `wanted` change; it serves on meanwhile.

    `resource_status` is what it was when this was accepted.
    """

    configuration: dict[str, Any]
    wanted: dict[str, Any]
    resource_status: str
