"""What has no price is unknown, and a price counts from its day on."""

from datetime import date
from decimal import Decimal

import pytest

from services.costs.domain.prices import SIZE_UNKNOWN, Component, Price, components, price_on, rate

MAY, JULY = date(2026, 5, 1), date(2026, 7, 1)
DEAR, CHEAP = (
    Price("t3.micro", "hour", Decimal("0.02"), MAY, "test"),
    Price("t3.micro", "hour", Decimal("0.01"), JULY, "test"),
)
VOLUME = Component("storage", "ebs:gp3", Decimal(100), while_stopped=True)


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2026, 4, 30), DEAR), (MAY, DEAR), (date(2026, 6, 30), DEAR), (JULY, CHEAP)]
)
def test_the_newest_price_of_the_day_counts_and_before_the_first_the_first(day: date, expected: Price) -> None:
    assert price_on([DEAR, CHEAP], day) == expected


def test_no_price_is_unknown_with_a_reason() -> None:
    found = rate(components("ec2_instance", {"instance_type": "x9.none"})[0], "us-east-1", {}, MAY)
    assert (found.usd_per_hour, found.unpriced) == (None, "no price for x9.none in us-east-1")


def test_a_price_of_another_region_does_not_count() -> None:
    component = components("ec2_instance", {"instance_type": "t3.micro"})[0]
    assert rate(component, "us-west-2", {("us-east-1", "t3.micro"): [DEAR]}, MAY).usd_per_hour is None


def test_a_root_volume_of_unknown_size_is_unknown() -> None:
    volume = components("ec2_instance", {"instance_type": "t3.micro"})[1]
    assert rate(volume, "us-east-1", {}, MAY).unpriced == SIZE_UNKNOWN


def test_a_kind_that_nobody_prices_is_unknown_and_not_free() -> None:
    (only,) = components("quantum_computer", {})
    assert rate(only, "us-east-1", {}, MAY).unpriced == "no price for quantum_computer"


def test_a_volume_pays_a_720th_of_its_month_each_hour() -> None:
    prices = {("us-east-1", "ebs:gp3"): [Price("ebs:gp3", "gib_month", Decimal("0.08"), MAY, "test")]}
    found = rate(VOLUME, "us-east-1", prices, MAY).usd_per_hour
    assert found is not None
    assert round(found * 720, 9) == 8
