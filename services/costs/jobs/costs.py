"""What has been used since it was metered last? Rebuilt from the resource's versions, in small transactions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.costs.deps import Deps
from services.costs.domain.components import components
from services.costs.domain.costs import OpenMeter, cost_tracking, daily_costs, open_meters
from services.costs.domain.prices import Prices
from services.costs.domain.resources import Transition, periods
from services.costs.storage import costs, prices, resources
from services.costs.storage.costs import Deltas
from shared.db.work import Work
from shared.messages.context import Context
from shared.messages.resources import ResourceCostChanged

BATCH = 200
_CHANGING = ("total", "last_updated")
"""What of a resource's figures changes by itself and is said with the next roll-up only."""


async def adopt_resources(deps: Deps) -> None:
    """Record what came with a snapshot of the inventory: looks at every resource, so it runs seldom."""
    adopted = BATCH
    while adopted == BATCH:
        async with deps.database.work(Context.background()) as work:
            adopted = await resources.adopt(work, BATCH)


async def meter_resources(deps: Deps) -> None:
    """Meter everything that changed or ran long enough."""
    while await _meter_batch(deps):
        pass


async def _meter_batch(deps: Deps) -> bool:
    """One transaction; False when nothing is due any more."""
    async with deps.database.work(Context.background()) as work:
        price_hash = prices.release()
        read_before = work.now - timedelta(seconds=deps.settings.cost_roll_up_s)
        due = await resources.take_due(work, price_hash, read_before, BATCH)
        known = await resources.transitions_of(work, {row["resource_id"]: row["provider_name"] for row in due})
        table = await _prices_for(work, due, known)
        deltas: Deltas = {}
        for row in due:
            versions = known[row["resource_id"]]
            await _meter(work, row, versions, table[row["provider_name"]], price_hash, deltas)
        await costs.add_up(work, deltas)
    return len(due) == BATCH


async def _prices_for(
    work: Work, due: Sequence[Mapping[str, Any]], known: Mapping[Any, Sequence[Transition]]
) -> dict[str, Prices]:
    """The prices of everything these resources ever were, by provider; those of new regions are taken in first."""
    wanted: dict[str, set[tuple[str, str]]] = {row["provider_name"]: set() for row in due}
    for row in due:
        for version in known[row["resource_id"]]:
            parts = components(version.facts)
            wanted[row["provider_name"]].update((version.facts.region, part.item) for part in parts)
    await prices.keep(work, {(name, region) for name, items in wanted.items() for region, _ in items})
    return {name: await prices.prices_of(work, name, items) for name, items in wanted.items()}


async def _meter(
    work: Work, row: Mapping[str, Any], versions: Sequence[Transition], table: Prices, price_hash: str, deltas: Deltas
) -> None:
    """Write the days that may have changed, let the right meters run, and say it when it is news."""
    usage = periods(versions)
    from_day = _first_day(row, versions, price_hash)
    written = daily_costs(usage, table, from_day, work.now)
    total = row["total"] + await costs.replace_days(work, row, from_day, written, deltas)
    meters = open_meters(usage, table, work.now)
    await costs.set_meters(work, row, meters)
    said = _announce(work, row, meters, total)
    metered = {"total": total, "is_open": bool(meters), "metered_until": work.now, "price_hash": price_hash}
    await resources.mark_metered(work, row["resource_id"], {**metered, **said})


def _first_day(row: Mapping[str, Any], versions: Sequence[Transition], price_hash: str) -> date:
    """From where on the stored days may be wrong: everything after other prices, else the earliest news."""
    if row["price_hash"] != price_hash:
        return min(version.at for version in versions).astimezone(UTC).date()
    moments: list[datetime] = [row["metered_until"]]
    if row["changed_at"] is not None:
        moments.append(row["changed_at"])
    return min(moments).astimezone(UTC).date()


def _announce(work: Work, row: Mapping[str, Any], meters: Sequence[OpenMeter], total: Decimal) -> dict[str, Any]:
    """Say the resource's figures when its price or state changed, or with a roll-up; what to remember of it."""
    tracking = cost_tracking(meters, total, work.now)
    lasting = {name: value for name, value in tracking.items() if name not in _CHANGING}
    is_roll_up = row["changed_at"] is None and bool(meters)
    if lasting == row["announced"] and not is_roll_up:
        return {}
    version = row["announced_version"] + 1
    context = work.context.within(row["organization_id"])
    work.emit(
        ResourceCostChanged(
            **context.about(row["resource_id"], version, work.now),
            resource_id=row["resource_id"],
            cost_tracking=tracking,
        )
    )
    return {"announced": lasting, "announced_version": version}
