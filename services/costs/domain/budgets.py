"""When is a budget crossed, and which budgets make sense? Pure: periods, thresholds, validation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from services.costs.domain.costs import CURRENCY
from shared.kit.errors import FieldError, InvalidInput

FORECAST_THRESHOLDS = (100.0,)
"""The forecast is judged at the whole amount only (requirements C23)."""
ACTUAL, FORECAST = "actual", "forecast"

FILTERS = ("provider_id", "provider_name", "environment", "project", "resource_type")
_NEEDED = {
    "organization": (),
    "provider": ("provider_id", "provider_name"),
    "environment": ("environment",),
    "project": ("project",),
    "resource_type": ("resource_type",),
}
_MONTHS = {"monthly": 1, "quarterly": 3, "annually": 12}


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold (percent of the amount) that spending (`actual`) or its `forecast` has reached."""

    basis: str
    threshold_percent: float
    spend: Decimal


def period_of(budget_period: str, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of the calendar period (UTC; weeks begin on Monday) that holds a moment."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if budget_period == "daily":
        return today, today + timedelta(days=1)
    if budget_period == "weekly":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    months = _MONTHS[budget_period]
    start = today.replace(day=1, month=(today.month - 1) // months * months + 1)
    return start, months_later(start, months)


def months_later(start: datetime, months: int) -> datetime:
    """The first day of a month so many months later (or earlier)."""
    years, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + years, month=month + 1, day=1)


def crossings(budget_amount: Decimal, thresholds: Iterable[float], spend: Decimal, forecast: Decimal) -> list[Crossing]:
    """All thresholds that are reached now, lowest first; who has said them before is not asked here."""
    found = [Crossing(ACTUAL, percent, spend) for percent in thresholds if _reached(spend, budget_amount, percent)]
    expected = [Crossing(FORECAST, percent, forecast) for percent in FORECAST_THRESHOLDS]
    return found + [each for each in expected if _reached(forecast, budget_amount, each.threshold_percent)]


def status_of(budget_amount: Decimal, spend: Decimal, forecast: Decimal) -> str:
    if spend >= budget_amount:
        return "exceeded"
    return "at_risk" if forecast >= budget_amount else "within"


def check(scope: str, filters: Mapping[str, str], thresholds: Sequence[float], currency: str) -> None:
    """Raise InvalidInput with a pointer to everything that is wrong."""
    errors = [*_filter_errors(scope, filters), *_threshold_errors(thresholds)]
    if currency != CURRENCY:
        errors.append(FieldError("/currency", f"only {CURRENCY}: costs are not converted between currencies"))
    if errors:
        raise InvalidInput("the budget is not valid", errors=errors)


def _reached(spend: Decimal, budget_amount: Decimal, percent: float) -> bool:
    return spend > 0 and spend >= budget_amount * Decimal(str(percent)) / 100


def _filter_errors(scope: str, filters: Mapping[str, str]) -> list[FieldError]:
    errors = [
        FieldError(f"/scope_filters/{name}", f"is none of {', '.join(FILTERS)}")
        for name in filters
        if name not in FILTERS
    ]
    if "provider_id" in filters and not _is_uuid(filters["provider_id"]):
        errors.append(FieldError("/scope_filters/provider_id", "is the id of a provider"))
    needed = _NEEDED[scope]
    if needed and not any(filters.get(name) for name in needed):
        errors.append(FieldError("/scope_filters", f"the scope {scope} needs {' or '.join(needed)}"))
    return errors


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _threshold_errors(thresholds: Sequence[float]) -> list[FieldError]:
    if any(not 0 <= percent <= 1000 for percent in thresholds):
        return [FieldError("/alert_thresholds", "each is a percentage from 0 to 1000")]
    if any(first >= second for first, second in pairwise(thresholds)):
        return [FieldError("/alert_thresholds", "they ascend and none comes twice")]
    return []
