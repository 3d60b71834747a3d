"""Which days are over for good? Their samples are rolled up before their partitions may be dropped."""

from datetime import date, timedelta
from uuid import UUID

from services.monitor.deps import Deps
from services.monitor.storage import rollups
from shared.messages.context import Context

RESOURCES_AT_ONCE = 100
"""So that one statement stays far below its time limit: a day of 30 s points is 2,880 rows a resource."""


async def roll_up_days(deps: Deps) -> int:
    """Each day of which no point can come any more; returns how many days. Interrupted it begins the day again."""
    async with deps.database.work(Context.background()) as work:
        closed = (work.now - timedelta(seconds=deps.settings.point_max_age_s)).date() - timedelta(days=1)
        days = await rollups.unrolled_days(work, closed)
    for day in days:
        await _roll_up(day, deps)
    return len(days)


async def _roll_up(day: date, deps: Deps) -> None:
    after: UUID | None = None
    while True:
        async with deps.database.work(Context.background()) as work:
            resource_ids = await rollups.resources_after(work, after, RESOURCES_AT_ONCE)
            if not resource_ids:
                await rollups.complete(work, day)
                return
            await rollups.roll_up(work, day, resource_ids)
        after = resource_ids[-1]
