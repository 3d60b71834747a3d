"""How healthy is each account? One command per provider, so that replicas share them and none waits for another."""

from services.provisioner.deps import Deps
from services.provisioner.storage import providers
from shared.messages.context import Context
from shared.messages.providers import CheckProvider


async def check_providers(deps: Deps) -> int:
    """Send CheckProvider for every active provider; returns how many."""
    async with deps.database.work(Context.background()) as work:
        found = await providers.active(work)
        for organization, provider_id, version in found:
            envelope = work.context.within(organization).about(provider_id, version, work.now)
            work.emit(CheckProvider(**envelope))
    return len(found)
