"""Periods, thresholds and what a budget may be."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.costs.domain.budgets import check, crossings, months_later, period_of, status_of
from shared.kit.errors import InvalidInput

NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("budget_period", "start", "end"),
    [
        ("daily", (2026, 11, 20), (2026, 11, 21)),
        ("weekly", (2026, 11, 16), (2026, 11, 23)),
        ("monthly", (2026, 11, 1), (2026, 12, 1)),
        ("quarterly", (2026, 10, 1), (2027, 1, 1)),
        ("annually", (2026, 1, 1), (2027, 1, 1)),
    ],
)
def test_periods_are_those_of_the_calendar(budget_period: str, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    assert period_of(budget_period, NOW) == (datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))


def test_the_month_before_january_is_december() -> None:
    assert months_later(datetime(2026, 1, 1, tzinfo=UTC), -1) == datetime(2025, 12, 1, tzinfo=UTC)


def test_every_threshold_that_is_reached_is_found_and_the_forecast_at_the_whole_only() -> None:
    found = crossings(Decimal(100), [50, 80, 100], Decimal(80), Decimal(100))
    assert [(each.basis, each.threshold_percent) for each in found] == [
        ("actual", 50), ("actual", 80), ("forecast", 100),
    ]  # fmt: skip


def test_nothing_spent_crosses_nothing() -> None:
    assert crossings(Decimal(100), [0, 50], Decimal(0), Decimal(0)) == []


def test_the_status_follows_spending_first_and_forecast_second() -> None:
    assert status_of(Decimal(10), Decimal(10), Decimal(12)) == "exceeded"
    assert status_of(Decimal(10), Decimal(5), Decimal(12)) == "at_risk"
    assert status_of(Decimal(10), Decimal(5), Decimal(9)) == "within"


@pytest.mark.parametrize(
    ("scope", "filters", "thresholds", "currency", "pointer"),
    [
        ("organization", {"colour": "red"}, [50], "USD", "/scope_filters/colour"),
        ("environment", {}, [50], "USD", "/scope_filters"),
        ("provider", {"provider_id": "aws"}, [50], "USD", "/scope_filters/provider_id"),
        ("organization", {}, [80, 50], "USD", "/alert_thresholds"),
        ("organization", {}, [50, 50], "USD", "/alert_thresholds"),
        ("organization", {}, [-1], "USD", "/alert_thresholds"),
        ("organization", {}, [1001], "USD", "/alert_thresholds"),
        ("organization", {}, [float("nan")], "USD", "/alert_thresholds"),
        ("organization", {}, [50], "EUR", "/currency"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is(
    scope: str, filters: dict[str, str], thresholds: list[float], currency: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(scope, filters, thresholds, currency)
    assert [error.pointer for error in caught.value.errors] == [pointer]


def test_a_good_budget_passes() -> None:
    check("provider", {"provider_name": "aws"}, [50, 80.5, 1000], "USD")
