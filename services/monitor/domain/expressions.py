"""Is a tenant's CEL expression true? Compiled with cel-expr-python, fenced in (../research/libs.md, section 2).

The library's budget counts iterations, not bytes: so no `map` or `filter`, expressions of at most 2,048 characters,
short texts in the activation, and evaluation in a worker process with a time limit (shared/runtime/worker.py).
An evaluation error comes back as a value: its type is asked before its truth.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

LONGEST_EXPRESSION: Final = 2048
LONGEST_TEXT: Final = 1024
MOST_ITEMS: Final = 100
_CONFIG: Final = "stdlib:\n  exclude_macros: [map, filter]\n"


class ExpressionError(ValueError):
    """The expression cannot be compiled; the text says why."""


@lru_cache(maxsize=1)
def _environment() -> Any:
    from cel_expr_python import cel  # noqa: PLC0415 - 50 MB that only rules with expressions need

    variables = {"metrics": cel.Type.Map(cel.Type.STRING, cel.Type.DYN), "resource": cel.Type.MAP}
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_CONFIG), variables=variables)


@lru_cache(maxsize=512)
def compiled(expression: str) -> Any:
    """Compile once. Raises ExpressionError, also when the answer cannot be a truth value."""
    if len(expression) > LONGEST_EXPRESSION:
        raise ExpressionError(f"is longer than {LONGEST_EXPRESSION} characters")
    try:
        program = _environment().compile(expression)
    except Exception as error:
        raise ExpressionError(str(error).splitlines()[0][:300]) from error
    if program.return_type().name() not in {"BOOL", "bool", "DYN", "dyn"}:
        raise ExpressionError(f"answers {program.return_type().name()}, not true or false")
    return program


def check(expression: str) -> str | None:
    """What is wrong with an expression, None when it compiles. Runs in the worker."""
    try:
        compiled(expression)
    except ExpressionError as error:
        return str(error)
    return None


def evaluate(questions: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[bool | None, str | None]]:
    """(answer, error) for each (expression, activation); an error has no answer. Runs in the worker."""
    return [_evaluate(expression, activation) for expression, activation in questions]


def _evaluate(expression: str, activation: Mapping[str, Any]) -> tuple[bool | None, str | None]:
    try:
        value = compiled(expression).eval(data=dict(activation))
        answer = value.value()
    except Exception as error:  # noqa: BLE001 - whatever a tenant's expression does, it is the rule that is wrong
        return None, str(error)[:300]
    if answer is True or answer is False:
        return answer, None
    return None, str(answer)[:300]


def activation_of(metrics: Mapping[str, float], resource: Mapping[str, Any]) -> dict[str, Any]:
    """What an expression may ask: `metrics.cpu_utilization`, `resource.tags.env`, `resource.environment`."""
    tags = dict(list(resource["tags"].items())[:MOST_ITEMS])
    names = ("resource_name", "resource_type", "resource_subtype", "environment", "project", "region", "provider_name")
    return {
        "metrics": dict(metrics),
        "resource": {
            **{name: str(resource[name])[:LONGEST_TEXT] for name in names},
            "tags": {str(key)[:LONGEST_TEXT]: str(value)[:LONGEST_TEXT] for key, value in tags.items()},
        },
    }
