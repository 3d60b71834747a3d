"""A caller gets its limit, at once if it likes, then the steady rate, and is told when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.rate_limits import RateLimit, decide

LIMIT = RateLimit(10, 60)
START_S = 1_800_000_000.0


def ask(limit: RateLimit, times_s: list[float]) -> list[bool]:
    whole_again_at_s, answers = None, []
    for now_s in times_s:
        decision = decide(limit, whole_again_at_s, now_s)
        whole_again_at_s = decision.whole_again_at_s
        answers.append(decision.allowed)
    return answers


def test_a_burst_of_the_whole_limit_is_allowed_and_not_one_more():
    assert ask(LIMIT, [START_S] * 12) == [True] * 10 + [False] * 2


@given(requests=st.integers(1, 100_000), period_s=st.sampled_from([1.0, 60.0, 3600.0]))
def test_who_comes_back_when_told_is_let_in_and_a_moment_earlier_is_not(requests, period_s):
    limit = RateLimit(requests, period_s)
    full = START_S + period_s
    refused = decide(limit, full, START_S)
    assert not refused.allowed
    assert refused.retry_after_s == pytest.approx(period_s / requests, rel=0.01, abs=1e-6)
    assert decide(limit, refused.whole_again_at_s, START_S + refused.retry_after_s).allowed
    assert not decide(limit, refused.whole_again_at_s, START_S + refused.retry_after_s / 2).allowed


@given(gaps=st.lists(st.floats(0, 30), max_size=200))
def test_no_window_of_a_period_has_more_than_twice_the_limit_and_no_two_hours_more_than_the_rate(gaps):
    times_s, now_s = [], START_S
    for gap_s in gaps:
        now_s += gap_s
        times_s.append(now_s)
    allowed = [at_s for at_s, answer in zip(times_s, ask(LIMIT, times_s), strict=True) if answer]
    for at_s in allowed:
        within = sum(1 for other_s in allowed if at_s <= other_s < at_s + LIMIT.period_s)
        assert within <= 2 * LIMIT.requests
    if allowed:
        steady = (allowed[-1] - allowed[0]) * LIMIT.requests / LIMIT.period_s
        assert len(allowed) <= LIMIT.requests + steady + 1


def test_asking_while_refused_does_not_prolong_the_wait():
    answers = ask(LIMIT, [START_S] * 100 + [START_S + 6.001])
    assert answers[-1] is True


def test_after_a_quiet_period_the_allowance_is_whole_again_and_no_more():
    assert ask(LIMIT, [START_S] * 10 + [START_S + 3600] * 11) == [True] * 20 + [False]
