"""What has no price is unknown, and a price counts from its day on."""

from datetime import date
from decimal import Decimal

import pytest

from services.costs.domain.components import Component
from services.costs.domain.prices import Price, Rate, price_on, rate

MAY, JULY = date(2026, 5, 1), date(2026, 7, 1)
DEAR, CHEAP = (
    Price("t3.micro", "hour", Decimal("0.02"), MAY, "test"),
    Price("t3.micro", "hour", Decimal("0.01"), JULY, "test"),
)
ONE, FREE = Decimal(1), Decimal(0)
VOLUME = Component("storage", "disk:gp3", Decimal(100), while_stopped=True)


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2026, 4, 30), DEAR), (MAY, DEAR), (date(2026, 6, 30), DEAR), (JULY, CHEAP)]
)
def test_the_newest_price_of_the_day_counts_and_before_the_first_the_first(day: date, expected: Price) -> None:
    assert price_on([DEAR, CHEAP], day) == expected


def test_no_price_is_unknown_with_a_reason() -> None:
    found = rate(Component("compute", "x9.none", Decimal(1), while_stopped=False), "us-east-1", {}, MAY)
    assert (found.usd_per_hour, found.unpriced) == (None, "no price for x9.none in us-east-1")


def test_a_price_of_another_region_does_not_count() -> None:
    component = Component("compute", "t3.micro", Decimal(1), while_stopped=False)
    assert rate(component, "us-west-2", {("us-east-1", "t3.micro"): [DEAR]}, MAY).usd_per_hour is None


def test_what_is_not_measured_is_unknown_and_says_so_beside_what_is_known_too() -> None:
    """A price of 0 is known: free is not the same as unknown."""
    prices = {
        ("global", name): [Price(name, "month", usd, MAY, "test")] for name, usd in (("zone", ONE), ("net", FREE))
    }
    whole, part, free = (
        Component("network", "cdn", None, while_stopped=True, usage="traffic"),
        Component("network", "zone", Decimal(1), while_stopped=True, usage="queries"),
        Component("network", "net", Decimal(1), while_stopped=True),
    )
    assert rate(whole, "global", prices, MAY) == Rate(None, "no price for cdn: traffic")
    assert rate(part, "global", prices, MAY) == Rate(Decimal(1) / 720, "no price for the use of zone: queries")
    assert rate(free, "global", prices, MAY) == Rate(Decimal(0))


def test_a_volume_pays_a_720th_of_its_month_each_hour() -> None:
    prices = {("us-east-1", "disk:gp3"): [Price("ebs:gp3", "gib_month", Decimal("0.08"), MAY, "test")]}
    found = rate(VOLUME, "us-east-1", prices, MAY).usd_per_hour
    assert found is not None
    assert round(found * 720, 9) == 8
