"""The score of requirements 1.3, its limits to the digit, and unknown where nothing was measured."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.health import current_status, health_score, health_status, overall_status

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STALE_AFTER_S = 900.0
VALUES = st.none() | st.floats(0, 10_000)
STATUSES = st.sampled_from(["healthy", "warning", "critical", "unknown"])


@pytest.mark.parametrize(
    ("cpu", "memory", "disk", "response_ms", "score"),
    [
        (0, 0, 0, 0, 100),
        (80, 85, 90, 1000, 100),
        (80.01, 0, 0, 0, 80),
        (0, 85.01, 0, 0, 85),
        (0, 0, 90.01, 0, 75),
        (0, 0, 0, 1000.01, 85),
        (81, 86, 0, 0, 65),
        (81, 86, 91, 0, 40),
        (100, 100, 100, 60_000, 25),
    ],
)
def test_each_penalty_begins_beyond_its_limit(
    cpu: float, memory: float, disk: float, response_ms: float, score: int
) -> None:
    assert health_score(cpu, memory, disk, response_ms) == score


def test_nothing_measured_has_no_score_and_no_health() -> None:
    assert health_score(None, None, None, None) is None
    assert health_status(None) == "unknown"


@pytest.mark.parametrize("position", range(4))
def test_zero_is_a_measurement_and_one_is_enough(position: int) -> None:
    values: list[float | None] = [None] * 4
    values[position] = 0.0
    assert health_score(*values) == 100


@given(values=st.tuples(VALUES, VALUES, VALUES, VALUES), position=st.integers(0, 3), more=st.floats(0, 10_000))
def test_the_score_stays_between_0_and_100_and_load_never_raises_it(
    values: tuple[float | None, float | None, float | None, float | None], position: int, more: float
) -> None:
    score = health_score(*values)
    if score is None:
        assert values == (None, None, None, None)
        return
    assert 0 <= score <= 100
    loaded = list(values)
    loaded[position] = (values[position] or 0.0) + more
    lower = health_score(*loaded)
    assert lower is not None
    assert lower <= score


@pytest.mark.parametrize(
    ("score", "status"),
    [(100, "healthy"), (80, "healthy"), (79, "warning"), (50, "warning"), (49, "critical"), (0, "critical")],
)
def test_a_status_begins_at_its_score(score: int, status: str) -> None:
    assert health_status(score) == status


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(0), "warning"),
        (timedelta(seconds=900), "warning"),
        (timedelta(seconds=900, microseconds=1), "unknown"),
        (timedelta(seconds=-60), "warning"),
    ],
)
def test_stale_telemetry_supports_no_status(age: timedelta, status: str) -> None:
    assert current_status("warning", NOW - age, NOW, STALE_AFTER_S) == status


def test_no_telemetry_is_not_health() -> None:
    assert current_status("healthy", None, NOW, STALE_AFTER_S) == "unknown"


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, "unknown"),
        ({"healthy": 0, "warning": 0, "critical": 0, "unknown": 0}, "unknown"),
        ({"unknown": 3}, "unknown"),
        ({"healthy": 1, "unknown": 9}, "healthy"),
        ({"healthy": 9, "warning": 1}, "warning"),
        ({"healthy": 9, "warning": 9, "critical": 1, "unknown": 9}, "critical"),
    ],
)
def test_the_whole_is_as_healthy_as_its_worst_known_part_and_nothing_is_unknown(
    counts: Mapping[str, int], status: str
) -> None:
    assert overall_status(counts) == status
