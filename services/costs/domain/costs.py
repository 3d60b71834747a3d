"""What has a resource cost, what does it cost now, and what will a period cost? Pure arithmetic with Decimal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from services.costs.domain.components import Component, components
from services.costs.domain.prices import AVERAGE_HOURS_PER_MONTH, HOURS_PER_MONTH, Prices, Rate, rate
from services.costs.domain.resources import Period

CURRENCY = "USD"
PRECISION = Decimal("0.000000000001")
_MICROSECONDS_PER_HOUR = Decimal(3_600_000_000)


@dataclass(frozen=True, slots=True)
class DayCost:
    """Usage of one category on one UTC day. `amount` None: used, but no price of it is known."""

    day: date
    category: str
    item: str
    region: str
    usage_hours: Decimal
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class OpenMeter:
    """A component that is paid for now."""

    category: str
    item: str
    rate: Rate


def hours_between(start: datetime, end: datetime) -> Decimal:
    """Exact hours, 0 when the end is before the start."""
    microseconds = (end - start) // timedelta(microseconds=1)
    return Decimal(max(0, microseconds)) / _MICROSECONDS_PER_HOUR


def daily_costs(periods: Iterable[Period], prices: Prices, from_day: date, until: datetime) -> list[DayCost]:
    """Costs per day and category from a day's start until a moment; days without usage have no row."""
    found: dict[tuple[date, str], DayCost] = {}
    for period in periods:
        for start, end in _days(period, from_day, until):
            for component in _paid(period):
                cost = _cost(component, period.facts.region, prices, start, end)
                key = (cost.day, cost.category)
                found[key] = _sum(found[key], cost) if key in found else cost
    return [found[key] for key in sorted(found)]


def open_meters(periods: Sequence[Period], prices: Prices, now: datetime) -> list[OpenMeter]:
    """What is paid for at this moment: nothing once the resource is gone."""
    if not periods or periods[-1].end is not None:
        return []
    last = periods[-1]
    return [
        OpenMeter(component.category, component.item, rate(component, last.facts.region, prices, now.date()))
        for component in _paid(last)
    ]


def projection(spent: Decimal, usd_per_hour: Decimal, now: datetime, end: datetime) -> Decimal:
    """What a period will have cost: spent so far + what runs now until its end.

    The current rate and not the average so far: what was terminated costs no more, and what was started an hour ago
    will cost all of the rest; both are known, so a trend would be the worse guess.
    """
    return spent + usd_per_hour * hours_between(now, end)


def cost_tracking(meters: Sequence[OpenMeter], total: Decimal, now: datetime) -> dict[str, Any]:
    """What a resource's row says of its cost, as JSON numbers; null where no price is known."""
    known = [meter.rate.usd_per_hour for meter in meters if meter.rate.usd_per_hour is not None]
    unpriced = [meter.rate.unpriced for meter in meters if meter.rate.unpriced is not None]
    hourly = sum(known, Decimal(0)) if known or not unpriced else None
    return {
        "hourly": _number(hourly),
        "daily": _number(None if hourly is None else hourly * 24),
        "monthly": _number(None if hourly is None else hourly * HOURS_PER_MONTH),
        "monthly_730": _number(None if hourly is None else hourly * AVERAGE_HOURS_PER_MONTH),
        "total": _number(None if hourly is None and not total else total),
        "currency": CURRENCY,
        "hours_basis": int(HOURS_PER_MONTH),
        "included": [meter.item for meter in meters if meter.rate.usd_per_hour is not None],
        "not_included": unpriced,
        "last_updated": now.isoformat().replace("+00:00", "Z"),
    }


def _days(period: Period, from_day: date, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The period cut at midnights (UTC), within the bounds."""
    end = until if period.end is None else min(period.end, until)
    start = max(period.start.astimezone(UTC), _midnight(from_day))
    while start < end:
        stop = min(_midnight(start.date() + timedelta(days=1)), end)
        yield start, stop
        start = stop


def _paid(period: Period) -> list[Component]:
    return [part for part in components(period.facts) if period.running or part.while_stopped]


def _cost(component: Component, region: str, prices: Prices, start: datetime, end: datetime) -> DayCost:
    hours = hours_between(start, end)
    hourly = rate(component, region, prices, start.date()).usd_per_hour
    amount = None if hourly is None else (hourly * hours).quantize(PRECISION)
    return DayCost(start.date(), component.category, component.item, region, hours, amount)


def _sum(first: DayCost, second: DayCost) -> DayCost:
    """Two parts of one day; what is known counts, also beside what is not."""
    amounts = [amount for amount in (first.amount, second.amount) if amount is not None]
    hours = first.usage_hours + second.usage_hours
    total = sum(amounts, Decimal(0)) if amounts else None
    return DayCost(first.day, first.category, second.item, second.region, hours, total)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(round(amount, 9))
