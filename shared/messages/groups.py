"""Groups: a resource and its copies, of which there may be more or fewer. Owned by the provisioner."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Command, Mutation
from shared.messages.fleets import FleetItem, FleetPart
from shared.messages.resources import AcceptedResource
from shared.messages.scaling import ScalingTrigger
from shared.messages.texts import Prose

GroupAction = Literal["scale_out", "scale_in"]
COUNT_MAX = 50


class AcceptedGroup(AcceptedResource):
    """`resource` is the group's original, `members` are those that are made or removed."""

    members: list[FleetItem]


class ScaleGroup(Mutation, entity="resource", name="scale_group", owner="provisioner", reply=AcceptedGroup):
    """Make `count` copies more of a resource, or remove so many of its copies, the newest first.

    `resource` is the original or a copy: the copies get its configuration, tags and flags and the original's name with
    a number. 409 while the group is being scaled already. The original goes last and by `force` only; a critical
    resource, or one that others stand on, needs `force` and a manager.
    """

    resource: UUID
    action: GroupAction
    count: int = Field(default=1, ge=1, le=COUNT_MAX)
    reason: Prose | None = Field(default=None, max_length=1000)
    trigger: ScalingTrigger = "manual"
    force: bool = False


class GroupPart(FleetPart):
    """A member that is made or removed; what an hour of it costs, null where nobody knows."""

    hourly_cost: float | None = None


class CompleteGroup(Command, entity="resource", name="complete_group", owner="provisioner"):
    """Wait for the ends of its parts, and write down what the group is then. The aggregate is the original."""

    action: GroupAction
    count_before: int
    parts: list[GroupPart]
