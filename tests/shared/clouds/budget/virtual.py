"""A provider with a hidden token bucket and processes that share its budget, in virtual time: seconds cost nothing."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.clouds.budget.lane import Lane, Permit
from shared.clouds.budget.rate import Api
from shared.clouds.budget.shares import LEASE_S, Record, first_record
from shared.clouds.budget.turns import Priority

START_S = 1_000_000.0
LATENCY_S = 0.05
LAG_S = 0.003
"""Until another process hears of a write."""


@dataclass(frozen=True)
class Call:
    """One of `left` calls that `scope` makes one after the other; None: it never ends."""

    scope: str
    left: int | None


@dataclass
class World:
    """`phases` are (seconds, limit a second); the bucket holds `bucket_s` seconds of the limit."""

    phases: list[tuple[float, float]]
    bucket_s: float = 1.0
    processes: int = 3
    seed: int = 1
    retry_after_s: float | None = None
    answered: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    done_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now_s = 0.0
        self.record: Record | None = None
        self._api = Api("calls")
        self._random = random.Random(self.seed)
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._tokens, self._refilled_s = self._limit() * self.bucket_s, 0.0
        self.lanes: list[Lane[Call]] = [
            Lane(self._api, str(number), START_S, alone=False) for number in range(self.processes)
        ]
        self._wakes = [0.0] * self.processes
        self._writing = [False] * self.processes
        for number in range(self.processes):
            self._at(self._random.random() * 0.2, lambda number=number: self._lease(number))

    @property
    def length_s(self) -> float:
        return sum(seconds for seconds, _ in self.phases)

    @property
    def goodput(self) -> float:
        """Answered calls as a share of what the limit allowed, the first bucket not counted."""
        return sum(self.answered.values()) / sum(seconds * limit for seconds, limit in self.phases)

    @property
    def throttled_share(self) -> float:
        throttled = sum(self.throttled.values())
        return throttled / max(1, throttled + sum(self.answered.values()))

    def begin(self, scope: str, process: int, calls: int | None = None, workers: int = 1, at_s: float = 0.0) -> None:
        """A scope begins: `workers` chains of `calls` calls each."""
        for _ in range(workers):
            self._at(at_s, lambda: self._wait(process, Call(scope, calls)))

    def run(self, until_s: float | None = None) -> World:
        end_s = self.length_s if until_s is None else until_s
        while self._events and self._events[0][0] <= end_s:
            self.now_s, _, act = heapq.heappop(self._events)
            act()
        self.now_s = end_s
        return self

    def _at(self, when_s: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._events, (when_s, next(self._numbers), act))

    def _clock_s(self) -> float:
        return START_S + self.now_s

    def _limit(self) -> float:
        left_s = self.now_s
        for seconds, limit in self.phases:
            if left_s < seconds:
                return limit
            left_s -= seconds
        return self.phases[-1][1]

    def _wait(self, process: int, call: Call) -> None:
        self.lanes[process].add(call.scope, Priority.BACKGROUND, call, self._clock_s())
        self._give(process)
        if self.lanes[process].hurries(self._clock_s()):
            self._tell(process)

    def _give(self, process: int) -> None:
        lane = self.lanes[process]
        while (taken := lane.take(self._clock_s())) is not None:
            call, permit = taken
            way_s = LATENCY_S / 2 * self._random.uniform(0.7, 1.3)
            self._at(self.now_s + way_s, lambda call=call, permit=permit: self._serve(process, call, permit))
        next_s = lane.next_s(self._clock_s())
        if next_s is not None:
            wake_s = self._wakes[process] = max(next_s - START_S, self.now_s + 0.001)
            self._at(wake_s, lambda: self._wakes[process] == wake_s and self._give(process))

    def _serve(self, process: int, call: Call, permit: Permit) -> None:
        limit = self._limit()
        self._tokens = min(limit * self.bucket_s, self._tokens + limit * (self.now_s - self._refilled_s))
        self._refilled_s = self.now_s
        taken = self._tokens >= 1
        self._tokens -= taken
        way_s = LATENCY_S / 2 * self._random.uniform(0.7, 1.3)
        self._at(self.now_s + way_s, lambda: self._hear(process, call, permit, taken=taken))

    def _hear(self, process: int, call: Call, permit: Permit, *, taken: bool) -> None:
        lane = self.lanes[process]
        if not taken:
            self.throttled[call.scope] += 1
            lane.throttled(permit, self.retry_after_s, self._clock_s())
            self._tell(process)
            return self._wait(process, call)
        self.answered[call.scope] += 1
        lane.answered(permit)
        left = None if call.left is None else call.left - 1
        if left != 0:
            return self._wait(process, Call(call.scope, left))
        self.done_s[call.scope] = self.now_s
        return self._give(process)

    def _lease(self, process: int) -> None:
        self._tell(process)
        self._at(self.now_s + LEASE_S, lambda: self._lease(process))

    def _tell(self, process: int) -> None:
        if self._writing[process]:
            return
        self._writing[process] = True
        report, member = self.lanes[process].take_report(self._clock_s())

        def write() -> None:
            self._writing[process] = False
            known = self.record or first_record(self._api)
            self.record = known.with_report(str(process), report, member, self._clock_s(), self._api)
            self.lanes[process].adopt(self.record, self._clock_s())
            self._give(process)
            for other in range(self.processes):
                if other != process:
                    self._at(self.now_s + LAG_S, lambda other=other, record=self.record: self._overhear(other, record))

        self._at(self.now_s + LAG_S * self._random.uniform(0.5, 2), write)

    def _overhear(self, process: int, record: Record) -> None:
        self.lanes[process].overhear(record, self._clock_s())
        self._give(process)
