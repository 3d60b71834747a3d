"""Usage is the same whatever the order, the repeats and the delays in which versions became known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.costs.domain.costs import daily_costs, hours_between
from services.costs.domain.prices import Price
from services.costs.domain.resources import Facts, Transition, periods

START = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
MICRO = Facts("aws", "us-east-1", "ec2_instance", {"instance_type": "t3.micro", "volume_size_gib": 8})
LARGE = Facts("aws", "us-east-1", "ec2_instance", {"instance_type": "m5.large", "volume_size_gib": 8})
VOLUME = Facts("aws", "us-east-1", "volume", {"size_gib": 8, "kind": "gp3"})
PRICES = {
    ("us-east-1", "t3.micro"): [Price("t3.micro", "hour", Decimal("0.0104"), START.date(), "test")],
    ("us-east-1", "m5.large"): [Price("m5.large", "hour", Decimal("0.096"), START.date(), "test")],
    ("us-east-1", "disk:gp3"): [Price("disk:gp3", "gib_month", Decimal("0.08"), START.date(), "test")],
}


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def said(version: int, hours: float, status: str, facts: Facts = MICRO) -> Transition:
    return Transition(version, at(hours), status, facts)


LIFE = [
    said(1, 0, "provisioning"),
    said(2, 1, "running"),
    said(3, 2, "stopping"),
    said(4, 3, "stopped"),
    said(5, 4, "starting"),
    said(6, 5, "running"),
    said(7, 6, "terminated"),
]


def test_a_life_is_running_stopped_running() -> None:
    assert [(period.start, period.end, period.running) for period in periods(LIFE)] == [
        (at(1), at(3), True),
        (at(3), at(5), False),
        (at(5), at(6), True),
    ]


@given(st.lists(st.sampled_from(LIFE), max_size=30).flatmap(lambda repeats: st.permutations(LIFE + repeats)))
def test_order_and_repeats_change_neither_periods_nor_cost(known: list[Transition]) -> None:
    assert periods(known) == periods(LIFE)
    assert _cost(known) == _cost(LIFE)


@given(st.lists(st.sampled_from(LIFE[:-1])), st.lists(st.sampled_from(["running", "starting", "stopped"]), max_size=3))
def test_after_terminated_nothing_is_paid_whatever_is_said_late(known: list[Transition], later: list[str]) -> None:
    after = [said(8 + index, 7 + index, status) for index, status in enumerate(later)]
    found = periods([*after, LIFE[-1], *known])
    assert all(period.end is not None and period.end <= at(6) for period in found)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.floats(0, 72),
            st.sampled_from(["provisioning", "running", "stopped", "error", "terminated"]),
        ),
        max_size=20,
    )
)
def test_periods_never_overlap_and_never_end_before_they_start(versions: list[tuple[int, float, str]]) -> None:
    found = periods([said(*each) for each in versions])
    assert all(period.end is None or period.start < period.end for period in found)
    assert all(first.end is not None and first.end <= second.start for first, second in pairwise(found))


def test_a_failed_machine_is_paid_as_before_and_one_that_never_ran_is_not_paid() -> None:
    failed_stop = periods([said(1, 0, "running"), said(2, 1, "stopping"), said(3, 2, "error")])
    assert [(period.end, period.running) for period in failed_stop] == [(None, True)]
    assert periods([said(1, 0, "provisioning"), said(2, 1, "error")]) == ()


def test_another_type_begins_another_period() -> None:
    found = periods([said(1, 0, "running"), said(2, 1, "running", LARGE)])
    assert [(period.start, period.end, period.facts) for period in found] == [
        (at(0), at(1), MICRO),
        (at(1), None, LARGE),
    ]


def test_a_type_that_changes_while_it_is_stopped_is_paid_from_its_start_on() -> None:
    found = periods(
        [
            said(1, 0, "running"),
            said(2, 1, "stopping"),
            said(3, 2, "stopped"),
            said(4, 3, "starting", LARGE),
            said(5, 4, "running", LARGE),
        ]
    )
    assert [(period.start, period.end, period.running, period.facts) for period in found] == [
        (at(0), at(2), True, MICRO),
        (at(2), at(3), False, MICRO),
        (at(3), at(4), False, LARGE),
        (at(4), None, True, LARGE),
    ]


def test_a_clock_that_went_back_shortens_nothing() -> None:
    found = periods([said(1, 2, "running"), said(2, 1, "stopped"), said(3, 4, "terminated")])
    assert [(period.start, period.end, period.running) for period in found] == [(at(2), at(4), False)]


VOLUME_LIFE = [said(1, 1, "available", VOLUME), said(2, 2, "error", VOLUME), said(3, 6, "terminated", VOLUME)]


def test_the_cost_of_a_life_is_exact() -> None:
    assert _cost(LIFE) == Decimal("0.0104") * 3
    volume = Decimal(8) * Decimal("0.08") / 720 * 5
    assert abs(_cost(VOLUME_LIFE) - volume) < Decimal("0.000000001")


def test_days_are_cut_at_midnight_utc() -> None:
    lives = (LIFE, VOLUME_LIFE)
    days = [day for life in lives for day in daily_costs(periods(life), PRICES, START.date(), at(100))]
    assert {(cost.day.day, cost.category): cost.usage_hours for cost in days} == {
        (20, "compute"): 1,
        (20, "storage"): 1,
        (21, "compute"): 2,
        (21, "storage"): 4,
    }


def test_hours_are_exact_to_the_microsecond() -> None:
    assert hours_between(START, START + timedelta(microseconds=36)) == Decimal("0.00000001")
    assert hours_between(at(1), at(0)) == 0


def _cost(known: list[Transition]) -> Decimal:
    days = daily_costs(periods(known), PRICES, START.date(), at(100))
    return sum((cost.amount for cost in days if cost.amount is not None), Decimal(0))
