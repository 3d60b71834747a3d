"""A delivery ends sent or failed: what may pass is tried again, ever later, and never sooner than the other side asks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.deliveries import BACKOFF_S, Result, Verdict, backoff_s, result_of_status, verdict

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENT = Result(is_sent=True, is_retryable=False, status=200)
AWAY = Result(is_sent=False, is_retryable=True)
REFUSED = Result(is_sent=False, is_retryable=False, status=404)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_sent(status: int) -> None:
    assert result_of_status(status, 5.0, "ok") == Result(is_sent=True, is_retryable=False, status=status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again_when_the_other_side_wishes(status: int) -> None:
    found = result_of_status(status, 7.0, "")
    assert (found.is_sent, found.is_retryable, found.status, found.retry_after_s) == (False, True, status, 7.0)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422])
def test_anything_else_is_final_redirects_too(status: int) -> None:
    found = result_of_status(status, None, "no")
    assert (found.is_sent, found.is_retryable) == (False, False)


@given(text=st.text(max_size=500))
def test_what_the_other_side_says_is_shown_short_and_without_control_characters(text: str) -> None:
    detail = result_of_status(500, None, text).detail
    assert detail.startswith("answered 500:")
    assert detail.isprintable()
    assert len(detail) <= len("answered 500: ") + 200


@pytest.mark.parametrize(
    ("attempt", "expected_s"), [(1, 1), (2, 2), (3, 5), (4, 15), (5, 60), (6, 300), (7, 900), (8, 900), (1000, 900)]
)
def test_the_wait_grows_from_the_first_attempt_and_ends_at_a_quarter_of_an_hour(attempt: int, expected_s: int) -> None:
    assert backoff_s(attempt, None) == expected_s


@given(attempt=st.integers(1, 20), wish_s=st.none() | st.floats(0, 3600))
def test_no_attempt_comes_sooner_than_wished_or_than_the_one_before(attempt: int, wish_s: float | None) -> None:
    found_s = backoff_s(attempt, wish_s)
    assert found_s >= (wish_s or 0)
    assert BACKOFF_S[0] <= found_s <= backoff_s(attempt + 1, wish_s)


@pytest.mark.parametrize(
    ("result", "attempt", "expected"),
    [
        (SENT, 1, Verdict("sent")),
        (SENT, 8, Verdict("sent")),
        (REFUSED, 1, Verdict("failed")),
        (AWAY, 1, Verdict("retrying", NOW + timedelta(seconds=1))),
        (AWAY, 7, Verdict("retrying", NOW + timedelta(seconds=900))),
        (AWAY, 8, Verdict("failed")),
        (AWAY, 9, Verdict("failed")),
    ],
)
def test_the_last_attempt_that_is_allowed_decides(result: Result, attempt: int, expected: Verdict) -> None:
    assert verdict(result, attempt, 8, NOW) == expected


def test_a_wish_moves_the_next_attempt() -> None:
    busy = result_of_status(429, 120.0, "")
    assert verdict(busy, 1, 8, NOW) == Verdict("retrying", NOW + timedelta(seconds=120))


def test_where_one_attempt_is_allowed_nothing_is_repeated() -> None:
    assert verdict(AWAY, 1, 1, NOW) == Verdict("failed")
