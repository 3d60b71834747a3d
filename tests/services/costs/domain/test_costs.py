"""Projections and the figures of a resource."""

from datetime import UTC, datetime
from decimal import Decimal

from services.costs.domain.costs import OpenMeter, cost_tracking, projection
from services.costs.domain.prices import Rate

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MONTH_END = datetime(2026, 12, 1, tzinfo=UTC)
COMPUTE = OpenMeter("compute", "t3.micro", Rate(Decimal("0.0104")))
NO_PRICE = OpenMeter("compute", "x9.none", Rate(None, "no price for x9.none in us-east-1"))


def test_a_projection_is_what_was_spent_and_what_runs_until_the_end() -> None:
    assert projection(Decimal(10), Decimal("0.5"), NOW, MONTH_END) == 16


def test_nothing_runs_nothing_is_added() -> None:
    assert projection(Decimal(10), Decimal(0), NOW, MONTH_END) == 10


def test_a_month_has_720_hours_and_the_average_one_stands_beside_it() -> None:
    found = cost_tracking([COMPUTE], Decimal("1.5"), NOW)
    assert found["hourly"] == 0.0104
    assert found["daily"] == 0.2496
    assert found["monthly"] == 7.488
    assert found["monthly_730"] == 7.592
    assert (found["total"], found["currency"], found["hours_basis"]) == (1.5, "USD", 720)
    assert found["last_updated"] == "2026-11-30T12:00:00Z"


def test_an_unknown_price_is_null_and_never_zero() -> None:
    found = cost_tracking([NO_PRICE], Decimal(0), NOW)
    assert [found[name] for name in ("hourly", "daily", "monthly", "monthly_730", "total")] == [None] * 5
    assert found["not_included"] == ["no price for x9.none in us-east-1"]


def test_what_runs_no_more_costs_zero_and_keeps_its_total() -> None:
    found = cost_tracking([], Decimal("2.25"), NOW)
    assert (found["hourly"], found["total"]) == (0, 2.25)
