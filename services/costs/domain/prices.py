"""What does an hour of a component cost? Its quantity times a dated list price; what has no price is unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.costs.domain.components import Component

HOURS_PER_MONTH = Decimal(720)
"""30 days: the API's month (requirements C8), and how AWS prorates EBS storage (per second of a 30-day month)."""
AVERAGE_HOURS_PER_MONTH = Decimal(730)
"""A twelfth of a year, as OpenCost and AWS Cost Optimization Hub count; shown beside, never summed with the other."""

MONTHLY = frozenset({"month", "gib_month"})
"""The units of prices that count for a month."""


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in USD per `unit` (`hour`, `month`, `gib_month`) from a day on; 0: its provider calls it free."""

    item: str
    unit: str
    usd: Decimal
    valid_from: date
    source: str


Prices = Mapping[tuple[str, str], Sequence[Price]]
"""(region, item) -> its prices, oldest first"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour of a component costs; None with the reason in `unpriced`, which else says what is not in it."""

    usd_per_hour: Decimal | None
    unpriced: str | None = None


def rate(component: Component, region: str, prices: Prices, day: date) -> Rate:
    """The hourly rate of a component on a day. What is paid by use is never in it, and named."""
    usage, item = component.usage, component.item
    if component.quantity is None:
        return Rate(None, f"no price for {item}: {usage}" if usage else f"no price for {item}")
    price = price_on(prices.get((region, item), ()), day)
    if price is None:
        return Rate(None, f"no price for {item} in {region}")
    hours = HOURS_PER_MONTH if price.unit in MONTHLY else Decimal(1)
    hourly = component.quantity * price.usd / hours
    return Rate(hourly, f"no price for the use of {item}: {usage}" if usage else None)


def price_on(prices: Sequence[Price], day: date) -> Price | None:
    """The newest price that counts on a day; before the first one, the first."""
    valid = [price for price in prices if price.valid_from <= day]
    return valid[-1] if valid else (prices[0] if prices else None)
