"""What does a resource stand on, what stands on it, and what is hit when it is lost?"""

from services.provisioner.deps import Deps
from services.provisioner.domain.dependencies import Walk, id_of, key_of
from services.provisioner.storage import dependencies, resources
from shared.bus.router import Routes
from shared.db.work import Work
from shared.messages.context import Context
from shared.messages.dependencies import (
    BlastRadius,
    DependencyEdge,
    DependencyGraph,
    DependencyNode,
    GetDependencies,
)
from shared.messages.resources import Resource

routes = Routes()


@routes.request(GetDependencies)
async def get_dependencies(request: GetDependencies, deps: Deps) -> DependencyGraph:
    """As the last reads of the account saw it; what has not been placed at the cloud has none. Raises NotFound."""
    async with deps.database.work(Context.of(request)) as work:
        resource = await resources.get(work, request.resource)
        walk = Walk(key_of(resource.model_dump()), request.direction, request.depth)
        while not walk.is_done:
            walk.advance(
                await dependencies.down(work, resource.provider_id, walk.down_frontier),
                await dependencies.up(work, resource.provider_id, walk.up_frontier),
            )
        return await _graph(work, request, resource, walk)


async def _graph(work: Work, request: GetDependencies, resource: Resource, walk: Walk) -> DependencyGraph:
    keys = {*walk.depths, *walk.hit}
    rows = await dependencies.nodes(work, resource.provider_id, keys)
    shown = sorted(((depth, key) for key, depth in walk.depths.items()))
    nodes = [
        DependencyNode(**rows[key], key=key, depth=depth)
        if key in rows
        else _outside(key, depth, resource if key == walk.root else None)
        for depth, key in shown
    ]
    hit = [rows[key] for key in sorted(walk.hit) if key in rows]
    return DependencyGraph(
        resource=resource.id,
        direction=request.direction,
        depth=request.depth,
        nodes=nodes,
        edges=[
            DependencyEdge(source=link.source, target=link.target, relation=link.relation, hard=link.hard)
            for link in sorted(walk.links)
        ],
        blast_radius=BlastRadius(
            resources=[row["id"] for row in hit], critical=sum(row["is_wedding_critical"] for row in hit)
        ),
        truncated=walk.truncated,
    )


def _outside(key: str, depth: int, resource: Resource | None) -> DependencyNode:
    """A thing that the inventory does not hold, such as a network; or the root, when it is nowhere yet."""
    if resource is None:
        return DependencyNode(id=None, key=key, resource_id=id_of(key), depth=depth)
    shown = resource.model_dump(include={"id", "resource_name", "resource_type", "resource_subtype", "resource_status",
                                         "is_wedding_critical"})  # fmt: skip
    return DependencyNode(**shown, key=key, resource_id=resource.resource_id, depth=depth)
