"""What may a saga's program do? Steps that run once, polls that wait, transactions that are steps, and undoing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import sagas
from shared.db.engine import Database
from shared.db.work import Work
from shared.kit.errors import CanopyError
from shared.kit.ids import derived_id
from shared.messages.context import Context
from shared.messages.operations import OperationProgressed

CANCELLED = "the work that this was a part of was given up"

Undo = Callable[[Any], Awaitable[None]]
"""Gets the step's output, or None when the step began and its outcome is unknown: then it must look for itself."""


class Suspended(Exception):
    """The program waits longer than a message should be held."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Abandoned(Exception):
    """The saga is being undone and has reached the first step that is not done."""


class Cancelled(CanopyError):
    """Somebody cancelled the saga: it goes no further, and what it did is undone."""

    status, code, title = 409, "cancelled", "The work was cancelled"


class JournalMismatch(Exception):
    """The journal holds this step at another place: the program's order changed while the saga ran."""


class StepTimedOut(CanopyError):
    status, code, title = 504, "step_timed_out", "A step did not finish in its time"


@dataclass(slots=True)
class _Undoing:
    name: str
    undo: Undo
    output: Any = None


class Saga:
    """One run of a program by the replica that holds the lease."""

    def __init__(self, database: Database, inline_wait_s: float, context: Context, row: dict[str, Any]) -> None:
        self.id: UUID = row["id"]
        self.fence: int = row["fence"]
        self.context = context
        self.compensating = row["status"] == "compensating"
        self.cancelling = row["status"] == sagas.CANCELLING
        self.lost = False
        self.progressed = False
        self.current: str | None = None
        self.done_steps = 0
        self.counted: tuple[int, int] | None = None
        """Things done, of how many, where the program counts things and not its steps."""
        self._database = database
        self._inline_wait_s = inline_wait_s
        self._records: dict[str, sagas.StepRecord] = {}
        self._undoings: list[_Undoing] = []
        self._sequence = 0

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """A transaction of the saga's organization."""
        async with self._database.work(self.context) as work:
            yield work

    def token(self, name: str) -> UUID:
        """The idempotency token of a step: the same after every crash."""
        return derived_id(self.id, name)

    async def recall(self) -> None:
        """Read what the journal holds."""
        async with self.work() as work:
            self._records = await sagas.steps(work, self.id)

    async def step(self, name: str, call: Callable[[UUID], Awaitable[Any]], *, undo: Undo | None = None) -> Any:
        """Run `call(token)` once and remember its output (JSON). After a crash in between it is called again.

        `undo(output)` runs when the saga fails later, also when this step's own outcome is unknown (output None).
        """
        record = await self._enter(name, undo)
        if record.status == "done":
            return record.output
        output = await call(self.token(name))
        async with self.work() as work:
            await sagas.hold(work, self.id, self.fence)
            await sagas.finish_step(work, self.id, name, output)
        self._leave(output, undo)
        return output

    async def apply(self, name: str, change: Callable[[Work], Awaitable[Any]]) -> Any:
        """A step that is one transaction: `change(work)` and the journal's record commit together, exactly once."""
        record = await self._enter(name, None)
        if record.status == "done":
            return record.output
        async with self.work() as work:
            await sagas.hold(work, self.id, self.fence)
            output = await change(work)
            await sagas.finish_step(work, self.id, name, output)
        self._leave(output, None)
        return output

    async def until(
        self,
        name: str,
        poll: Callable[[], Awaitable[Any]],
        *,
        every_s: float,
        timeout_s: float,
        undo: Undo | None = None,
    ) -> Any:
        """A step that asks `poll` each `every_s` until it answers something but None. Raises StepTimedOut."""
        record = await self._enter(name, undo)
        if record.status == "done":
            return record.output
        while (output := await poll()) is None:
            if self.cancelling:
                raise Cancelled(CANCELLED)
            waited_s = (self._database.clock.now() - record.started_at).total_seconds()
            if waited_s > timeout_s:
                raise StepTimedOut(f"{name}: no end after {timeout_s:.0f} s")
            await self._pause(every_s)
        async with self.work() as work:
            await sagas.hold(work, self.id, self.fence)
            await sagas.finish_step(work, self.id, name, output)
        self._leave(output, undo)
        return output

    async def count(self, completed: int, total: int) -> None:
        """Tell that so many things of so many are done, for a program that counts things instead of its steps.

        Said once for each number. After a crash the program tells it again.
        """
        if self.counted == (completed, total):
            return
        async with self.work() as work:
            row = await sagas.change(work, self.id, self.fence, completed=completed, total=total)
            work.emit(OperationProgressed(**work.about(self.id, row["version"]), operation=sagas.operation_of(row)))
        self.counted = (completed, total)

    async def undo(self) -> None:
        """Undo in reverse what has an undo, each once."""
        while self._undoings:
            undoing = self._undoings[-1]
            name = f"undo {undoing.name}"
            record = self._records.get(name)
            if record is None:
                self._sequence = max([self._sequence, *(known.sequence for known in self._records.values())]) + 1
                async with self.work() as work:
                    await sagas.hold(work, self.id, self.fence)
                    record = self._records[name] = await sagas.start_step(work, self.id, name, self._sequence)
            if record.status != "done":
                await undoing.undo(undoing.output)
                async with self.work() as work:
                    await sagas.hold(work, self.id, self.fence)
                    await sagas.finish_step(work, self.id, name, None)
            self._undoings.pop()

    async def _enter(self, name: str, undo: Undo | None) -> sagas.StepRecord:
        self._sequence += 1
        self.current = name
        record = self._records.get(name)
        if record is not None and record.sequence != self._sequence:
            raise JournalMismatch(f"step {name!r} is number {record.sequence} in the journal, now {self._sequence}")
        if undo is not None and record is not None:
            self._undoings.append(_Undoing(name, undo, record.output if record.status == "done" else None))
        if record is not None and record.status == "done":
            self.done_steps += 1
            return record
        if self.compensating:
            raise Abandoned
        if self.cancelling:
            raise Cancelled(CANCELLED)
        if record is None:
            record = await self._start(name)
            if undo is not None:
                self._undoings.append(_Undoing(name, undo))
        return record

    async def _start(self, name: str) -> sagas.StepRecord:
        async with self.work() as work:
            completed = self.done_steps if self.counted is None else self.counted[0]
            row = await sagas.change(work, self.id, self.fence, stage=name, completed=completed, failures=0)
            if row["status"] == sagas.CANCELLING:
                raise Cancelled(CANCELLED)
            record = await sagas.start_step(work, self.id, name, self._sequence)
            work.emit(OperationProgressed(**work.about(self.id, row["version"]), operation=sagas.operation_of(row)))
        self._records[name] = record
        return record

    def _leave(self, output: Any, undo: Undo | None) -> None:
        self.done_steps += 1
        self.progressed = True
        if undo is not None:
            self._undoings[-1].output = output

    async def _pause(self, seconds: float) -> None:
        if seconds > self._inline_wait_s:
            raise Suspended(seconds)
        await asyncio.sleep(seconds)
