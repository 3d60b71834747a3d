"""What happens to costs when a resource changed? Its version is kept; the job meters it within an interval."""

from services.costs.deps import Deps
from services.costs.storage import resources
from shared.bus.router import Routes
from shared.db.inventory import apply_resource
from shared.db.work import Work
from shared.messages.resources import RESOURCE_EVENTS, ResourceEvent

routes = Routes()


@routes.event(*RESOURCE_EVENTS)
async def on_resource_changed(event: ResourceEvent, work: Work, _: Deps) -> None:
    """Also a late one is kept: usage is rebuilt from all versions."""
    await apply_resource(work, event.resource)
    await resources.record(work, event.resource, event.time)
