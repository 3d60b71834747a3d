"""Which alerts change by the clock? Suppressions end, and the periods of budgets."""

from services.monitor.deps import Deps
from services.monitor.storage import alerts
from shared.messages.alerts import AlertReactivated, AlertResolved
from shared.messages.context import Context


async def end_suppressions(deps: Deps) -> int:
    """Returns how many."""
    async with deps.database.work(Context.background()) as work:
        rows = await alerts.reactivate_due(work)
        for row in rows:
            alerts.emit(work, AlertReactivated, row)
    return len(rows)


async def end_cost_alerts(deps: Deps) -> int:
    """A budget's alert says something of one period: with the next one it is over. Returns how many."""
    async with deps.database.work(Context.background()) as work:
        rows = await alerts.resolve_ended_periods(work)
        for row in rows:
            alerts.emit(work, AlertResolved, row)
    return len(rows)
