"""A tenant's expression answers true or false, or it is an error that says why: it never breaks a batch."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.monitor.domain.expressions import (
    LONGEST_EXPRESSION,
    LONGEST_TEXT,
    MOST_ITEMS,
    ExpressionError,
    activation_of,
    check,
    compiled,
    evaluate,
)

RESOURCE: Mapping[str, Any] = {
    "resource_name": "web", "resource_type": "compute", "resource_subtype": "ec2_instance",
    "environment": "production", "project": "shop", "region": "us-east-1", "provider_name": "aws",
    "tags": {"env": "prod", "team": "orders"},
}  # fmt: skip
ACTIVATION = activation_of({"cpu_utilization": 91.5, "error_rate": 0.0}, RESOURCE)


def ask(expression: str) -> tuple[bool | None, str | None]:
    (answer,) = evaluate([(expression, ACTIVATION)])
    return answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("true", True),
        ("metrics.cpu_utilization > 90.0", True),
        ("metrics.cpu_utilization > 90.0 && resource.tags.env == 'test'", False),
        ("resource.environment == 'production' && resource.tags.team in ['orders', 'stock']", True),
        ("has(metrics.response_time_ms) && metrics.response_time_ms > 1.0", False),
        ("has(metrics.error_rate)", True),
        ("resource.tags.exists(key, key == 'team')", True),
        ("resource.resource_name.startsWith('we')", True),
    ],
)
def test_an_expression_is_true_or_false(expression: str, answer: bool) -> None:  # noqa: FBT001
    assert check(expression) is None
    assert ask(expression) == (answer, None)


@pytest.mark.parametrize(
    "expression",
    [
        "metrics.response_time_ms > 1.0",
        "resource.tags.nobody == 'x'",
        "1 / 0 == 1",
        "metrics.cpu_utilization",
        "metrics.cpu_utilization && true",
    ],
)
def test_what_was_not_measured_or_makes_no_sense_is_unknown_with_a_reason(expression: str) -> None:
    answer, problem = ask(expression)
    assert answer is None
    assert problem


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "   ",
        "metrics.",
        "metrics.cpu_utilization >",
        "nobody.knows == 1",
        "1 + 1",
        "'text'",
        "[1, 2].map(each, each * 2) == [2, 4]",
        "[1, 2].filter(each, each > 1) == [2]",
        "(" * 500,
        "x" * (LONGEST_EXPRESSION + 1),
        "\x00",
    ],
)
def test_what_cannot_be_a_rule_does_not_compile_and_says_why(expression: str) -> None:
    problem = check(expression)
    assert problem
    assert "\n" not in problem
    assert len(problem) <= 300
    assert ask(expression)[0] is None
    with pytest.raises(ExpressionError):
        compiled(expression)


def test_the_longest_expression_compiles() -> None:
    longest = "true".ljust(LONGEST_EXPRESSION)
    assert check(longest) is None
    assert ask(longest) == (True, None)


def test_one_wrong_expression_does_not_spoil_the_others() -> None:
    found = evaluate(
        [("true", ACTIVATION), ("metrics.", ACTIVATION), ("1 / 0 == 1", ACTIVATION), ("false", ACTIVATION)]
    )
    assert [answer for answer, _ in found] == [True, None, None, False]
    assert [problem is None for _, problem in found] == [True, False, False, True]


def test_no_questions_have_no_answers() -> None:
    assert evaluate([]) == []


def test_an_expression_may_ask_for_what_was_measured_and_for_the_resource() -> None:
    assert ACTIVATION["metrics"] == {"cpu_utilization": 91.5, "error_rate": 0.0}
    assert ACTIVATION["resource"] == {**RESOURCE}


def test_what_an_expression_is_given_has_an_end() -> None:
    """The library's budget counts iterations and not bytes."""
    tags = {f"{index}{'k' * 9999}": "v" * 9999 for index in range(MOST_ITEMS + 1)}
    found = activation_of({}, {**RESOURCE, "resource_name": "n" * 9999, "tags": tags})["resource"]
    assert len(found["resource_name"]) == LONGEST_TEXT
    assert len(found["tags"]) == MOST_ITEMS
    assert all(len(key) <= LONGEST_TEXT and len(value) <= LONGEST_TEXT for key, value in found["tags"].items())


def test_a_resource_without_tags_and_metrics_can_be_asked_about() -> None:
    found = activation_of({}, {**RESOURCE, "tags": {}})
    assert evaluate([("size(metrics) == 0 && size(resource.tags) == 0", found)]) == [(True, None)]
