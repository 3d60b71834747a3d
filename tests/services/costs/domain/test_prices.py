"""What has no price is unknown, and a price counts from its day on."""

from datetime import date
from decimal import Decimal

import pytest

from services.costs.domain.prices import MACHINES, Component, Price, components, price_on, rate
from shared.clouds.registry import catalog_of, provider_names

MAY, JULY = date(2026, 5, 1), date(2026, 7, 1)
DEAR, CHEAP = (
    Price("t3.micro", "hour", Decimal("0.02"), MAY, "test"),
    Price("t3.micro", "hour", Decimal("0.01"), JULY, "test"),
)
VOLUME = Component("storage", "disk:gp3", Decimal(100), while_stopped=True)


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


@pytest.mark.parametrize(
    ("subtype", "configuration", "expected"),
    [
        ("volume", {"size_gib": 100, "kind": "gp3"}, ("storage", "disk:gp3", Decimal(100), True)),
        ("volume", {"size_gib": 8, "kind": None}, ("storage", "disk", Decimal(8), True)),
        ("volume", {"size_gib": None, "kind": "gp3"}, ("storage", "disk:gp3", None, True)),
        ("snapshot", {"size_gib": 8}, ("storage", "snapshot", Decimal(8), True)),
        ("droplet", {"instance_type": "s-1vcpu-1gb"}, ("compute", "s-1vcpu-1gb", Decimal(1), False)),
        ("virtual_machine", {"instance_type": "Standard_B1s"}, ("compute", "Standard_B1s", Decimal(1), False)),
        (
            "gce_instance",
            {"instance_type": "e2-micro", "capacity_type": "spot"},
            ("compute", "spot:e2-micro", Decimal(1), False),
        ),
    ],
)
def test_each_kind_of_thing_is_paid_for_once(
    subtype: str, configuration: dict[str, object], expected: tuple[object, ...]
) -> None:
    """A machine does not pay for its volumes: they are in the inventory and pay for themselves."""
    (only,) = components(subtype, configuration)
    assert (only.category, only.item, only.quantity, only.while_stopped) == expected


def test_every_machine_of_the_six_clouds_is_paid_by_its_type() -> None:
    subtypes = {offer.resource_subtype for name in provider_names() for offer in catalog_of(name).offers()
                if offer.resource_type == "compute"}  # fmt: skip
    assert subtypes <= MACHINES


def test_a_volume_of_unknown_size_is_unknown() -> None:
    (volume,) = components("volume", {"kind": "gp3"})
    assert rate(volume, "us-east-1", {}, MAY).unpriced == "no price for disk:gp3"


def test_a_kind_that_nobody_prices_is_unknown_and_not_free() -> None:
    (only,) = components("quantum_computer", {})
    assert rate(only, "us-east-1", {}, MAY).unpriced == "no price for quantum_computer"


def test_a_volume_pays_a_720th_of_its_month_each_hour() -> None:
    prices = {("us-east-1", "disk:gp3"): [Price("ebs:gp3", "gib_month", Decimal("0.08"), MAY, "test")]}
    found = rate(VOLUME, "us-east-1", prices, MAY).usd_per_hour
    assert found is not None
    assert round(found * 720, 9) == 8
