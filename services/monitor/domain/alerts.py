"""When does an alert begin and end? One persisted state machine per rule and resource, stepped by points in time order.

ok ──crossed──► pending ──for_seconds──► firing ──cleared──► recovering ──recover_for_seconds──► resolved (= ok)
                   └──not crossed──► ok     ▲─────not cleared─────┘
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.monitor.domain.alert_rules import Signal

OPEN_STATUSES: Final = ("active", "acknowledged", "suppressed")


class Standing(StrEnum):
    """Where a rule stands for a resource. `resolved` is `ok` after an alert; neither is stored."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


class Transition(StrEnum):
    FIRE = "fire"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class State:
    """A standing and the time of the point that led to it."""

    standing: Standing
    since: datetime


def step(
    state: State | None, signal: Signal, time: datetime, for_s: float, recover_s: float
) -> tuple[State | None, Transition | None]:
    """The state after one point, None for quiet, and what it makes happen. Points come in time order."""
    if signal is Signal.UNKNOWN:
        return state, None
    standing = Standing.OK if state is None else state.standing
    if standing in {Standing.OK, Standing.RESOLVED}:
        return _begin(signal, time, for_s)
    assert state is not None
    if standing is Standing.PENDING:
        return _fire_when_due(state, time, for_s) if signal is Signal.CROSSED else (None, None)
    return _end(state, signal, time, recover_s)


def _end(state: State, signal: Signal, time: datetime, recover_s: float) -> tuple[State | None, Transition | None]:
    if signal is not Signal.CLEARED:
        return (state if state.standing is Standing.FIRING else State(Standing.FIRING, time)), None
    if state.standing is Standing.FIRING:
        state = State(Standing.RECOVERING, time)
    if time - state.since >= timedelta(seconds=recover_s):
        return None, Transition.RESOLVE
    return state, None


def _begin(signal: Signal, time: datetime, for_s: float) -> tuple[State | None, Transition | None]:
    if signal is not Signal.CROSSED:
        return None, None
    return _fire_when_due(State(Standing.PENDING, time), time, for_s)


def _fire_when_due(state: State, time: datetime, for_s: float) -> tuple[State, Transition | None]:
    if time - state.since >= timedelta(seconds=for_s):
        return State(Standing.FIRING, time), Transition.FIRE
    return state, None


def link_of(alert_id: object) -> str:
    """The path of the alert under the deployment's public URL."""
    return f"/api/cloud/monitoring/alerts/{alert_id}"
