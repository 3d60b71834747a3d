"""What do other services find out about our resources? Health and metrics from monitor, cost from costs.

Each event's version counts its owner's findings and is kept in a column of its own. The resource's `version` (its ETag)
stays: a client's `If-Match` must not fail each half minute, and other services hear these facts from their owners.
"""

from services.provisioner.deps import Deps
from services.provisioner.storage import resources, scaling
from shared.bus.router import Routes
from shared.db.work import Work
from shared.messages.resources import ResourceCostChanged, ResourceHealthChanged

routes = Routes()


@routes.event(ResourceHealthChanged)
async def on_resource_health_changed(event: ResourceHealthChanged, work: Work, _: Deps) -> None:
    await resources.apply_health(work, event)


@routes.event(ResourceCostChanged)
async def on_resource_cost_changed(event: ResourceCostChanged, work: Work, _: Deps) -> None:
    await resources.apply_cost(work, event)
    await scaling.apply_cost(work, event)
