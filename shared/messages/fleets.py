"""Fleets: resources that are ordered together and accepted as one long work. Owned by the provisioner."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Command, Facts, Mutation
from shared.messages.operations import Operation
from shared.messages.resources import ResourceOrder

FleetPolicy = Literal["all_or_nothing", "best_effort"]
"""What one item that cannot be had means for the others: they go too, or they stay."""
ITEMS_MAX = 200


class FleetItem(Facts):
    """One item as it was accepted: its place in the order, our id of its resource, and its own operation."""

    index: int
    resource: UUID
    resource_name: str
    operation: UUID


class AcceptedFleet(Facts):
    """Several resources and the long work on all of them."""

    operation: Operation
    policy: FleetPolicy
    items: list[FleetItem]


class ProvisionFleet(Mutation, entity="fleet", name="create", owner="provisioner", reply=AcceptedFleet):
    """Accepts the provisioning of several resources, at several providers if need be: all of them or none.

    What is wrong with an item is 422 with a pointer below `/items/<index>`, and nothing is stored, whatever the policy.
    The policy is about clouds: `best_effort` keeps what could be made, `all_or_nothing` terminates it again.
    """

    items: list[ResourceOrder] = Field(min_length=1, max_length=ITEMS_MAX)
    policy: FleetPolicy = "best_effort"


class FleetPart(Facts):
    """A resource and the operation that works on it."""

    resource: UUID
    operation: UUID


class CompleteFleet(Command, entity="fleet", name="complete", owner="provisioner"):
    """Wait for the ends of its parts, and do what the policy says of them. The aggregate is the fleet."""

    policy: FleetPolicy
    parts: list[FleetPart]
