"""What follows from new points of resources? Health, and which rules begin or end, in one pass over a whole batch.

Points that are not newer than what was evaluated change nothing: a late or doubled point neither fires nor resolves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.monitor.domain.alert_rules import Rule, signal_of, signal_of_answer
from services.monitor.domain.alerts import State, Transition, step

Key = tuple[UUID, UUID]
"""(rule, resource)"""
Point = tuple[datetime, tuple[float | None, ...], int | None]
"""(time, eight values, health score)"""


@dataclass(frozen=True, slots=True)
class Happening:
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
    """What a batch changes: states by key (None: quiet again) and what happened, in order."""

    states: dict[Key, State | None] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)


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
    resource_id, organization = resource["id"], resource["organization_id"]
    series = [(time, (*values, score)) for time, values, score in points]
    for rule in rules:
        if not rule.concerns(resource_id, resource["provider_id"]):
            continue
        key = (rule.id, resource_id)
        state = before = states.get(key)
        if rule.position < 0:
            if key not in answers or not series:
                continue
            moments = [(series[-1], signal_of_answer(answer=answers[key]))]
        else:
            position = rule.position
            if before is None and not _may_begin(rule, position, series):
                continue
            moments = [(point, signal_of(rule, point[1][position])) for point in series]
        for (time, values), signal in moments:
            condition = rule.condition
            state, transition = step(state, signal, time, condition.for_seconds, condition.recover_for_seconds)
            if transition is not None:
                value = values[rule.position] if rule.position >= 0 else None
                outcome.happenings.append(Happening(transition, rule, resource_id, organization, time, value, values))
        if state != before:
            outcome.states[key] = state


def _may_begin(rule: Rule, position: int, series: Sequence[tuple[datetime, tuple[float | None, ...]]]) -> bool:
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
