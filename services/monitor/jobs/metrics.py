"""Which day partitions are there? Made ahead, rolled up, dropped after the retention."""

from datetime import timedelta

from services.monitor.deps import Deps
from services.monitor.storage import metrics, rollups
from shared.messages.context import Context


async def make_partitions(deps: Deps) -> int:
    """From the day of the oldest point that is taken to some days ahead; returns how many were made."""
    settings = deps.settings
    async with deps.database.work(Context.background()) as work:
        first = (work.now - timedelta(seconds=settings.point_max_age_s)).date()
        return await metrics.make_partitions(work, first, work.now.date() + timedelta(settings.partitions_ahead_days))


async def drop_old_partitions(deps: Deps) -> int:
    """Those of days before the retention whose roll-ups are complete; returns how many were dropped."""
    async with deps.database.work(Context.background()) as work:
        kept_from = work.now.date() - timedelta(days=deps.settings.retention_days)
        unrolled = await rollups.unrolled_days(work, kept_from)
        return await metrics.drop_partitions(work, min([kept_from, *unrolled]))
