"""What does monitor do when resources change? Keeps its copy; what no longer runs has no alerts and unknown health."""

from services.monitor.deps import Deps
from services.monitor.domain.health import UNKNOWN
from services.monitor.storage import alerts, health
from shared.bus.router import Routes
from shared.db.inventory import apply_resource
from shared.db.work import Work
from shared.kit.ids import SYSTEM_ACTOR
from shared.messages.alerts import AlertResolved
from shared.messages.resources import RESOURCE_EVENTS, ResourceEvent, ResourceHealthChanged

routes = Routes()

GONE = frozenset({"stopped", "terminated", "error"})


@routes.event(*RESOURCE_EVENTS)
async def on_resource_changed(event: ResourceEvent, work: Work, _deps: Deps) -> None:
    """Late and doubled events change nothing: the copy has a version."""
    resource = event.resource
    if not await apply_resource(work, resource) or resource.resource_status not in GONE:
        return
    before = await health.forget(work, resource.id)
    await alerts.drop_states(work, resource_id=resource.id)
    notes = f"the resource is {resource.resource_status}"
    for row in await alerts.resolve_where(work, SYSTEM_ACTOR, notes, resource_id=resource.id):
        alerts.emit(work, AlertResolved, row)
    if before is not None:
        work.emit(
            ResourceHealthChanged(
                **work.about(resource.id, before["health_version"] + 1),
                resource_id=resource.id,
                old_health_status=before["health_status"],
                health_status=UNKNOWN,
                health_score=None,
                performance_metrics={},
            )
        )
