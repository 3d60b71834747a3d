"""When was a machine there, of which size, and when was it on? What its bill is made of.

A machine's facts keep `power`: [time, whether it is on from then on], and `sizes`: [time, the size it had until then].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.local.clouds.world.things import Thing


@dataclass(frozen=True)
class Span:
    """From a time until another (None: still), both in seconds since 1970."""

    from_s: float
    until_s: float | None
    size: str


def resized(machine: Thing, until_s: float, size: str) -> None:
    """Remember the size that a machine has until a time."""
    machine.facts.setdefault("sizes", []).append([until_s, size])


def switched(machine: Thing, time_s: float, *, on: bool) -> None:
    """Remember that a machine is on or off from a time on."""
    machine.facts.setdefault("power", [[machine.created_s, True]]).append([time_s, on])


def size_now(machine: Thing, fact: str, now_s: float) -> str:
    """Its size by the fact of that name, or the one that it was given since by a resize that is done."""
    due_s, size = machine.facts.get("resize") or (None, "")
    return str(size if due_s is not None and due_s <= now_s else machine.facts[fact])


def was_there(machine: Thing, size: str) -> Iterator[Span]:
    """Its whole life, on or off, cut where its size changed; `size` is what it has now."""
    began_s = machine.created_s
    for until_s, former in machine.facts.get("sizes", []):
        if until_s > began_s:
            yield Span(began_s, until_s, former)
            began_s = until_s
    yield Span(began_s, machine.facts.get("gone_s"), size)


def was_on(machine: Thing, size: str, *, is_on: bool) -> Iterator[Span]:
    """The parts of its life in which it was on. `is_on` tells of a machine whose switching nobody wrote down: what is
    off then counts as never having been on.
    """
    switches = machine.facts.get("power", [[machine.created_s, is_on]])
    for span in was_there(machine, size):
        for number, (on_s, on) in enumerate(switches):
            off_s = switches[number + 1][0] if number + 1 < len(switches) else None
            from_s, until_s = max(span.from_s, on_s), _sooner(span.until_s, off_s)
            if on and (until_s is None or from_s < until_s):
                yield Span(from_s, until_s, span.size)


def _sooner(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
