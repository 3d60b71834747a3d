"""Which suppressions have ended? Those alerts are active again, and say so."""

from services.monitor.deps import Deps
from services.monitor.storage import alerts
from shared.messages.alerts import AlertReactivated
from shared.messages.context import Context


async def end_suppressions(deps: Deps) -> int:
    """Returns how many."""
    async with deps.database.work(Context.background()) as work:
        rows = await alerts.reactivate_due(work)
        for row in rows:
            alerts.say(work, AlertReactivated, row)
    return len(rows)
