"""What has been spent? Rows per resource and day, their sums per day, and the meters that run."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, extract, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.costs.domain.costs import CURRENCY, DayCost, OpenMeter
from services.costs.storage.tables import DIMENSIONS, ITEM_LENGTH, cloud_costs, daily_cost, meter
from shared.db.work import Work, rows

Deltas = dict[tuple[Any, ...], Decimal]
"""(day, *dimensions) -> change of the sum"""


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent in a period, and what runs now, of one combination of dimensions."""

    names: Mapping[str, Any]
    amount: Decimal
    usd_per_hour: Decimal


async def replace_days(
    work: Work, resource: Mapping[str, Any], from_day: date, costs: Sequence[DayCost], deltas: Deltas
) -> Decimal:
    """Put the rows of a resource from a day on; adds to `deltas` and returns by how much its total changed."""
    mine = (cloud_costs.c.resource_id == resource["id"], cloud_costs.c.organization_id == resource["organization_id"])
    gone = delete(cloud_costs).where(*mine, cloud_costs.c.day >= from_day).returning(cloud_costs)
    change = Decimal(0)
    for row in rows(await work.execute(gone)):
        change -= _count(deltas, row, -1)
    written = [_row(resource, cost) for cost in costs]
    for row in written:
        change += _count(deltas, row, 1)
    if written:
        await work.execute(insert(cloud_costs), written)
    return change


async def add_up(work: Work, deltas: Deltas) -> None:
    """Apply changes to the daily sums, always in the same order, so that two replicas cannot lock each other out."""
    values = [
        {**dict(zip(("day", *DIMENSIONS), key, strict=True)), "amount": change}
        for key, change in sorted(deltas.items(), key=lambda item: str(item[0]))
        if change
    ]
    for start in range(0, len(values), 500):
        statement = upsert(daily_cost).values(values[start : start + 500])
        new = {"amount": daily_cost.c.amount + statement.excluded.amount}
        await work.execute(statement.on_conflict_do_update(index_elements=list(daily_cost.primary_key), set_=new))


async def set_meters(work: Work, resource: Mapping[str, Any], meters: Sequence[OpenMeter]) -> None:
    """Let exactly these meters of a resource run from now on."""
    await work.execute(
        delete(meter).where(
            meter.c.resource_id == resource["id"], meter.c.organization_id == resource["organization_id"]
        )
    )
    if meters:
        await work.execute(insert(meter), [_meter_row(work, resource, each) for each in meters])


async def spending(
    work: Work,
    organization_id: UUID,
    start: datetime,
    end: datetime,
    *,
    by: Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
) -> list[Spending]:
    """Spending in [start, end), both midnights in UTC, up to this moment; grouped by dimensions.

    A meter that was read after the end has nothing to add: a period that is over is in the daily sums.
    """
    amounts: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    rates: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    days = (daily_cost.c.day >= start.date(), daily_cost.c.day < end.date())
    stored = select(*(daily_cost.c[name] for name in by), func.sum(daily_cost.c.amount).label("amount"))
    for row in rows(await work.execute(_narrow(stored, daily_cost, organization_id, by, filters).where(*days))):
        amounts[tuple(row[name] for name in by)] += row["amount"] or Decimal(0)
    for row in rows(await work.execute(_running(work, organization_id, start, end, by, filters))):
        key = tuple(row[name] for name in by)
        amounts[key] += row["amount"] or Decimal(0)
        rates[key] += row["usd_per_hour"] or Decimal(0)
    keys = sorted({*amounts, *rates}, key=str)
    return [Spending(dict(zip(by, key, strict=True)), amounts[key], rates[key]) for key in keys]


async def spending_by_day(
    work: Work, organization_id: UUID, start: datetime, end: datetime, filters: Mapping[str, Any]
) -> dict[date, Decimal]:
    """Spending of each day; adds up to what `spending` says.

    What meters have run and is not written yet counts on the current day and, what they ran before it, on the day
    before: they are read more often than daily.
    """
    statement = select(daily_cost.c.day, func.sum(daily_cost.c.amount).label("amount"))
    days = (daily_cost.c.day >= start.date(), daily_cost.c.day < end.date())
    narrowed = _narrow(statement, daily_cost, organization_id, (), filters).where(*days).group_by(daily_cost.c.day)
    found: dict[date, Decimal] = defaultdict(Decimal)
    for row in rows(await work.execute(narrowed)):
        found[row["day"]] += row["amount"]
    midnight = work.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    earlier = min(end, midnight)
    parts = ((start, earlier, earlier - timedelta(days=1)), (max(start, midnight), end, midnight))
    for since, until, day in parts:
        live = (await work.execute(_running(work, organization_id, since, until, (), filters))).one().amount
        if since < until and live:
            found[day.date()] += live
    return dict(found)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many resources are metered now. Of `unpriced` nothing has a price, of `partly_priced` something has none."""

    metered: int
    unpriced: int
    partly_priced: int
    reasons: list[str]


async def coverage(work: Work, organization_id: UUID) -> Coverage:
    """Counts resources that exist."""
    mine = meter.c.organization_id == organization_id
    unpriced = meter.c.unpriced.is_not(None)
    resources = func.count(meter.c.resource_id.distinct())
    counts = select(
        resources.label("metered"),
        resources.filter(meter.c.usd_per_hour.is_not(None)).label("priced"),
        resources.filter(unpriced).label("incomplete"),
    ).where(mine)
    row = (await work.execute(counts)).one()
    without = row.metered - row.priced
    reasons = select(meter.c.unpriced).where(mine, unpriced).group_by(meter.c.unpriced)
    found = await work.execute(reasons.order_by(func.count().desc(), meter.c.unpriced).limit(20))
    return Coverage(row.metered, without, row.incomplete - without, [str(each.unpriced) for each in found])


def _running(
    work: Work,
    organization_id: UUID,
    start: datetime,
    end: datetime,
    by: Sequence[str],
    filters: Mapping[str, Any] | None,
) -> Any:
    """What priced meters have run in [start, end) since they were read, and their rates."""
    statement = select(
        *(meter.c[name] for name in by),
        func.sum(meter.c.usd_per_hour * _hours_in(start, end, work.now)).label("amount"),
        func.sum(meter.c.usd_per_hour).label("usd_per_hour"),
    )
    counted = (meter.c.usd_per_hour.is_not(None), meter.c.metered_until < end)
    return _narrow(statement, meter, organization_id, by, filters).where(*counted)


def _hours_in(start: datetime, end: datetime, now: datetime) -> ColumnElement[Any]:
    """Hours of the part of [start, end) that a meter has run since it was read."""
    passed = func.least(now, end) - func.greatest(meter.c.metered_until, start)
    return func.greatest(extract("epoch", passed), 0) / 3600


def _narrow(
    statement: Any, table: Table, organization_id: UUID, by: Sequence[str], filters: Mapping[str, Any] | None
) -> Any:
    conditions = [table.c[name] == value for name, value in (filters or {}).items()]
    narrowed = statement.where(table.c.organization_id == organization_id, *conditions)
    return narrowed.group_by(*(table.c[name] for name in by)) if by else narrowed


def _row(resource: Mapping[str, Any], cost: DayCost) -> dict[str, Any]:
    return {
        "resource_id": resource["id"],
        "day": cost.day,
        **_dimensions(resource, cost.category),
        "item": cost.item[:ITEM_LENGTH],
        "region": cost.region,
        "usage_hours": cost.usage_hours,
        "amount": cost.amount,
        "currency": CURRENCY,
    }


def _meter_row(work: Work, resource: Mapping[str, Any], open_meter: OpenMeter) -> dict[str, Any]:
    return {
        "resource_id": resource["id"],
        **_dimensions(resource, open_meter.category),
        "item": open_meter.item[:ITEM_LENGTH],
        "usd_per_hour": open_meter.rate.usd_per_hour,
        "unpriced": open_meter.rate.unpriced,
        "metered_until": work.now,
    }


def _dimensions(resource: Mapping[str, Any], category: str) -> dict[str, Any]:
    return {name: category if name == "category" else resource[name] for name in DIMENSIONS}


def _count(deltas: Deltas, row: Mapping[str, Any], sign: int) -> Decimal:
    """Add a row to the changes of the sums; returns its amount, 0 when unknown."""
    known: Decimal = row["amount"] or Decimal(0)
    key = tuple(row[name] for name in ("day", *DIMENSIONS))
    deltas[key] = deltas.get(key, Decimal(0)) + sign * known
    return known


def total_of(items: Iterable[Spending]) -> Decimal:
    return sum((item.amount for item in items), Decimal(0))
