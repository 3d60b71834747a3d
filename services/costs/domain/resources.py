"""When did a resource exist, and when did it run? Rebuilt from its known versions, in whatever order they came."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

RUNNING, STOPPED, TERMINATED = "running", "stopped", "terminated"
AVAILABLE = "available"
"""What exists and neither runs nor stands still, a volume, is paid for as what runs."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the price of a resource depends on."""

    provider_name: str
    region: str
    resource_subtype: str
    configuration: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transition:
    """One version of a resource: what its owner said about it, and when that became true."""

    version: int
    at: datetime
    resource_status: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which a resource existed with the same facts. `end` None: it lasts."""

    start: datetime
    end: datetime | None
    running: bool
    facts: Facts


def periods(transitions: Iterable[Transition]) -> tuple[Period, ...]:
    """The periods of a resource, oldest first, without gaps and without overlap.

    Versions give the order, times the boundaries; a time before that of an earlier version (clocks of two replicas)
    counts as the earlier one's. Only running, available, stopped and terminated change what is paid for: a machine that
    is stopping, starting or failed is what its owner said last. After terminated nothing is paid, whatever follows.
    """
    found: list[Period] = []
    now: datetime | None = None
    running: bool | None = None
    for transition in _in_order(transitions):
        now = transition.at if now is None else max(now, transition.at)
        if transition.resource_status == TERMINATED:
            _close(found, now)
            break
        running = _running(transition.resource_status, before=running)
        if running is None or (found and (found[-1].running, found[-1].facts) == (running, transition.facts)):
            continue
        _close(found, now)
        found.append(Period(now, None, running, transition.facts))
    return tuple(found)


def _running(resource_status: str, *, before: bool | None) -> bool | None:
    """True, False, or None while it does not exist yet."""
    if resource_status in {RUNNING, AVAILABLE}:
        return True
    return False if resource_status == STOPPED else before


def _in_order(transitions: Iterable[Transition]) -> list[Transition]:
    """By version; of one version said twice, the earliest."""
    known: dict[int, Transition] = {}
    for transition in transitions:
        before = known.get(transition.version)
        if before is None or transition.at < before.at:
            known[transition.version] = transition
    return [known[version] for version in sorted(known)]


def _close(found: list[Period], end: datetime) -> None:
    """End the last period; one that lasted no time is dropped."""
    if not found or found[-1].end is not None:
        return
    last = found.pop()
    if last.start < end:
        found.append(Period(last.start, end, last.running, last.facts))
