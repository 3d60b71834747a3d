"""Dependencies: what a resource stands on, and what stands on it. Derived by the provisioner from reads of accounts."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Facts, Request

Direction = Literal["dependencies", "dependents", "both"]
DEPTH_MAX = 10


class DependencyNode(Facts):
    """A thing of the graph, `depth` steps from the root. `id` null: the inventory does not hold it (a network).

    `key` names it in the edges: its kind and the provider's id.
    """

    id: UUID | None
    key: str
    resource_id: str | None
    resource_name: str | None = None
    resource_type: str | None = None
    resource_subtype: str | None = None
    resource_status: str | None = None
    is_wedding_critical: bool = False
    depth: int


class DependencyEdge(Facts):
    """`source` depends on `target` (keys of nodes). `hard`: without the target the source does not work."""

    source: str
    target: str
    relation: str
    hard: bool


class BlastRadius(Facts):
    """What is hit when the root is lost: all that hang on it through hard edges, within the asked depth."""

    resources: list[UUID]
    critical: int


class DependencyGraph(Facts):
    """`truncated`: there is more than the depth or the limit of things lets see."""

    resource: UUID
    direction: Direction
    depth: int
    nodes: list[DependencyNode]
    edges: list[DependencyEdge]
    blast_radius: BlastRadius
    truncated: bool


class GetDependencies(Request, entity="resource", name="dependencies", owner="provisioner", reply=DependencyGraph):
    resource: UUID
    direction: Direction = "both"
    depth: int = Field(default=3, ge=1, le=DEPTH_MAX)
