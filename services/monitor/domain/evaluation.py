"""What follows from new points of resources? Health, and which rules begin or end, in one pass over a whole batch.

Points that are not newer than what was evaluated change nothing: a late or doubled point neither fires nor resolves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.monitor.domain.alert_rules import Rule, Signal, signal_of, signal_of_answer
from services.monitor.domain.alerts import State, Transition, step

Key = tuple[UUID, UUID]
"""(rule, resource)"""
Point = tuple[datetime, tuple[float | None, ...], int | None]
"""(time, eight values, health score)"""
Values = tuple[datetime, tuple[float | None, ...]]
"""(time, eight values and the health score)"""


@dataclass(frozen=True, slots=True)
class RuleTransition:
    """A rule that began or ended for a resource, with the values of the point that did it."""

    transition: Transition
    rule: Rule
    resource_id: UUID
    organization_id: UUID
    time: datetime
    value: float | None
    values: tuple[float | None, ...]


@dataclass(slots=True)
class Outcome:
    """What a batch changes: states by key (None: quiet again) and what began or ended, in order."""

    states: dict[Key, State | None] = field(default_factory=dict)
    transitions: list[RuleTransition] = field(default_factory=list)


def evaluate(
    outcome: Outcome,
    resource: Mapping[str, Any],
    rules: Sequence[Rule],
    states: Mapping[Key, State],
    points: Iterable[Point],
    answers: Mapping[Key, bool | None],
) -> None:
    """Step every rule of one resource by its new points, which come in time order, into `outcome`.

    `answers` of expression rules belong to the newest point.
    """
    series = [(time, (*values, score)) for time, values, score in points]
    for rule in rules:
        if not series or not rule.concerns(resource["id"], resource["provider_id"]):
            continue
        key = (rule.id, resource["id"])
        state = states.get(key)
        if rule.position < 0:
            signals = [(series[-1], signal_of_answer(answer=answers[key]))] if key in answers else []
        elif state is None and not _may_begin(rule, rule.position, series):
            continue
        else:
            signals = [(point, signal_of(rule, point[1][rule.position])) for point in series]
        _step_all(outcome, resource, rule, state, signals)


def _step_all(
    outcome: Outcome,
    resource: Mapping[str, Any],
    rule: Rule,
    before: State | None,
    signals: Iterable[tuple[Values, Signal]],
) -> None:
    """Step one rule of one resource by what its points say, and note what came of it."""
    state, condition = before, rule.condition
    for (time, values), signal in signals:
        state, transition = step(state, signal, time, condition.for_seconds, condition.recover_for_seconds)
        if transition is not None:
            value = values[rule.position] if rule.position >= 0 else None
            where = (resource["id"], resource["organization_id"])
            outcome.transitions.append(RuleTransition(transition, rule, *where, time, value, values))
    if state != before:
        outcome.states[(rule.id, resource["id"])] = state


def _may_begin(rule: Rule, position: int, series: Sequence[Values]) -> bool:
    """Nearly every rule is quiet at nearly every point: leave before the state machine does."""
    threshold = rule.condition.threshold or 0.0
    quiet = _QUIET.get(rule.condition.operator)
    if quiet is None:
        return True
    for _, values in series:
        value = values[position]
        if value is not None and not quiet(value, threshold):
            return True
    return False


_QUIET: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda value, threshold: value <= threshold,
    ">=": lambda value, threshold: value < threshold,
    "<": lambda value, threshold: value >= threshold,
    "<=": lambda value, threshold: value > threshold,
}


def expression_rules(rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.position < 0]
