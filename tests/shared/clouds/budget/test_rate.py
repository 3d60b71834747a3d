"""What does an estimate conclude from answers and throttled calls?"""

from hypothesis import given
from hypothesis import strategies as st

from shared.clouds.budget.rate import RATE_MAX_PER_S, RATE_MIN_PER_S, Api, Estimate, first_estimate, windowed

API = Api("calls", rate_per_s=10, burst=20)
NOW_S = 1_000_000.0


def cut(estimate: Estimate, after_s: float = 0.0, measured: float | None = None) -> Estimate:
    return estimate.after_throttle(estimate.cuts, NOW_S + after_s, None, measured)


def test_what_the_provider_publishes_is_where_it_begins() -> None:
    assert first_estimate(API).rate_at(NOW_S) == 10
    assert windowed("creates", 10, 30) == Api("creates", 10 / 30, 8)


def test_it_doubles_while_nothing_is_throttled_but_only_where_calls_wait() -> None:
    estimate = first_estimate(API)
    assert estimate.after_answers(12, 12, NOW_S, API, pressed=True).rate_at(NOW_S) == 20
    assert estimate.after_answers(12, 12, NOW_S, API, pressed=False).rate_at(NOW_S) == 10


def test_a_cut_goes_to_what_was_measured_and_growth_from_there_is_slow() -> None:
    estimate = cut(cut(first_estimate(API)), 10, measured=6.0)
    assert 5.5 < estimate.rate_at(NOW_S + 10) < 6.0
    grown = estimate.after_answers(30, 30, NOW_S + 16, API, pressed=True)
    assert 5.9 < grown.rate_at(NOW_S + 16) < 6.1


def test_more_answers_than_the_limit_allows_prove_that_it_has_risen() -> None:
    estimate = cut(cut(first_estimate(API)), 10, measured=6.0)
    as_before = estimate.after_answers(60, 60, NOW_S + 20, API, pressed=True)
    more = estimate.after_answers(80, 80, NOW_S + 20, API, pressed=True)
    assert not as_before.rising
    assert more.rising


def test_a_call_that_was_sent_before_the_last_cut_changes_nothing_but_the_wait() -> None:
    estimate = cut(first_estimate(API))
    again = estimate.after_throttle(0, NOW_S, 30.0, None)
    assert again.rate_at(NOW_S) == estimate.rate_at(NOW_S)
    assert again.not_before_s == NOW_S + 30


def test_cuts_that_follow_each_other_go_deeper_and_wait_longer() -> None:
    first = cut(first_estimate(API))
    second = cut(first, 0.1)
    assert second.rate_at(NOW_S) < 0.75 * first.rate_at(NOW_S)
    assert second.not_before_s - second.cut_at_s > 2 * (first.not_before_s - first.cut_at_s)


def test_a_burst_that_was_throttled_is_smaller_the_next_time() -> None:
    assert cut(first_estimate(API)).burst == 10
    pressed = first_estimate(API).after_answers(20, 20, NOW_S, API, pressed=True)
    assert cut(pressed).burst == 20


def test_what_the_provider_has_left_is_spread_until_it_counts_anew() -> None:
    told = first_estimate(API).after_notice(60, 120, NOW_S)
    assert told.rate_at(NOW_S + 1) == 0.5
    assert told.rate_at(NOW_S + 121) == 10
    assert first_estimate(API).after_notice(0, 120, NOW_S).not_before_s == NOW_S + 120


events = st.lists(
    st.tuples(st.booleans(), st.integers(0, 500), st.floats(0, 1e4), st.booleans(), st.none() | st.floats(1e-3, 1e5)),
    max_size=60,
)


@given(events)
def test_whatever_happens_the_rate_is_a_positive_bounded_number_and_the_wait_ends(happenings) -> None:
    estimate, now_s = first_estimate(API), NOW_S
    for throttled, count, later_s, pressed, number in happenings:
        now_s += later_s
        before = estimate
        if throttled:
            estimate = estimate.after_throttle(max(0, estimate.cuts - count % 2), now_s, number, number)
        else:
            estimate = estimate.after_answers(count, count, now_s, API, pressed=pressed)
            assert estimate.rate_per_s >= min(before.rate_per_s, RATE_MAX_PER_S) or pressed
        assert RATE_MIN_PER_S <= estimate.rate_at(now_s) <= RATE_MAX_PER_S
        assert estimate.not_before_s <= max(now_s, before.not_before_s) + 3600
        assert 1 <= estimate.burst <= API.burst
