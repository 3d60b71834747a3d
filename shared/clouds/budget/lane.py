"""What does one process do with its share of one budget? Its waiting calls, its pace, its next report; pure.

A lane is the budget of one account, region and API in one process. It spends its share as a small token bucket, so
that calls leave evenly while many wait, and a few at once when none did. What it learns it keeps as a report until that
is merged into the shared record; a throttled call slows it down at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from shared.clouds.budget.rate import Api
from shared.clouds.budget.shares import Member, Notice, Record, Report, Throttle, first_record
from shared.clouds.budget.turns import CREDIT_CALLS, Priority, Turns

_PEOPLE_WEIGHT = 4.0
"""People who wait count as so many scopes when processes divide a budget."""
_NEWCOMER_WEIGHT = 8.0
"""A process that has hardly called counts for so much until its credit is spent, as a scope among scopes does."""
_CREDIT_REGAINED_PER_S = 5.0
_PRESSED_SHARE = 0.3
"""Of the time in which calls waited: from that on the budget, not the caller, decides how many there are."""
_HEADROOM = 1.5
"""A process that did not wait asks for more than it used, so that it need not wait for the next lease either."""
_FIRST_SHARE = 0.25
"""Of the budget, for a process that has not read the record yet: others may be there."""
_SHARE_MIN_PER_S = 1e-3
_PATIENCE_S = 0.1
_CATCH_UP_S = 0.25
"""A busy event loop gives turns late; what it missed in that time is made up for."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one call; `cuts` says which state of the budget it was given in."""

    cuts: int


class Lane(Generic[T]):
    """`name` is this process among those that share the budget; `alone`: it has all of it."""

    def __init__(self, api: Api, name: str, now_s: float, *, alone: bool) -> None:
        self.api = api
        self.turns: Turns[T] = Turns()
        self._name = name
        self._record = self._view = first_record(api)
        self._known = alone
        self._share_max_per_s: float | None = None
        self._is_content = False
        self._report = Report()
        self._share_per_s = 0.0
        self._tokens = 0.0
        self._at_s = self._reported_at_s = now_s
        self._granted = 0
        self._credit = float(CREDIT_CALLS)
        self._weight = 1.0
        self._waited_s = 0.0
        self._look(now_s)
        self._tokens = self._burst()

    @property
    def share_per_s(self) -> float:
        """Calls a second that this process may send."""
        return self._share_per_s

    @property
    def not_before_s(self) -> float:
        """Nobody sends anything before that."""
        return self._view.estimate.not_before_s

    def hurries(self, now_s: float) -> bool:
        """Something is to be told at once: a throttled call, or that calls wait here although we seemed content."""
        waits = bool(self.turns) and self._is_content and now_s - self._reported_at_s > _PATIENCE_S
        return waits or bool(self._report.throttles)

    def add(self, scope: str, priority: Priority, item: T, now_s: float) -> None:
        """A call begins to wait."""
        self._advance(now_s)
        self.turns.add(scope, priority, item)
        self._weight = max(self._weight, self._waiting_weight())

    def take(self, now_s: float) -> tuple[T, Permit] | None:
        """The call that may be sent now, None when none may yet."""
        self._advance(now_s)
        if not self.turns or now_s < self.not_before_s or self._tokens < 1:
            return None
        self._tokens -= 1
        self._granted += 1
        self._credit = max(0.0, self._credit - 1)
        return self.turns.take(), Permit(self._view.estimate.cuts)

    def next_s(self, now_s: float) -> float | None:
        """When `take` has something to give, as far as is known now; None while nobody waits."""
        if not self.turns:
            return None
        self._advance(now_s)
        return max(now_s, self.not_before_s) + max(0.0, 1 - self._tokens) / self._share_per_s

    def answered(self, permit: Permit) -> None:
        """A call was answered by something else than that it was one too many."""
        if permit.cuts == self._report.cuts:
            self._report = replace(self._report, answered=self._report.answered + 1)

    def throttled(self, permit: Permit, retry_after_s: float | None, now_s: float) -> None:
        """A call was throttled: the budget is cut at once, also before the others know of it."""
        self._advance(now_s)
        throttles = (*self._report.throttles, Throttle(permit.cuts, retry_after_s))
        self._report = replace(self._report, throttles=throttles)
        self._look(now_s)

    def noticed(self, remaining: float, reset_in_s: float, now_s: float) -> None:
        """The provider said how many calls it still takes, and until when."""
        self._advance(now_s)
        self._report = replace(self._report, notice=Notice(remaining, reset_in_s, now_s))
        self._look(now_s)

    def take_report(self, now_s: float) -> tuple[Report, Member]:
        """What is to be merged into the record, and what this process needs from now on."""
        self._advance(now_s)
        report, member = self._drafted(now_s), self._member(now_s)
        self._is_content = member.demand_per_s is not None
        if self._is_content:
            regained = (now_s - self._reported_at_s) * _CREDIT_REGAINED_PER_S
            self._credit = min(float(CREDIT_CALLS), self._credit + regained)
        self._report = Report(cuts=report.cuts)
        self._granted, self._waited_s, self._reported_at_s = 0, 0.0, now_s
        self._weight = self._waiting_weight()
        return report, member

    def adopt(self, record: Record, now_s: float, *, away: bool = False) -> None:
        """The record as it is now, this process's last report in it.

        `away`: the others could not be told, so that this process keeps to the share it had, at most.
        """
        self._advance(now_s)
        self._known = self._known or not away
        self._share_max_per_s = self._share_per_s if away else None
        self._record = record
        if record.estimate.cuts != self._report.cuts:
            self._report = replace(self._report, cuts=record.estimate.cuts, answered=0)
        self._look(now_s)

    def overhear(self, record: Record, now_s: float) -> None:
        """Another process wrote the record; what it says of a budget that we have just cut ourselves comes too late."""
        if record.edition > self._record.edition and record.estimate.cuts >= self._view.estimate.cuts:
            self.adopt(record, now_s)

    def without_others(self, report: Report, member: Member, now_s: float, *, growing: bool) -> Record:
        """What the record becomes when nobody else can be told: alone, or while the bus is away (not `growing`)."""
        return self._record.with_report(self._name, report, member, now_s, self.api, growing=growing)

    def _drafted(self, now_s: float) -> Report:
        elapsed_s = max(now_s - self._reported_at_s, 1e-3)
        return replace(self._report, pressed=self._waited_s > _PRESSED_SHARE * elapsed_s)

    def _member(self, now_s: float) -> Member:
        elapsed_s = max(now_s - self._reported_at_s, 1.0)
        hungry = bool(self.turns) or self._drafted(now_s).pressed
        weight = self._weight * (_NEWCOMER_WEIGHT if self._credit > 0 else 1)
        return Member(weight, None if hungry else _HEADROOM * self._granted / elapsed_s, now_s)

    def _waiting_weight(self) -> float:
        return max(1.0, self.turns.scopes + (_PEOPLE_WEIGHT - 1 if self.turns.people_wait else 0))

    def _look(self, now_s: float) -> None:
        """Read the share out of the record, and out of what is not in it yet."""
        before = self._view.estimate.cuts
        self._view = self._record
        if self._report.throttles or self._report.notice:
            growing = self._share_max_per_s is None
            self._view = self.without_others(self._drafted(now_s), self._member(now_s), now_s, growing=growing)
        share = self._view.share_per_s(self._name, now_s)
        if not self._known:
            share = min(share, self._view.estimate.rate_at(now_s) * _FIRST_SHARE)
        if self._share_max_per_s is not None:
            share = min(share, self._share_max_per_s)
        self._share_per_s = max(share, _SHARE_MIN_PER_S)
        if self._view.estimate.cuts > before:
            self._tokens = 0.0

    def _burst(self) -> float:
        estimate = self._view.estimate
        part = self._share_per_s / estimate.rate_at(self._at_s)
        return max(1.0, estimate.burst * part, _CATCH_UP_S * self._share_per_s if self.turns else 0.0)

    def _advance(self, now_s: float) -> None:
        """Time passes: tokens come, and calls wait."""
        elapsed_s = max(0.0, now_s - self._at_s)
        if self.turns:
            self._waited_s += elapsed_s
        running_s = min(elapsed_s, max(0.0, now_s - self.not_before_s))
        self._at_s = now_s
        self._tokens = min(self._burst(), self._tokens + running_s * self._share_per_s)
