"""How does a lane live in a process? Timers give turns, the ledger is told each second, its absence is survived."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from shared.clouds.budget.lane import Lane, Permit
from shared.clouds.budget.ledger import Away, Ledger, Outdated
from shared.clouds.budget.rate import Api
from shared.clouds.budget.shares import LEASE_S, Member, Record, Report, first_record, read_record
from shared.clouds.budget.turns import Priority
from shared.kit.telemetry import CLOUD_BUDGET_RATE, CLOUD_BUDGET_WAIT_SECONDS, CLOUD_THROTTLED

_IDLE_LEASES = 5
_ATTEMPTS = 8
"""To write the record; each loses only to another process that has written it."""

log = structlog.get_logger(__name__)
Waiter = asyncio.Future[Permit]


class Driver:
    """One lane and its clockwork. All methods are for the event loop's thread; nothing here waits for the ledger."""

    def __init__(
        self, key: str, provider: str, api: Api, process: str, ledger: Ledger | None, now_s: Callable[[], float]
    ) -> None:
        self._key = key
        self._labels = (provider, api.name)
        self._process = process
        self._ledger = ledger
        self._now_s = now_s
        self._lane: Lane[Waiter] = Lane(api, process, now_s(), alone=ledger is None)
        self._wakes: asyncio.TimerHandle | None = None
        self._lease: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None
        self._stop_following: Callable[[], Awaitable[None]] | None = None
        self._idle_leases = 0
        self._used = False
        self._away = False
        self._shown_per_s = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_idle(self) -> bool:
        return not self._lane.turns and self._lease is None and self._telling is None

    async def acquire(self, scope: str, priority: Priority, limit_s: float) -> Permit:
        """Wait for a turn. Raises TimeoutError after `limit_s`, or at once when the provider bade us wait longer."""
        self._move_to(asyncio.get_running_loop())
        now_s = self._now_s()
        if self._lane.not_before_s - now_s > limit_s:
            raise TimeoutError
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._lane.add(scope, priority, waiter, now_s)
        self._give_turns()
        self._live()
        try:
            if waiter.done():
                return waiter.result()
            async with asyncio.timeout(limit_s):
                return await waiter
        except BaseException:
            self._lane.turns.remove(scope, priority, waiter)
            raise
        finally:
            CLOUD_BUDGET_WAIT_SECONDS.labels(*self._labels, priority.name.lower()).observe(self._now_s() - now_s)

    def wait_s(self) -> float:
        """How long a call that comes now would wait, as far as can be told."""
        now_s = self._now_s()
        return max(0.0, self._lane.not_before_s - now_s) + (len(self._lane.turns) + 1) / self._lane.share_per_s

    def answered(self, permit: Permit) -> None:
        """A call was answered by something else than that it was one too many."""
        self._lane.answered(permit)

    def throttled(self, permit: Permit, retry_after_s: float | None) -> None:
        """A call was one too many."""
        CLOUD_THROTTLED.labels(*self._labels).inc()
        self._lane.throttled(permit, retry_after_s, self._now_s())
        self._show()
        self._live()

    def noticed(self, remaining: float, reset_in_s: float) -> None:
        """The provider said what it still takes."""
        self._lane.noticed(remaining, reset_in_s, self._now_s())
        self._show()

    async def close(self) -> None:
        """Let go of timers, of the task that tells, and of the subscription. Idempotent."""
        self._move_to(asyncio.get_running_loop())
        for handle in (self._wakes, self._lease):
            if handle is not None:
                handle.cancel()
        self._wakes = self._lease = None
        if self._telling is not None:
            self._telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._telling
        await self._unfollow()
        self._show(0.0)

    def _give_turns(self) -> None:
        """Let go whoever may; come back when the next one may. The timer is the running loop's, whichever that is."""
        if self._wakes is not None:
            self._wakes.cancel()
            self._wakes = None
        now_s = self._now_s()
        while (taken := self._lane.take(now_s)) is not None:
            waiter, permit = taken
            if not waiter.done():
                self._used = True
                waiter.set_result(permit)
        next_s = self._lane.next_s(now_s)
        if next_s is not None:
            self._wakes = asyncio.get_running_loop().call_later(max(next_s - now_s, 0.001), self._give_turns)

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """What another loop was to do is not done any more."""
        if self._loop is not loop:
            self._loop = loop
            self._wakes = self._lease = self._telling = self._stop_following = None

    def _live(self) -> None:
        """Take part: at once when we come back or want more than we said, then with each lease."""
        self._idle_leases = 0
        if self._lease is None:
            self._lease = asyncio.get_running_loop().call_later(LEASE_S, self._lease_ends)
            self._tell()
        elif self._lane.hurries(self._now_s()):
            self._tell()

    def _lease_ends(self) -> None:
        self._lease = None
        self._idle_leases = 0 if self._used or self._lane.turns else self._idle_leases + 1
        self._used = False
        self._tell()
        if self._idle_leases < _IDLE_LEASES:
            self._lease = asyncio.get_running_loop().call_later(LEASE_S, self._lease_ends)

    def _tell(self) -> None:
        """Merge what we have learned into the record: here when nobody shares it, else in a task of its own."""
        if self._ledger is None:
            now_s = self._now_s()
            report, member = self._lane.take_report(now_s)
            self._adopt(self._lane.without_others(report, member, now_s, growing=True))
        elif self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell_others(self._ledger))

    async def _tell_others(self, ledger: Ledger) -> None:
        report, member = self._lane.take_report(self._now_s())
        try:
            if self._stop_following is None:
                self._stop_following = await ledger.follow(self._key, self._overhear)
            record = await self._written(ledger, report, member)
        except (Away, Outdated) as reason:
            self._away_from(reason)
            record = self._lane.without_others(report, member, self._now_s(), growing=False)
        else:
            self._away = False
        self._adopt(record)
        self._telling = None
        if self._lane.hurries(self._now_s()):
            self._tell()
        elif self._lease is None and not self._lane.turns:
            self._show(0.0)
            await self._unfollow()

    async def _written(self, ledger: Ledger, report: Report, member: Member) -> Record:
        """Compare and set until it is in. Raises Away, and Outdated after many losses."""
        for attempt in range(1, _ATTEMPTS + 1):
            body, revision = await ledger.read(self._key)
            known = (None if body is None else read_record(body)) or first_record(self._lane.api)
            now_s = self._now_s()
            mine = None if self._idle_leases >= _IDLE_LEASES else replace(member, seen_s=now_s)
            record = known.with_report(self._process, report, mine, now_s, self._lane.api)
            try:
                await ledger.write(self._key, record.to_bytes(), revision)
            except Outdated:
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0.002 * attempt)  # a replica of the store may lag behind what was written
            else:
                return record
        raise Outdated

    def _overhear(self, body: bytes) -> None:
        record = read_record(body)
        if record is not None and (self._telling is None or self._telling.done()):
            self._lane.overhear(record, self._now_s())
            self._show()
            self._give_turns()

    def _adopt(self, record: Record) -> None:
        self._lane.adopt(record, self._now_s(), away=self._away)
        self._show()
        self._give_turns()

    def _show(self, share_per_s: float | None = None) -> None:
        """The metric sums the shares of all accounts, because accounts have no end and labels must."""
        now_per_s = self._lane.share_per_s if share_per_s is None else share_per_s
        CLOUD_BUDGET_RATE.labels(*self._labels).inc(now_per_s - self._shown_per_s)
        self._shown_per_s = now_per_s

    def _away_from(self, reason: Exception) -> None:
        if not self._away:
            log.warning("the API budget is not shared now", provider=self._labels[0], reason=type(reason).__name__)
        self._away = True

    async def _unfollow(self) -> None:
        stop, self._stop_following = self._stop_following, None
        if stop is not None:
            with contextlib.suppress(Away):
                await stop()
