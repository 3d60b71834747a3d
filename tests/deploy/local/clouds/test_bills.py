"""A bill is a function of machine and time: days add up, summers cost more, what is stopped costs its volumes only."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from deploy.local.clouds.bills import COMPUTE, DAY_S, STORAGE, TRAFFIC, Billed, charges

JANUARY = dt.datetime(2026, 1, 5, tzinfo=dt.UTC).timestamp()
JULY = dt.datetime(2026, 7, 6, tzinfo=dt.UTC).timestamp()  # a Monday too
MACHINE = Billed(
    id="i-1", region="us-east-1", kind="t3.large", hour_usd=Decimal("0.0832"), gib_month_usd=Decimal("0.08"),
    gib_out_usd=Decimal("0.09"), volumes_gib=73, launched_s=JANUARY,
)  # fmt: skip


def day(machine: Billed, from_s: float, days: float = 1) -> dict[str, Decimal]:
    return {charge.what: charge.usd for charge in charges(machine, from_s, from_s + days * DAY_S)}


def test_a_day_is_hours_gigabytes_and_traffic() -> None:
    found = day(MACHINE, JANUARY)
    assert found[COMPUTE] == Decimal("1.9968")
    assert found[STORAGE] == pytest.approx(Decimal(73) * 24 / 730 * Decimal("0.08"))
    assert found == day(MACHINE, JANUARY)


def test_half_a_day_is_half_as_much() -> None:
    late = replace(MACHINE, launched_s=JANUARY + DAY_S / 2)
    assert day(late, JANUARY)[COMPUTE] * 2 == day(MACHINE, JANUARY)[COMPUTE]
    assert day(late, JANUARY - DAY_S) == {}


def test_summer_costs_more() -> None:
    assert day(MACHINE, JULY)[TRAFFIC] > day(MACHINE, JANUARY)[TRAFFIC] * Decimal("1.5")


def test_what_is_stopped_keeps_its_volumes_and_what_is_gone_costs_nothing() -> None:
    assert set(day(replace(MACHINE, stopped_s=JANUARY), JULY)) == {STORAGE}
    assert day(replace(MACHINE, gone_s=JANUARY + DAY_S), JULY) == {}
