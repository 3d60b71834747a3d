"""How do processes divide one budget among them? A small record that all keep together; pure.

Each process says now and then what it was answered, what it needs, and that it is there (`Report`); whoever writes the
record merges its report into it. Every process reads its own share out of it by the same rule: weighted max-min, the
weight being the number of its scopes that wait.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from shared.clouds.budget.rate import Api, Estimate, first_estimate

LEASE_S = 1.0
"""How often a process that calls says so."""
GONE_AFTER_S = 4.0
"""A process that was not heard of for so long needs nothing."""
_MEASURED_CALLS = 8
_MEASURED_S = 0.4
"""Fewer calls between two cuts, or a shorter time, measure nothing."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Member:
    """What a process needs: calls a second, None when it takes whatever it gets; `weight` counts its waiting scopes.

    `answered` counts its calls since the budget's last cut, up to `seen_s`.
    """

    weight: float
    demand_per_s: float | None
    seen_s: float
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Throttle:
    """A throttled call; `cuts` is how many cuts its process knew of when it was sent."""

    cuts: int
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the provider said it still takes."""

    remaining: float
    reset_in_s: float
    said_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What happened in one process since its last report; `answered` counts calls that were sent after cut `cuts`."""

    cuts: int = 0
    answered: int = 0
    pressed: bool = False
    throttles: tuple[Throttle, ...] = ()
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What all processes know of one budget; `edition` counts its writes."""

    estimate: Estimate
    members: Mapping[str, Member] = field(default_factory=dict)
    edition: int = 0

    def with_report(
        self, name: str, report: Report, member: Member | None, now_s: float, api: Api, *, growing: bool = True
    ) -> Record:
        """The next edition: `name` reports, and is now as `member` says (None: it calls no more).

        What was answered came before what was throttled. `growing` False: nobody else can be heard, so learn only to
        send less, and count with everybody who was there.
        """
        count = report.answered if report.cuts == self.estimate.cuts else 0
        known = self.members.get(name)
        mine = replace(member or Member(0.0, 0.0, now_s), answered=count + (known.answered if known else 0))
        members = {**self.members, name: mine}
        taken = sum(each.answered for each in members.values())
        estimate = self.estimate.after_answers(count, taken, now_s, api, pressed=report.pressed and growing)
        for throttle in report.throttles:
            before, measured_per_s = estimate.cuts, _measured_per_s(estimate, members, now_s)
            estimate = estimate.after_throttle(throttle.cuts, now_s, throttle.retry_after_s, measured_per_s)
            if estimate.cuts > before:
                members = {each: replace(one, answered=0) for each, one in members.items()}
        if report.notice is not None:
            notice = report.notice
            estimate = estimate.after_notice(notice.remaining, notice.reset_in_s - (now_s - notice.said_s), now_s)
        alive = {
            each: one
            for each, one in members.items()
            if (abs(now_s - one.seen_s) < GONE_AFTER_S or not growing) and (each != name or member is not None)
        }
        return Record(estimate, alive, self.edition + 1)

    def share_per_s(self, name: str, now_s: float) -> float:
        """Of one member; of somebody who is no member yet as if it were a hungry one."""
        members = dict(self.members)
        members.setdefault(name, Member(1.0, None, now_s))
        return divide(self.estimate.rate_at(now_s), members)[name]

    def to_bytes(self) -> bytes:
        return json.dumps({"format": _FORMAT, **asdict(self)}, separators=(",", ":")).encode()


def _measured_per_s(estimate: Estimate, members: Mapping[str, Member], now_s: float) -> float | None:
    """What all processes together were answered a second since the last cut, each up to its own last report.

    None when that is too little to tell, or when one that was heard of lately has not reported since.
    """
    alive = [each for each in members.values() if abs(now_s - each.seen_s) < GONE_AFTER_S]
    answered = sum(each.answered for each in alive)
    spans_s = [each.seen_s - estimate.cut_at_s for each in alive]
    if answered < _MEASURED_CALLS or estimate.pressed * 2 < answered or min(spans_s) < _MEASURED_S:
        return None
    return sum(each.answered / span_s for each, span_s in zip(alive, spans_s, strict=True))


def divide(rate_per_s: float, members: Mapping[str, Member]) -> dict[str, float]:
    """Weighted max-min: nobody gets more than it needs while another lacks; what nobody needs goes to all by weight."""
    left_per_s, shares = rate_per_s, dict.fromkeys(members, 0.0)
    asking = dict(members)
    while asking:
        level = left_per_s / sum(member.weight for member in asking.values())
        content = {
            name: member.demand_per_s
            for name, member in asking.items()
            if member.demand_per_s is not None and member.demand_per_s <= level * member.weight
        }
        if not content:
            return shares | {name: level * member.weight for name, member in asking.items()}
        for name, demand_per_s in content.items():
            shares[name] = demand_per_s
            left_per_s -= demand_per_s
            del asking[name]
    weights = sum(member.weight for member in members.values())
    return {name: shares[name] + left_per_s * members[name].weight / weights for name in members}


def first_record(api: Api) -> Record:
    return Record(first_estimate(api))


def read_record(body: bytes) -> Record | None:
    """None for what another version of this code wrote: then everybody starts anew."""
    try:
        document: dict[str, Any] = json.loads(body)
        if document.pop("format") != _FORMAT:
            return None
        members = {name: Member(**member) for name, member in document["members"].items()}
        return Record(Estimate(**document["estimate"]), members, int(document["edition"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
