"""Bad points are set aside with a reason, series are asked for on the grid of their periods, spans have an end."""

import math
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.metrics import (
    INTERVALS_S,
    Limits,
    check_span,
    due_span,
    fault_of,
    floor,
    known_values,
    limits,
    values_of,
)
from shared.kit.errors import InvalidInput
from shared.messages.metrics import METRIC_NAMES, Sample

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=90)
MINE, OTHERS, WEB = UUID(int=1), UUID(int=2), UUID(int=3)
ALLOWED = limits(NOW, 3600, 120)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
PERIODS_S = st.sampled_from([1, 10, 60, 300, 3600])


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, second, tzinfo=UTC)


def test_limits_are_the_oldest_and_the_newest_time_that_is_taken() -> None:
    assert Limits(NOW - timedelta(hours=1), NOW + timedelta(minutes=2)) == ALLOWED


@pytest.mark.parametrize(
    ("time", "fault"),
    [
        (NOW, None),
        (ALLOWED.oldest, None),
        (ALLOWED.oldest - timedelta(microseconds=1), "too_old"),
        (ALLOWED.newest, None),
        (ALLOWED.newest + timedelta(microseconds=1), "future"),
        (NOW.astimezone(timezone(timedelta(hours=9))), None),
        (NOW.replace(tzinfo=None), "naive_time"),
    ],
)
def test_a_point_is_taken_between_its_limits_and_with_a_zone(time: datetime, fault: str | None) -> None:
    assert fault_of(Sample(WEB, time, cpu_utilization=50.0), MINE, MINE, ALLOWED) == fault


@pytest.mark.parametrize("owner", [None, OTHERS])
def test_a_resource_of_nobody_or_of_somebody_else_is_unknown(owner: UUID | None) -> None:
    assert fault_of(Sample(WEB, NOW), owner, MINE, ALLOWED) == "unknown_resource"


@pytest.mark.parametrize("name", METRIC_NAMES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_sets_its_sample_aside(name: str, value: float) -> None:
    sample = msgspec.structs.replace(Sample(WEB, NOW, cpu_utilization=1.0, error_rate=1.0), **{name: value})
    assert fault_of(sample, MINE, MINE, ALLOWED) == "not_finite"


def test_infinities_that_cancel_out_are_set_aside() -> None:
    sample = Sample(WEB, NOW, network_in_mbps=math.inf, network_out_mbps=-math.inf)
    assert fault_of(sample, MINE, MINE, ALLOWED) == "not_finite"


def test_a_sample_without_values_is_good() -> None:
    assert fault_of(Sample(WEB, NOW), MINE, MINE, ALLOWED) is None


def test_values_stand_in_the_order_of_their_names() -> None:
    sample = Sample(WEB, NOW, **{name: float(index) for index, name in enumerate(METRIC_NAMES)})
    assert values_of(sample) == tuple(float(index) for index in range(len(METRIC_NAMES)))


def test_what_was_not_measured_has_no_name_and_zero_has_one() -> None:
    assert known_values(values_of(Sample(WEB, NOW, cpu_utilization=0.0, error_rate=2.5))) == {
        "cpu_utilization": 0.0,
        "error_rate": 2.5,
    }
    assert known_values(values_of(Sample(WEB, NOW))) == {}


@given(time=TIMES, period_s=PERIODS_S)
def test_a_period_begins_at_a_multiple_of_its_length_and_holds_its_time(time: datetime, period_s: int) -> None:
    begin = floor(time, period_s)
    assert begin.timestamp() % period_s == 0
    assert begin <= time < begin + timedelta(seconds=period_s)


@pytest.mark.parametrize(
    ("asked_until", "expected"),
    [
        (None, (at(11, 45), at(12, 0))),
        (at(11, 59), (at(11, 59), at(12, 0))),
        (at(12, 0), None),
        (at(13, 0), None),
        (at(3, 0), (at(11, 45), at(12, 0))),
    ],
)
def test_what_ended_and_was_not_asked_for_is_due_but_not_further_back_than_is_looked(
    asked_until: datetime | None, expected: tuple[datetime, datetime] | None
) -> None:
    assert due_span(asked_until, LONG_AGO, NOW, 60, 0, 900) == expected


def test_a_new_resource_is_asked_for_from_the_period_that_it_was_made_in() -> None:
    assert due_span(None, at(11, 58, 20), NOW, 60, 0, 900) == (at(11, 58), at(12, 0))
    assert due_span(None, at(12, 0, 20), NOW, 60, 0, 900) is None


def test_a_resource_that_was_made_in_the_future_is_not_due() -> None:
    assert due_span(None, NOW + timedelta(hours=1), NOW, 60, 0, 900) is None


def test_periods_are_asked_for_when_they_are_published() -> None:
    assert due_span(at(11, 57), LONG_AGO, NOW, 60, 90, 900) == (at(11, 57), at(11, 59))


def test_periods_longer_than_what_is_looked_back_are_asked_for_all_the_same() -> None:
    assert due_span(None, LONG_AGO, NOW, 3600, 0, 900) == (at(10, 0), at(12, 0))


def test_a_longer_period_is_asked_for_whole() -> None:
    assert due_span(at(11, 57), LONG_AGO, NOW, 300, 0, 900) == (at(11, 55), at(12, 0))


@given(
    asked_until=st.none() | TIMES,
    created_at=TIMES,
    period_s=PERIODS_S,
    delay_s=st.floats(0, 600),
    lookback_s=st.floats(1, 7200),
)
def test_what_is_due_has_ended_lies_on_the_grid_and_is_not_due_again(
    asked_until: datetime | None, created_at: datetime, period_s: int, delay_s: float, lookback_s: float
) -> None:
    found = due_span(asked_until, created_at, NOW, period_s, delay_s, lookback_s)
    if found is None:
        return
    start, end = found
    assert start < end <= NOW
    assert start.timestamp() % period_s == end.timestamp() % period_s == 0
    assert start > created_at - timedelta(seconds=period_s)
    assert due_span(end, created_at, NOW, period_s, delay_s, lookback_s) is None


@pytest.mark.parametrize(("interval", "seconds"), [("1m", 60), ("5m", 300), ("1h", 3600), ("1d", 86_400)])
def test_a_span_has_at_most_the_buckets_that_are_allowed(interval: str, seconds: int) -> None:
    assert INTERVALS_S[interval] == seconds
    longest = timedelta(seconds=seconds * 2000)
    check_span(NOW, NOW + longest, interval)
    with pytest.raises(InvalidInput) as caught:
        check_span(NOW, NOW + longest + timedelta(seconds=1), interval)
    assert [error.pointer for error in caught.value.errors] == ["/interval"]


@pytest.mark.parametrize(
    ("start", "end", "pointers"),
    [
        (NOW, NOW, ["/end"]),
        (NOW, NOW - timedelta(seconds=1), ["/end"]),
        (NOW.replace(tzinfo=None), NOW, ["/start"]),
        (NOW, NOW.replace(tzinfo=None), ["/end"]),
        (NOW.replace(tzinfo=None), NOW.replace(tzinfo=None), ["/start", "/end"]),
    ],
)
def test_a_span_that_is_empty_or_has_no_zone_is_refused_where_it_is_wrong(
    start: datetime, end: datetime, pointers: list[str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_span(start, end, "1h")
    assert [error.pointer for error in caught.value.errors] == pointers
