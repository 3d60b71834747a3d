"""What does monitor do when providers change? Keeps its copy, and lets go of the connection of a removed one."""

from services.monitor.deps import Deps
from services.monitor.storage import alerts
from shared.bus.router import Routes
from shared.db.inventory import apply_provider
from shared.db.work import Work
from shared.kit.ids import SYSTEM_ACTOR
from shared.messages.alerts import AlertResolved
from shared.messages.providers import ProviderAdded, ProviderHealthChanged, ProviderRemoved, ProviderUpdated

routes = Routes()


@routes.event(ProviderAdded, ProviderUpdated, ProviderHealthChanged)
async def on_provider_changed(
    event: ProviderAdded | ProviderUpdated | ProviderHealthChanged, work: Work, _deps: Deps
) -> None:
    await apply_provider(work, event.provider)


@routes.event(ProviderRemoved)
async def on_provider_removed(event: ProviderRemoved, work: Work, deps: Deps) -> None:
    await apply_provider(work, event.provider, removed=True)
    for row in await alerts.resolve_where(
        work, SYSTEM_ACTOR, "the provider was removed", provider_id=event.provider.id, alert_type="monitoring_error"
    ):
        alerts.emit(work, AlertResolved, row)
    await deps.clouds.forget(str(event.provider.id))
