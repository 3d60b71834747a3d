"""Which rules are there, and is one crossed by these values? Built-in rules are active without any rule of a user.

Signals: CROSSED (the condition holds), CLEARED (the value is back by a margin), BETWEEN (neither starts nor ends
anything; also a warning whose critical sibling is crossed: one cause is told once), UNKNOWN (nothing was measured).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from shared.kit.errors import FieldError, InvalidInput
from shared.kit.ids import derived_id
from shared.messages.alert_rules import Condition
from shared.messages.metrics import METRIC_NAMES

HEALTH_SCORE: Final = "health_score"
RULE_METRICS: Final = (*METRIC_NAMES, HEALTH_SCORE)
POSITION: Final = {name: index for index, name in enumerate(RULE_METRICS)}
CLEAR_MARGIN: Final = 0.05
"""A value has cleared when it is 5 % of the threshold back: load that wavers at the threshold is one alert."""
BUILTIN: Final = UUID("0199a000-0000-7000-8000-63616e6f7079")
"""The parent of the ids of all built-in rules."""


class Signal(StrEnum):
    CROSSED = "crossed"
    CLEARED = "cleared"
    BETWEEN = "between"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it is evaluated. `ceiling`: beyond it (in the operator's direction) a severer sibling speaks."""

    id: UUID
    alert_name: str
    alert_type: str
    severity_level: str
    condition: Condition
    description: str | None = None
    resource_id: UUID | None = None
    provider_id: UUID | None = None
    notification_channels: tuple[str, ...] = ()
    recipient_list: tuple[str, ...] = ()
    ceiling: float | None = None

    @property
    def position(self) -> int:
        """Index of the rule's metric in a row of values; -1 for an expression."""
        return POSITION.get(self.condition.metric or "", -1)

    def concerns(self, resource_id: UUID, provider_id: UUID) -> bool:
        return self.resource_id in {None, resource_id} and self.provider_id in {None, provider_id}


def holds(operator: str, value: float, threshold: float) -> bool:
    """Whether `value operator threshold`."""
    match operator:
        case ">":
            return value > threshold
        case ">=":
            return value >= threshold
        case "<":
            return value < threshold
        case "<=":
            return value <= threshold
        case "==":
            return value == threshold
        case _:
            return value != threshold


def signal_of(rule: Rule, value: float | None) -> Signal:
    """What one value says to a threshold rule."""
    condition = rule.condition
    threshold = condition.threshold
    if value is None or threshold is None:
        return Signal.UNKNOWN
    if holds(condition.operator, value, threshold):
        beyond = rule.ceiling is not None and holds(condition.operator, value, rule.ceiling)
        return Signal.BETWEEN if beyond else Signal.CROSSED
    return Signal.CLEARED if _is_clear(condition, value, threshold) else Signal.BETWEEN


def _is_clear(condition: Condition, value: float, threshold: float) -> bool:
    margin = abs(threshold) * CLEAR_MARGIN
    if condition.operator in {">", ">="}:
        return value <= (threshold - margin if condition.clear_threshold is None else condition.clear_threshold)
    if condition.operator in {"<", "<="}:
        return value >= (threshold + margin if condition.clear_threshold is None else condition.clear_threshold)
    return True


def signal_of_answer(*, answer: bool | None) -> Signal:
    """What a CEL expression's answer says; None is an error, which neither fires nor resolves."""
    if answer is None:
        return Signal.UNKNOWN
    return Signal.CROSSED if answer else Signal.CLEARED


def check_condition(condition: Condition) -> None:
    """Raise InvalidInput for a metric nobody measures, or a clearing value on the wrong side."""
    if condition.expression is not None:
        return
    if condition.metric not in POSITION:
        detail = f"is one of {', '.join(RULE_METRICS)}"
        raise InvalidInput("unknown metric", errors=[FieldError("/alert_conditions/metric", detail)])
    threshold, clear = condition.threshold or 0.0, condition.clear_threshold
    if clear is not None and condition.operator not in {"==", "!="} and holds(condition.operator, clear, threshold):
        detail = "does not itself cross the threshold"
        raise InvalidInput("it could never clear", errors=[FieldError("/alert_conditions/clear_threshold", detail)])


_CPU, _MEMORY, _DISK = "cpu_utilization", "memory_utilization", "disk_utilization"
_RESPONSE, _ERRORS = "response_time_ms", "error_rate"
_LEVELS: Final[Sequence[tuple[str, str, str, str, str, float, float | None]]] = (
    (_CPU, "CPU high", "performance_degradation", "warning", ">", 80.0, 95.0),
    (_CPU, "CPU critical", "performance_degradation", "critical", ">", 95.0, None),
    (_MEMORY, "Memory high", "performance_degradation", "warning", ">", 85.0, 95.0),
    (_MEMORY, "Memory critical", "performance_degradation", "critical", ">", 95.0, None),
    (_DISK, "Disk filling", "capacity_planning", "warning", ">", 90.0, 95.0),
    (_DISK, "Disk nearly full", "capacity_planning", "critical", ">", 95.0, None),
    (_RESPONSE, "Response time degraded", "response_time_degradation", "warning", ">=", 3000.0, 5000.0),
    (_RESPONSE, "Response time critical", "response_time_degradation", "critical", ">=", 5000.0, None),
    (_ERRORS, "Error rate raised", "error_rate_spike", "error", ">", 1.0, 5.0),
    (_ERRORS, "Error rate critical", "error_rate_spike", "critical", ">", 5.0, None),
    (HEALTH_SCORE, "Health degraded", "resource_health", "warning", "<", 80.0, 50.0),
    (HEALTH_SCORE, "Health critical", "resource_health", "critical", "<", 50.0, None),
)
"""Requirements 1.3 (S1), C44 (>= for response times), health penalties 80/85/90 (S0) as warnings."""


def builtin_id(name: str) -> UUID:
    return derived_id(BUILTIN, name)


def _builtin(metric: str, title: str, kind: str, severity: str, operator: Any, level: float, up: float | None) -> Rule:
    condition = Condition(metric=metric, operator=operator, threshold=level)
    return Rule(builtin_id(f"{metric}.{severity}"), title, kind, severity, condition, ceiling=up)


BUILTIN_RULES: Final[Mapping[UUID, Rule]] = {rule.id: rule for rule in (_builtin(*level) for level in _LEVELS)}
MONITORING_ERROR: Final = builtin_id("monitoring_error")
COST_THRESHOLD: Final = builtin_id("cost_threshold")
