"""When is collected? Each sweep queues one command per account and region; replicas share the work."""

from services.monitor.deps import Deps
from services.monitor.storage import collections
from shared.messages.context import Context
from shared.messages.metrics import CollectMetrics


async def sweep(deps: Deps) -> int:
    """Queue what has no collection under way; returns how many."""
    async with deps.database.work(Context.background()) as work:
        places = await collections.queue_due(work, deps.settings.collection_lease_s)
        for place in places:
            context = Context.automatic(place.organization_id)
            work.emit(CollectMetrics(**context.about(place.provider_id, 1, work.now), region=place.region))
    return len(places)
