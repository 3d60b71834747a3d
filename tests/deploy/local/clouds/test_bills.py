"""A bill is a function of machine and time: days add up, summers cost more, what is stopped costs its volumes only."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from deploy.local.clouds import invoices
from deploy.local.clouds.bills import COMPUTE, DAY_S, STORAGE, TRAFFIC, Billed, Month, Volume, charges, month_at
from deploy.local.clouds.world.lives import Span, resized, size_now, switched, was_on, was_there
from deploy.local.clouds.world.things import Thing

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


MONTHLY = replace(MACHINE, gib_out_usd=Decimal(0), month_hours=672, volumes_gib=0)


def test_a_capped_month_is_the_sum_of_its_days_and_begins_anew() -> None:
    february, march = Month(2026, 2), Month(2026, 3)
    assert (march.after, february.until_s, month_at(march.from_s)) == (Month(2026, 4), march.from_s, march)
    days = [day(MONTHLY, march.from_s + number * DAY_S).get(COMPUTE, Decimal(0)) for number in range(31)]
    assert days == [24 * MONTHLY.hour_usd] * 28 + [0] * 3
    both = day(MONTHLY, february.from_s, 28 + 31)
    assert both == {COMPUTE: 2 * 672 * MONTHLY.hour_usd}
    assert sum(days) == both[COMPUTE] / 2


def test_an_hour_begun_is_a_whole_one_where_months_are_capped() -> None:
    late = replace(MONTHLY, launched_s=JULY + 1800)
    parts = [
        {each.what: each.quantity for each in charges(late, JULY + n * 900, JULY + (n + 1) * 900)} for n in range(8)
    ]
    assert [part.get(COMPUTE, 0) for part in parts] == [0, 0, 1, 0, 0, 0, 1, 0]


def test_a_volume_pays_for_itself() -> None:
    volume = Volume("v", "nyc3", "", 100, Decimal("0.10"), JANUARY, month_hours=672).billed()
    assert day(volume, Month(2026, 3).from_s, 31) == {STORAGE: Decimal(10)}
    assert set(day(replace(volume, month_hours=None), JULY)) == {STORAGE}


def test_invoices_are_of_months_that_are_over_and_of_what_was_there() -> None:
    gone = replace(MONTHLY, id="i-2", gone_s=Month(2026, 2).until_s)
    now_s = JULY + 3 * DAY_S
    closed = invoices.closed([MONTHLY, gone], now_s)
    assert [str(each.month) for each in closed] == [f"2026-0{number}" for number in range(6, 0, -1)]
    assert [len(each.things) for each in closed] == [1, 1, 1, 1, 2, 2]
    assert closed[0].usd == sum(closed[0].item(each).usd for each in closed[0].things) == Decimal("55.91")
    running = invoices.running([MONTHLY, gone], now_s)
    (item,) = [running.item(each) for each in running.things]
    assert (str(running.month), item.until_s, item.hours) == ("2026-07", now_s, 8 * 24)
    assert invoices.closed([], now_s) == []
    assert len(invoices.closed([MONTHLY], now_s + 1000 * 365 * DAY_S)) == invoices.MONTHS_KEPT


def test_a_life_is_cut_where_size_or_power_changes() -> None:
    thing = Thing("vultr", "a", "ewr", "machine", "i", "running", {"plan": "small"}, created_s=10.0)
    assert list(was_there(thing, "small")) == list(was_on(thing, "small", is_on=True)) == [Span(10, None, "small")]
    assert list(was_on(thing, "small", is_on=False)) == []
    resized(thing, 30.0, "small")
    thing.facts["resize"] = [30.0, "large"]
    assert [size_now(thing, "plan", time_s) for time_s in (29, 30)] == ["small", "large"]
    switched(thing, 20.0, on=False)
    switched(thing, 25.0, on=True)
    switched(thing, 50.0, on=False)
    assert list(was_on(thing, "large", is_on=False)) == [
        Span(10, 20, "small"),
        Span(25, 30, "small"),
        Span(30, 50, "large"),
    ]
    thing.facts["gone_s"] = 40.0
    assert list(was_on(thing, "large", is_on=False))[-1] == Span(30, 40, "large")
    assert list(was_there(thing, "large")) == [Span(10, 30, "small"), Span(30, 40, "large")]
