"""Which points are good, which series are due, how is a span cut into buckets?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.kit.errors import FieldError, InvalidInput
from shared.messages.metrics import METRIC_NAMES, MetricSummary, Sample

INTERVALS_S: Final[Mapping[str, int]] = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86_400}
BUCKETS_ALLOWED: Final = 2000
DETAILED_PERIOD_S: Final = 60
"""Detailed monitoring (docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The oldest and the newest time of a point that is taken now."""

    oldest: datetime
    newest: datetime


def limits(now: datetime, max_age_s: float, max_future_s: float) -> Limits:
    return Limits(now - timedelta(seconds=max_age_s), now + timedelta(seconds=max_future_s))


def fault_of(sample: Sample, owner: UUID | None, organization: UUID, allowed: Limits) -> str | None:
    """Why a sample is set aside: `unknown_resource`, `naive_time`, `too_old`, `future`, `not_finite`; None when good.

    `owner` is the organization that the resource belongs to, None when nobody knows it.
    """
    if owner != organization:
        return "unknown_resource"
    time = sample.time
    if time.tzinfo is None:
        return "naive_time"
    if time < allowed.oldest:
        return "too_old"
    if time > allowed.newest:
        return "future"
    if not math.isfinite(
        (sample.cpu_utilization or 0.0) + (sample.memory_utilization or 0.0) + (sample.disk_utilization or 0.0)
        + (sample.network_in_mbps or 0.0) + (sample.network_out_mbps or 0.0) + (sample.response_time_ms or 0.0)
        + (sample.error_rate or 0.0) + (sample.requests_per_second or 0.0)
    ):  # fmt: skip
        return "not_finite"
    return None


def values_of(sample: Sample) -> tuple[float | None, ...]:
    """The eight values in the order of METRIC_NAMES."""
    return (
        sample.cpu_utilization, sample.memory_utilization, sample.disk_utilization, sample.network_in_mbps,
        sample.network_out_mbps, sample.response_time_ms, sample.error_rate, sample.requests_per_second,
    )  # fmt: skip


def known_values(values: Sequence[float | None]) -> dict[str, float]:
    """Only what was measured, by name."""
    return {name: value for name, value in zip(METRIC_NAMES, values, strict=False) if value is not None}


@dataclass(frozen=True, slots=True)
class Due:
    """One resource whose next point is due: ask for the periods of `period_s` that begin in [start, end)."""

    resource_id: UUID
    provider_resource_id: str
    period_s: int
    start: datetime
    end: datetime


def period_of(provider_period_s: int, configuration: Mapping[str, object]) -> int:
    """Seconds between two points of a resource: its account's, at most a minute with detailed monitoring."""
    is_detailed = configuration.get("monitoring") == "detailed"
    return min(provider_period_s, DETAILED_PERIOD_S) if is_detailed else provider_period_s


def due_span(
    asked_until: datetime | None, created_at: datetime, now: datetime, period_s: int, delay_s: float, lookback_s: float
) -> tuple[datetime, datetime] | None:
    """The periods that ended, were published, and were not asked for yet; None when no point is due.

    Periods begin at multiples of `period_s` since the epoch, as providers cut them. A provider whose period became
    longer is asked again from the begin of the longer period.
    """
    end = floor(now - timedelta(seconds=delay_s), period_s)
    first = floor(max(created_at, now - timedelta(seconds=max(lookback_s, period_s * 2.0))), period_s)
    start = first if asked_until is None else max(floor(asked_until, period_s), first)
    return (start, end) if start < end else None


def floor(time: datetime, period_s: int) -> datetime:
    """The begin of the period that `time` is in."""
    seconds = int(time.timestamp())
    return datetime.fromtimestamp(seconds - seconds % period_s, UTC)


def check_span(start: datetime, end: datetime, interval: str) -> None:
    """Raise InvalidInput for a span that is empty or would have too many buckets."""
    naive = [pointer for pointer, time in (("/start", start), ("/end", end)) if time.tzinfo is None]
    if naive:
        errors = [FieldError(pointer, "is a time with a zone, as RFC 3339 asks") for pointer in naive]
        raise InvalidInput("times need a zone", errors=errors)
    if start >= end:
        raise InvalidInput("the span is empty", errors=[FieldError("/end", "is later than start")])
    if (end - start).total_seconds() / INTERVALS_S[interval] > BUCKETS_ALLOWED:
        detail = f"makes more than {BUCKETS_ALLOWED} buckets of {interval}: ask for less time or a longer interval"
        raise InvalidInput("the span is too long", errors=[FieldError("/interval", detail)])


def buckets_of_days(days: Sequence[Mapping[str, Any]], aggregation: str) -> list[dict[str, Any]]:
    """Daily roll-ups as buckets: `time` and each metric. Percentiles cannot be had of roll-ups: they are unknown."""
    return [
        {"time": midnight_of(day["day"]), **{name: _figure(day, name, aggregation) for name in METRIC_NAMES}}
        for day in days
    ]


def midnight_of(day: date) -> datetime:
    """When a day begins (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def whole_days(start: datetime, end: datetime) -> tuple[date, date]:
    """The first and the last day (UTC) that lie in [start, end) as a whole; the last is before the first: none does."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    begins = midnight_of(first.date()) == first
    return first.date() + timedelta(days=0 if begins else 1), last.date() - timedelta(days=1)


def _figure(day: Mapping[str, Any], name: str, aggregation: str) -> float | None:
    if aggregation == "sum":
        mean: float | None = day[f"{name}_avg"]
        return None if mean is None else mean * day[f"{name}_count"]
    figure: float | None = day.get(f"{name}_{aggregation}")
    return figure


def joined_summary(parts: Sequence[Mapping[str, Any]], name: str) -> MetricSummary:
    """One metric over several parts of a span, each with `<name>_min`, `_avg`, `_max`, `_count`."""
    measured = [part for part in parts if part[f"{name}_count"]]
    count = sum(part[f"{name}_count"] for part in measured)
    total = math.fsum(part[f"{name}_avg"] * part[f"{name}_count"] for part in measured)
    return MetricSummary(
        avg_value=total / count if count else None,
        max_value=max((part[f"{name}_max"] for part in measured), default=None),
        min_value=min((part[f"{name}_min"] for part in measured), default=None),
        data_points=count,
    )
