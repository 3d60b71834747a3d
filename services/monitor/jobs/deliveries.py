"""Which deliveries have nobody who sends them? Their command may have left the stream: it is sent again."""

from services.monitor.deps import NotifierDeps
from services.monitor.storage import deliveries
from shared.messages.context import Context
from shared.messages.notifications import DeliverNotification

AFTER_S = 600.0


async def requeue_deliveries(deps: NotifierDeps) -> int:
    """A command too many changes nothing; returns how many were sent again."""
    async with deps.database.work(Context.background()) as work:
        rows = await deliveries.left_behind(work, AFTER_S)
        for row in rows:
            context = Context.automatic(row["organization_id"])
            work.emit(DeliverNotification(**context.about(row["id"], row["version"], work.now)))
    return len(rows)
