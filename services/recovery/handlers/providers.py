"""What happens here when a provider changes? Its copy is kept, a removed one as a tombstone."""

from services.recovery.deps import Deps
from shared.bus.router import Routes
from shared.db.inventory import apply_provider
from shared.db.work import Work
from shared.messages.providers import PROVIDER_EVENTS, ProviderEvent, ProviderRemoved

routes = Routes()


@routes.event(*PROVIDER_EVENTS)
async def on_provider_changed(event: ProviderEvent, work: Work, _: Deps) -> None:
    await apply_provider(work, event.provider, removed=isinstance(event, ProviderRemoved))
