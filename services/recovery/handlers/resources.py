"""What happens here when a resource changes? Its copy is kept; what is terminated is no longer backed up."""

from services.recovery.deps import Deps
from services.recovery.storage import configurations
from shared.bus.router import Routes
from shared.db.inventory import apply_resource
from shared.db.work import Work
from shared.messages.resources import RESOURCE_EVENTS, ResourceEvent, ResourceTerminated

routes = Routes()


@routes.event(*RESOURCE_EVENTS)
async def on_resource_changed(event: ResourceEvent, work: Work, _: Deps) -> None:
    await apply_resource(work, event.resource)
    if isinstance(event, ResourceTerminated):
        await configurations.disable(work, event.resource.id)
