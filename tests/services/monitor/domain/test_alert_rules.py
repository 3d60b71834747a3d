"""The built-in rules are those of the requirements, a value says one thing to a rule, and no rule can never clear."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.monitor.domain.alert_rules import (
    BUILTIN_RULES,
    POSITION,
    RULE_METRICS,
    Rule,
    Signal,
    builtin_id,
    check_condition,
    holds,
    signal_of,
    signal_of_answer,
)
from shared.kit.errors import InvalidInput
from shared.messages.alert_rules import Condition, Operator
from shared.messages.alerts import SEVERITIES
from shared.messages.metrics import METRIC_NAMES

WEB, DATABASE, ACCOUNT = UUID(int=1), UUID(int=2), UUID(int=3)
OPERATORS: tuple[Operator, ...] = (">", ">=", "<", "<=", "==", "!=")
NUMBERS = st.floats(-1e6, 1e6)


def rule(condition: Condition, **fields: Any) -> Rule:
    return Rule(UUID(int=9), "a rule", "performance_degradation", "warning", condition, **fields)


def cpu(operator: Operator, threshold: float, clear_threshold: float | None = None) -> Rule:
    return rule(
        Condition(metric="cpu_utilization", operator=operator, threshold=threshold, clear_threshold=clear_threshold)
    )


def said(metric: str, value: float | None) -> set[str]:
    """The severities of the built-in rules that a value of a metric crosses."""
    rules = [each for each in BUILTIN_RULES.values() if each.condition.metric == metric]
    return {each.severity_level for each in rules if signal_of(each, value) is Signal.CROSSED}


@pytest.mark.parametrize(
    ("metric", "value", "severity"),
    [
        ("cpu_utilization", 80.0, None),
        ("cpu_utilization", 80.1, "warning"),
        ("cpu_utilization", 95.0, "warning"),
        ("cpu_utilization", 95.1, "critical"),
        ("memory_utilization", 85.0, None),
        ("memory_utilization", 85.1, "warning"),
        ("memory_utilization", 95.0, "warning"),
        ("memory_utilization", 95.1, "critical"),
        ("disk_utilization", 90.0, None),
        ("disk_utilization", 90.1, "warning"),
        ("disk_utilization", 95.0, "warning"),
        ("disk_utilization", 95.1, "critical"),
        ("response_time_ms", 2999.9, None),
        ("response_time_ms", 3000.0, "warning"),
        ("response_time_ms", 4999.9, "warning"),
        ("response_time_ms", 5000.0, "critical"),
        ("error_rate", 0.0, None),
        ("error_rate", 1.0, None),
        ("error_rate", 1.1, "error"),
        ("error_rate", 5.0, "error"),
        ("error_rate", 5.1, "critical"),
        ("health_score", 80, None),
        ("health_score", 79, "warning"),
        ("health_score", 50, "warning"),
        ("health_score", 49, "critical"),
        ("health_score", 0, "critical"),
    ],
)
def test_a_value_crosses_the_one_built_in_rule_that_the_requirements_name(
    metric: str, value: float, severity: str | None
) -> None:
    """Requirements 1.3 (response time, error rate, health penalties) and C44 (>= for response times)."""
    assert said(metric, value) == ({severity} if severity else set())


@given(metric=st.sampled_from(RULE_METRICS), value=st.none() | st.floats(0, 100_000))
def test_one_cause_crosses_at_most_one_built_in_rule_and_nothing_measured_crosses_none(
    metric: str, value: float | None
) -> None:
    assert len(said(metric, value)) <= (0 if value is None else 1)


def test_a_built_in_rule_has_the_same_id_on_every_replica_and_a_severity_of_ours() -> None:
    assert BUILTIN_RULES[builtin_id("cpu_utilization.warning")].alert_name == "CPU high"
    assert {each.id for each in BUILTIN_RULES.values()} == set(BUILTIN_RULES)
    assert {each.severity_level for each in BUILTIN_RULES.values()} <= set(SEVERITIES)
    for each in BUILTIN_RULES.values():
        check_condition(each.condition)


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        (">", False, False, True),
        (">=", False, True, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_an_operator_means_what_it_looks_like(operator: str, below: bool, at: bool, above: bool) -> None:  # noqa: FBT001
    assert [holds(operator, value, 5.0) for value in (4.9, 5.0, 5.1)] == [below, at, above]


@pytest.mark.parametrize(
    ("subject", "value", "signal"),
    [
        (cpu(">", 80), 80.1, Signal.CROSSED),
        (cpu(">", 80), 80, Signal.BETWEEN),
        (cpu(">", 80), 76.1, Signal.BETWEEN),
        (cpu(">", 80), 76, Signal.CLEARED),
        (cpu("<", 80), 80, Signal.BETWEEN),
        (cpu("<", 80), 84, Signal.CLEARED),
        (cpu(">", 80, 50), 51, Signal.BETWEEN),
        (cpu(">", 80, 50), 50, Signal.CLEARED),
        (cpu("<=", 10, 20), 19, Signal.BETWEEN),
        (cpu("<=", 10, 20), 20, Signal.CLEARED),
        (cpu(">", 80, 0), 1, Signal.BETWEEN),
        (cpu(">", 0), 0, Signal.CLEARED),
        (cpu(">", 0), 0.1, Signal.CROSSED),
        (cpu(">", -10), -10.2, Signal.BETWEEN),
        (cpu(">", -10), -10.5, Signal.CLEARED),
        (cpu("<", -10), -9.5, Signal.CLEARED),
        (cpu("==", 5), 5, Signal.CROSSED),
        (cpu("==", 5), 5.001, Signal.CLEARED),
        (cpu("!=", 5), 5, Signal.CLEARED),
    ],
)
def test_a_value_clears_a_margin_back_or_where_the_rule_says(subject: Rule, value: float, signal: Signal) -> None:
    assert signal_of(subject, value) is signal


@given(operator=st.sampled_from(OPERATORS), threshold=NUMBERS, value=NUMBERS)
def test_a_value_never_crosses_and_clears_and_is_never_unknown(
    operator: Operator, threshold: float, value: float
) -> None:
    signal = signal_of(cpu(operator, threshold), value)
    assert (signal is Signal.CROSSED) == holds(operator, value, threshold)
    assert signal is not Signal.UNKNOWN


@given(operator=st.sampled_from(OPERATORS), threshold=NUMBERS, clear_threshold=st.none() | NUMBERS)
def test_a_rule_that_is_accepted_has_values_that_clear_it(
    operator: Operator, threshold: float, clear_threshold: float | None
) -> None:
    subject = cpu(operator, threshold, clear_threshold)
    try:
        check_condition(subject.condition)
    except InvalidInput:
        return
    candidates = (-1e7, threshold, threshold + 1, 1e7)
    assert Signal.CLEARED in {signal_of(subject, value) for value in candidates}
    if clear_threshold is not None and operator in {">", ">=", "<", "<="}:
        assert signal_of(subject, clear_threshold) is Signal.CLEARED


@pytest.mark.parametrize("operator", OPERATORS)
def test_nothing_measured_is_unknown_and_zero_is_measured(operator: Operator) -> None:
    assert signal_of(cpu(operator, 0), None) is Signal.UNKNOWN
    assert signal_of(cpu(operator, 0), 0.0) is not Signal.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "signal"), [(True, Signal.CROSSED), (False, Signal.CLEARED), (None, Signal.UNKNOWN)]
)
def test_an_expression_that_cannot_be_answered_neither_fires_nor_resolves(
    answer: bool | None,  # noqa: FBT001
    signal: Signal,
) -> None:
    assert signal_of_answer(answer=answer) is signal


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"metric": "happiness", "threshold": 1}, "/alert_conditions/metric"),
        ({"metric": "response_time", "threshold": 1}, "/alert_conditions/metric"),
        ({"metric": "error_rate", "threshold": 5, "clear_threshold": 6}, "/alert_conditions/clear_threshold"),
        (
            {"metric": "error_rate", "operator": ">=", "threshold": 5, "clear_threshold": 5},
            "/alert_conditions/clear_threshold",
        ),
        ({"metric": "error_rate", "threshold": 0, "clear_threshold": 0.5}, "/alert_conditions/clear_threshold"),
        (
            {"metric": "error_rate", "operator": "<", "threshold": 0, "clear_threshold": -1},
            "/alert_conditions/clear_threshold",
        ),
    ],
)
def test_a_rule_that_could_not_fire_or_never_clear_is_refused(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_condition(Condition(**fields))
    assert [error.pointer for error in caught.value.errors] == [pointer]


@pytest.mark.parametrize("clear_threshold", [None, 5, 4, 0])
def test_a_rule_may_clear_at_its_threshold_or_beyond(clear_threshold: float | None) -> None:
    check_condition(Condition(metric="error_rate", threshold=5, clear_threshold=clear_threshold))
    check_condition(Condition(expression="metrics.error_rate > 5.0"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_threshold_is_a_number(bad: float) -> None:
    with pytest.raises(ValidationError):
        Condition(metric="error_rate", threshold=bad)


def test_a_metric_has_its_place_in_the_row_of_values_and_an_expression_has_none() -> None:
    assert [POSITION[name] for name in METRIC_NAMES] == list(range(8))
    assert rule(Condition(metric="health_score", threshold=1)).position == 8
    assert rule(Condition(expression="true")).position == -1


@pytest.mark.parametrize(
    ("fields", "is_concerned"),
    [
        ({}, True),
        ({"resource_id": WEB}, True),
        ({"resource_id": DATABASE}, False),
        ({"provider_id": ACCOUNT}, True),
        ({"provider_id": UUID(int=4)}, False),
        ({"resource_id": WEB, "provider_id": UUID(int=4)}, False),
    ],
)
def test_a_rule_concerns_what_it_names_and_everything_when_it_names_nothing(
    fields: dict[str, UUID],
    is_concerned: bool,  # noqa: FBT001
) -> None:
    assert rule(Condition(metric="error_rate", threshold=1), **fields).concerns(WEB, ACCOUNT) is is_concerned
