"""What is old enough to be forgotten? Deleted in bounded batches, so that no statement holds up the service."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.monitor.deps import Deps, NotifierDeps
from services.monitor.storage import alerts, deliveries, health, rollups
from shared.db.work import Work
from shared.messages.context import Context

ROWS_AT_ONCE = 1000


async def forget_old(deps: Deps) -> int:
    """All that monitor keeps for a time; returns how many rows."""
    return sum([await forget(deps) for forget in (forget_closed_alerts, forget_rollups, forget_gone_resources)])


async def forget_closed_alerts(deps: Deps) -> int:
    """Resolved ones after `alert_retention_days`; open ones stay. Returns how many."""
    days = deps.settings.alert_retention_days
    return await _in_batches(
        deps, lambda work: alerts.forget_closed(work, work.now - timedelta(days=days), ROWS_AT_ONCE)
    )


async def forget_rollups(deps: Deps) -> int:
    """Daily roll-ups after `rollup_retention_days`; returns how many."""
    days = deps.settings.rollup_retention_days
    return await _in_batches(
        deps, lambda work: rollups.forget(work, (work.now - timedelta(days=days)).date(), ROWS_AT_ONCE)
    )


async def forget_gone_resources(deps: Deps) -> int:
    """What is remembered of terminated resources' telemetry, when their last samples are dropped; returns how many."""
    days = deps.settings.retention_days
    return await _in_batches(deps, lambda work: health.forget_gone(work, work.now - timedelta(days=days), ROWS_AT_ONCE))


async def forget_deliveries(deps: NotifierDeps) -> int:
    """Finished ones with their attempts after `delivery_retention_days`; returns how many."""
    days = deps.settings.delivery_retention_days
    return await _in_batches(
        deps, lambda work: deliveries.forget_finished(work, work.now - timedelta(days=days), ROWS_AT_ONCE)
    )


async def _in_batches(deps: Deps | NotifierDeps, forget: Callable[[Work], Awaitable[int]]) -> int:
    total = 0
    while True:
        async with deps.database.work(Context.background()) as work:
            count = await forget(work)
        total += count
        if count < ROWS_AT_ONCE:
            return total
