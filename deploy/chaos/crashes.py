"""At which boundary of the journal does a process end itself, and how is that written down before it is dead?"""

import asyncio
import json
import math
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.db.engine import Database
from shared.db.saga import Saga, Undo
from shared.db.work import Work
from shared.messages.context import Context

LONGEST_COUNT = 12
PATIENCE = 15
"""After so many passes of its boundary a life ends all the same, at whichever step: some come seldom."""
LONGEST_FAVOURITE_COUNT = 2


class Boundary(StrEnum):
    """Where in a step: its intent is committed before the call, its output after it."""

    BEFORE_CALL = "before-call"
    AFTER_CALL = "after-call"
    BEFORE_STORE = "before-store"
    AFTER_STORE = "after-store"


@dataclass(frozen=True, slots=True)
class Kill:
    """One process that ended: which boundary of which saga it had reached, and when (seconds since 1970)."""

    step: str
    boundary: str
    saga: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Die at the `count`-th time that a saga of this process passes `boundary` of `step` (of any step when None).

    A step may be a pattern (`create *`). It is waited for during `patience` passes of the boundary.
    """

    step: str | None
    boundary: Boundary
    count: int
    patience: float = math.inf

    def is_about(self, step: str, boundary: Boundary) -> bool:
        return boundary is self.boundary and (self.step is None or fnmatchcase(step, self.step))

    @classmethod
    def draw(cls, source: random.Random, favourites: Sequence[str]) -> "Plan":
        """Half of the plans are about one of the favourite steps, whose calls must not happen twice."""
        boundary = source.choice(list(Boundary))
        if favourites and source.random() < 0.5:
            return cls(source.choice(favourites), boundary, source.randint(1, LONGEST_FAVOURITE_COUNT), PATIENCE)
        return cls(None, boundary, source.randint(1, LONGEST_COUNT))


class Crash:
    """Carries a plan out. The kill is in `log`, one JSON line, before it happens."""

    def __init__(self, plan: Plan, log: Path) -> None:
        self._plan = plan
        self._left = plan.count
        self._passed = 0
        self._log = log

    def ends_at(self, step: str, boundary: Boundary) -> bool:
        """Count a pass; whether it is the planned one, or the last that its plan has patience for."""
        if boundary is not self._plan.boundary:
            return False
        self._passed += 1
        self._left -= self._plan.is_about(step, boundary)
        return not self._left or self._passed >= self._plan.patience

    def passes(self, step: str, boundary: Boundary, saga: UUID) -> None:
        """Called by every saga at every boundary; does not return from the planned one."""
        if not self.ends_at(step, boundary):
            return
        line = json.dumps(asdict(Kill(step, boundary, str(saga), time.time()))) + "\n"
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line.encode())
        os.kill(os.getpid(), signal.SIGKILL)


class CrashingSaga(Saga):
    """A saga that reports each boundary it passes, those of its undoing as well. A poll passes its first call once."""

    def __init__(
        self,
        database: Database,
        inline_wait_s: float,
        context: Context,
        row: dict[str, Any],
        *,
        passes: Callable[[str, Boundary, UUID], None],
    ) -> None:
        super().__init__(database, inline_wait_s, context, row)
        self._passes = passes
        self._unstored: str | None = None
        self._program: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        async with super().work() as work:
            yield work
            # The heartbeat has transactions of its own; only the program's stores an output.
            stored = self._unstored if asyncio.current_task() is self._program else None
            if stored is not None:
                self._passes(stored, Boundary.BEFORE_STORE, self.id)
        if stored is not None:
            self._unstored = None
            self._passes(stored, Boundary.AFTER_STORE, self.id)

    async def step(self, name: str, call: Callable[[UUID], Awaitable[Any]], *, undo: Undo | None = None) -> Any:
        async def watched(token: UUID) -> Any:
            self._passes(name, Boundary.BEFORE_CALL, self.id)
            return self._returned(name, await call(token))

        return await super().step(name, watched, undo=self._watch(name, undo))

    async def apply(self, name: str, change: Callable[[Work], Awaitable[Any]]) -> Any:
        async def watched(work: Work) -> Any:
            self._passes(name, Boundary.BEFORE_CALL, self.id)
            return self._returned(name, await change(work))

        return await super().apply(name, watched)

    async def until(
        self,
        name: str,
        poll: Callable[[], Awaitable[Any]],
        *,
        every_s: float,
        timeout_s: float,
        undo: Undo | None = None,
    ) -> Any:
        polled = False

        async def watched() -> Any:
            nonlocal polled
            if not polled:
                polled = True
                self._passes(name, Boundary.BEFORE_CALL, self.id)
            output = await poll()
            return None if output is None else self._returned(name, output)

        undo = self._watch(name, undo)
        return await super().until(name, watched, every_s=every_s, timeout_s=timeout_s, undo=undo)

    def _watch(self, name: str, undo: Undo | None) -> Undo | None:
        if undo is None:
            return None

        async def watched(output: Any) -> None:
            self._passes(f"undo {name}", Boundary.BEFORE_CALL, self.id)
            await undo(output)
            self._returned(f"undo {name}", None)

        return watched

    def _returned(self, name: str, output: Any) -> Any:
        self._passes(name, Boundary.AFTER_CALL, self.id)
        self._unstored, self._program = name, asyncio.current_task()
        return output


def read_kills(log: Path) -> list[Kill]:
    """What died so far, in its order; none when there is no log yet."""
    if not log.exists():
        return []
    return [Kill(**json.loads(line)) for line in log.read_text().splitlines()]
