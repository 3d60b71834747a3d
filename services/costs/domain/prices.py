"""What does an hour of a resource cost? Its components times dated list prices; what has no price is unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shared.clouds.models import price_item

HOURS_PER_MONTH = Decimal(720)
"""30 days: the API's month (requirements C8), and how AWS prorates EBS storage (per second of a 30-day month)."""
AVERAGE_HOURS_PER_MONTH = Decimal(730)
"""A twelfth of a year, as OpenCost and AWS Cost Optimization Hub count; shown beside, never summed with the other."""

COMPUTE, STORAGE, OTHER = "compute", "storage", "other"
VOLUME, SNAPSHOT = "volume", "snapshot"
MACHINES = frozenset({"ec2_instance", "virtual_machine", "gce_instance", "droplet", "linode", "vultr_instance"})
"""The subtypes of the six clouds whose price is that of their type."""


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in USD per `unit` (`hour` or `gib_month`) from a day on."""

    item: str
    unit: str
    usd: Decimal
    valid_from: date
    source: str


Prices = Mapping[tuple[str, str], Sequence[Price]]
"""(region, item) -> its prices, oldest first"""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a resource that is paid for. `quantity` None: how much of it there is is not known."""

    category: str
    item: str
    quantity: Decimal | None
    while_stopped: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour of a component costs; None with the reason in `unpriced`."""

    usd_per_hour: Decimal | None
    unpriced: str | None = None


def components(resource_subtype: str, configuration: Mapping[str, Any]) -> tuple[Component, ...]:
    """What is paid for: a machine pays for its type while it runs, a volume and a snapshot for their size until gone.

    A spot machine pays the spot price of its type; where none is known it is unknown, and not the price on demand.
    A machine's volumes are resources of their own and pay for themselves; what disk comes with a type is in its price.
    A snapshot counts with the size of its volume: what is stored of it is less, and no provider says how much.
    """
    size = configuration.get("size_gib")
    quantity = Decimal(size) if isinstance(size, int) else None
    if resource_subtype in MACHINES:
        instance_type = str(configuration.get("instance_type", "unknown"))
        item = price_item(instance_type, configuration.get("capacity_type"))
        return (Component(COMPUTE, item, Decimal(1), while_stopped=False),)
    if resource_subtype == VOLUME:
        kind = configuration.get("kind")
        return (Component(STORAGE, f"disk:{kind}" if kind else "disk", quantity, while_stopped=True),)
    if resource_subtype == SNAPSHOT:
        return (Component(STORAGE, SNAPSHOT, quantity, while_stopped=True),)
    return (Component(OTHER, resource_subtype, None, while_stopped=True),)


def rate(component: Component, region: str, prices: Prices, day: date) -> Rate:
    """The hourly rate of a component on a day."""
    if component.quantity is None:
        return Rate(None, f"no price for {component.item}")
    price = price_on(prices.get((region, component.item), ()), day)
    if price is None:
        return Rate(None, f"no price for {component.item} in {region}")
    hours = HOURS_PER_MONTH if price.unit == "gib_month" else Decimal(1)
    return Rate(component.quantity * price.usd / hours)


def price_on(prices: Sequence[Price], day: date) -> Price | None:
    """The newest price that counts on a day; before the first one, the first."""
    valid = [price for price in prices if price.valid_from <= day]
    return valid[-1] if valid else (prices[0] if prices else None)
