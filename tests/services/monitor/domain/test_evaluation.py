"""A batch is judged as its points would have been one by one, rule by rule and resource by resource."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.alert_rules import BUILTIN_RULES, Rule, builtin_id, signal_of
from services.monitor.domain.alerts import Standing, State, Transition, step
from services.monitor.domain.evaluation import Key, Outcome, Point, evaluate, expression_rules
from shared.messages.alert_rules import Condition, Operator
from shared.messages.metrics import METRIC_NAMES

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEB, ACCOUNT, MINE = UUID(int=1), UUID(int=2), UUID(int=3)
RESOURCE: Mapping[str, Any] = {"id": WEB, "organization_id": MINE, "provider_id": ACCOUNT}
HIGH = Rule(
    UUID(int=10), "High", "performance_degradation", "warning", Condition(metric="cpu_utilization", threshold=80)
)
ASKED = Rule(UUID(int=11), "Asked", "critical_event", "error", Condition(expression="metrics.cpu_utilization > 80.0"))
HIGH_KEY, ASKED_KEY = (HIGH.id, WEB), (ASKED.id, WEB)


def points(*cpu: float | None) -> list[Point]:
    """One point a minute."""
    rest = (None,) * (len(METRIC_NAMES) - 1)
    return [(START + timedelta(minutes=index), (value, *rest), None) for index, value in enumerate(cpu)]


def judge(
    rules: Sequence[Rule],
    found: Sequence[Point],
    states: Mapping[Key, State] | None = None,
    answers: Mapping[Key, bool | None] | None = None,
) -> Outcome:
    outcome = Outcome()
    evaluate(outcome, RESOURCE, rules, states or {}, found, answers or {})
    return outcome


def transitions(outcome: Outcome) -> list[Transition]:
    return [change.transition for change in outcome.transitions]


def test_a_rule_that_is_crossed_tells_what_was_measured_when_and_of_what() -> None:
    outcome = judge([HIGH], points(50.0, 90.0))
    (change,) = outcome.transitions
    assert (change.transition, change.rule) == (Transition.FIRE, HIGH)
    assert (change.resource_id, change.organization_id) == (WEB, MINE)
    assert (change.time, change.value) == (START + timedelta(minutes=1), 90.0)
    assert change.values == (90.0, *(None,) * 8)
    assert outcome.states == {HIGH_KEY: State(Standing.FIRING, START + timedelta(minutes=1))}


@pytest.mark.parametrize("quiet", [(), (None,), (80.0,), (0.0,), (None, 50.0, 79.9)])
def test_what_is_quiet_and_stays_quiet_changes_nothing(quiet: tuple[float | None, ...]) -> None:
    assert judge([HIGH, *BUILTIN_RULES.values()], points(*quiet)) == Outcome()


def test_without_points_nothing_happens_whatever_was_open_or_answered() -> None:
    states = {HIGH_KEY: State(Standing.FIRING, START)}
    assert judge([HIGH, ASKED], [], states, {ASKED_KEY: True}) == Outcome()


def test_telemetry_without_the_metric_ends_no_alert() -> None:
    assert judge([HIGH], points(None, None), {HIGH_KEY: State(Standing.FIRING, START)}) == Outcome()


def test_an_alert_that_was_open_ends_and_its_state_is_dropped() -> None:
    outcome = judge([HIGH], points(10.0), {HIGH_KEY: State(Standing.FIRING, START)})
    assert transitions(outcome) == [Transition.RESOLVE]
    assert outcome.states == {HIGH_KEY: None}


def test_a_peak_within_one_batch_fires_and_resolves_and_leaves_no_state() -> None:
    outcome = judge([HIGH], points(10.0, 90.0, 10.0))
    assert transitions(outcome) == [Transition.FIRE, Transition.RESOLVE]
    assert outcome.states == {}


def test_a_rule_about_something_else_is_not_asked() -> None:
    elsewhere = [replace(HIGH, resource_id=UUID(int=99)), replace(HIGH, provider_id=UUID(int=99))]
    assert judge(elsewhere, points(99.0)) == Outcome()


def test_the_health_score_is_a_metric_like_any_other() -> None:
    point = (START, (None,) * 8, 40)
    outcome = judge(list(BUILTIN_RULES.values()), [point])
    assert [(each.rule.id, each.value) for each in outcome.transitions] == [(builtin_id("health_score.critical"), 40)]


def test_an_unknown_health_score_is_no_bad_one() -> None:
    assert judge(list(BUILTIN_RULES.values()), [(START, (None,) * 8, None)]) == Outcome()


@pytest.mark.parametrize(("answer", "expected"), [(True, [Transition.FIRE]), (False, []), (None, [])])
def test_an_expression_is_judged_by_its_answer_at_the_newest_point(
    answer: bool | None,  # noqa: FBT001
    expected: list[Transition],
) -> None:
    outcome = judge([ASKED], points(10.0, 90.0), answers={ASKED_KEY: answer})
    assert transitions(outcome) == expected
    assert [(each.time, each.value) for each in outcome.transitions] == [
        (START + timedelta(minutes=1), None) for _ in expected
    ]


def test_an_expression_without_an_answer_or_with_an_error_ends_no_alert() -> None:
    open_alert = {ASKED_KEY: State(Standing.FIRING, START)}
    assert judge([ASKED], points(10.0), open_alert) == Outcome()
    assert judge([ASKED], points(10.0), open_alert, {ASKED_KEY: None}) == Outcome()


def test_resources_of_one_batch_are_judged_into_one_outcome() -> None:
    outcome, database = Outcome(), UUID(int=5)
    for resource_id in (WEB, database):
        evaluate(outcome, {**RESOURCE, "id": resource_id}, [HIGH], {}, points(90.0), {})
    assert set(outcome.states) == {HIGH_KEY, (HIGH.id, database)}
    assert [each.resource_id for each in outcome.transitions] == [WEB, database]


def test_expression_rules_are_those_without_a_metric() -> None:
    assert expression_rules([HIGH, ASKED, *BUILTIN_RULES.values()]) == [ASKED]


@pytest.mark.parametrize("threshold", [80.0, 0.0, -5.0])
@pytest.mark.parametrize(
    ("operator", "crossing"),
    [(">", [1]), (">=", [0, 1]), ("<", [-1]), ("<=", [-1, 0]), ("==", [0]), ("!=", [-1, 1])],
)
def test_a_quiet_rule_wakes_exactly_where_its_operator_says(
    operator: Operator, crossing: Sequence[int], threshold: float
) -> None:
    rule = replace(HIGH, condition=Condition(metric="cpu_utilization", operator=operator, threshold=threshold))
    woken = [offset for offset in (-1, 0, 1) if judge([rule], points(threshold + offset / 2)).transitions]
    assert woken == crossing


VALUES = st.lists(st.none() | st.sampled_from([0.0, 70.0, 76.0, 80.0, 80.5, 96.0, 100.0]), max_size=12)
OPERATORS = st.sampled_from([">", ">=", "<", "<=", "==", "!="])
STATES = st.none() | st.builds(
    State,
    st.sampled_from([Standing.PENDING, Standing.FIRING, Standing.RECOVERING]),
    st.just(START - timedelta(hours=1)),
)


@given(
    values=VALUES,
    operator=OPERATORS,
    ceiling=st.sampled_from([None, 95.0]),
    before=STATES,
    for_s=st.sampled_from([0, 90]),
)
def test_a_batch_is_judged_as_its_points_one_by_one(
    values: list[float | None], operator: Operator, ceiling: float | None, before: State | None, for_s: float
) -> None:
    """What is left out because it is quiet would have changed nothing."""
    condition = Condition(metric="cpu_utilization", operator=operator, threshold=80, for_seconds=for_s)
    rule = replace(HIGH, condition=condition, ceiling=ceiling)
    state, expected = before, []
    for time, row, _ in points(*values):
        state, transition = step(state, signal_of(rule, row[0]), time, for_s, 0)
        expected += [transition] if transition is not None else []
    outcome = judge([rule], points(*values), {} if before is None else {HIGH_KEY: before})
    assert transitions(outcome) == expected
    assert outcome.states == ({} if state == before else {HIGH_KEY: state})


@given(values=VALUES, split=st.integers(0, 12))
def test_where_a_batch_is_cut_does_not_matter(values: list[float | None], split: int) -> None:
    whole, all_points = judge([HIGH], points(*values)), points(*values)
    first = judge([HIGH], all_points[:split])
    between = {key: state for key, state in first.states.items() if state is not None}
    second = judge([HIGH], all_points[split:], between)
    assert first.transitions + second.transitions == whole.transitions
