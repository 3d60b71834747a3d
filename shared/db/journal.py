"""How does long work survive a crash? A durable saga: each step's intent is written before its call, its output after.

A command starts the saga; the same command, delivered again to any replica, resumes it at the first step that is not
done. A lease keeps others away while its owner lives; a fence keeps a late owner from writing after it lost the lease.
On a failure that a repeat cannot help, the steps are undone in reverse, and the undoing is journaled as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel

from shared.db import sagas
from shared.db.engine import Database
from shared.db.saga import Abandoned, JournalMismatch, Saga, Suspended
from shared.db.work import Work
from shared.kit.errors import CanopyError, Reject, RetryLater, retry_after_s
from shared.kit.ids import new_id
from shared.messages.base import Command, message_class
from shared.messages.context import Context
from shared.messages.headers import message_headers
from shared.messages.operations import (
    Operation,
    OperationAccepted,
    OperationEvent,
    OperationFailed,
    OperationSucceeded,
)
from shared.messages.subjects import timer_subject

C = TypeVar("C", bound=Command)

Run = Callable[[Saga, Any, Any], Awaitable[dict[str, Any] | None]]
OnFailure = Callable[[Work, Any, dict[str, Any], Any], Awaitable[None]]

NewSaga = Callable[[Database, float, Context, dict[str, Any]], Saga]
"""Makes the saga of one run from the database, the longest inline wait in seconds, the context and the row."""

BUSY_DELAY_S = 2.0

log = structlog.get_logger(__name__)


class JournalSettings(BaseModel):
    """`lease_s` is longer than the longest SDK call with its retries; fault campaigns run it short."""

    lease_s: float = 60
    inline_wait_s: float = 5
    """Waits up to this long are slept; longer ones are persisted and woken by a scheduled message."""
    failures_allowed: int = 8
    """Repeats of one step after retryable failures, before the saga is undone."""
    retry_cap_s: float = 30


@dataclass(frozen=True, slots=True)
class Program(Generic[C]):
    """What to do for one command: `run(saga, command, deps)`, and `on_failure(work, command, error, deps)` at its end.

    `on_failure` runs in the transaction that marks the saga failed, after everything was undone.
    """

    command: type[C]
    kind: str
    target_type: str
    total: int
    run: Run
    on_failure: OnFailure | None = None


class Journal:
    """The sagas of one service, run on what `new_saga` makes. `owner` names this replica in the rows it holds."""

    def __init__(self, database: Database, settings: JournalSettings, owner: str) -> None:
        self.database = database
        self.settings = settings
        self.new_saga: NewSaga = Saga
        self._owner = owner

    async def accept(self, work: Work, program: Program[C], command: C, total: int | None = None) -> Operation:
        """In the accepting transaction: write the saga down and send its command, whose id is the operation's.

        `total` is the number of things that the program will count; without it the program's number of steps.
        """
        row = await self._add(work, program, command, total)
        if row is None:
            raise LookupError(f"command {command.id} was accepted before")
        work.emit(command, _event(work, OperationAccepted, row))
        return sagas.operation_of(row)

    async def cancel(self, work: Work, saga_ids: Sequence[UUID]) -> None:
        """Let unfinished sagas go no further and be undone. They end as failed, with the code `cancelled`.

        One that is about to succeed may still do so: who cancels looks at the end of each.
        """
        for row in await sagas.cancel(work, saga_ids):
            _send_again(work, row)

    async def run(
        self, program: Program[C], command: C, deps: Any, still_working: Callable[[], Awaitable[None]]
    ) -> None:
        """Begin or resume the saga of a command. Raises RetryLater when it is held, or failed in a way that may pass.

        `still_working` is called at each heartbeat, so that the message is not delivered elsewhere meanwhile.
        """
        row = await self._claim(program, command)
        if row is None:
            return
        saga = self.new_saga(self.database, self.settings.inline_wait_s, Context.of(command), row)
        work = asyncio.create_task(self._attempt(saga, program, command, deps, row))
        heart = asyncio.create_task(self._beat(saga, work, still_working))
        try:
            await work
        except asyncio.CancelledError:
            if saga.lost:
                raise RetryLater(BUSY_DELAY_S, "the lease was lost") from None
            await self._hand_over(saga, work)
            raise
        except sagas.LeaseLost as error:
            raise RetryLater(BUSY_DELAY_S, "the lease was lost") from error
        finally:
            heart.cancel()
            with suppress(asyncio.CancelledError):
                await heart

    async def _hand_over(self, saga: Saga, work: "asyncio.Task[None]") -> None:
        """This replica stops: end the step at work, and give the lease back so that another can go on at once."""
        work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await work
        with suppress(Exception):
            async with saga.work() as last:
                await sagas.change(last, saga.id, saga.fence, lease_until=None)

    async def requeue(self) -> int:
        """Send the commands of abandoned sagas again (a job, each few seconds); returns how many."""
        async with self.database.work(Context.background()) as work:
            rows = await sagas.abandoned(work)
            for row in rows:
                _send_again(work, row)
        return len(rows)

    async def _add(
        self, work: Work, program: Program[C], command: C, total: int | None = None
    ) -> dict[str, Any] | None:
        return await sagas.add(
            work,
            {
                "id": command.id,
                "organization_id": UUID(str(command.organization)),
                "kind": program.kind,
                "command_type": command.message_type(),
                "command": command.model_dump(mode="json"),
                "status": "accepted",
                "total": program.total if total is None else total,
                "target_type": program.target_type,
                "target_id": command.aggregate_id,
                "created_at": work.now,
            },
        )

    async def _claim(self, program: Program[C], command: C) -> dict[str, Any] | None:
        async with self.database.work(Context.of(command)) as work:
            row = await sagas.claim(work, command.id, self._owner, self.settings.lease_s)
            if row is not None:
                return row
            if await sagas.find(work, command.id) is None:
                added = await self._add(work, program, command)
                if added is not None:
                    work.emit(_event(work, OperationAccepted, added))
                return await sagas.claim(work, command.id, self._owner, self.settings.lease_s)
            known = await sagas.find(work, command.id)
            if known is not None and known["finished_at"] is not None:
                return None
        raise RetryLater(BUSY_DELAY_S, "another replica holds this saga")

    async def _attempt(self, saga: Saga, program: Program[C], command: C, deps: Any, row: dict[str, Any]) -> None:
        await saga.recall()
        error: dict[str, Any] = row["error"] or {}
        try:
            result = await program.run(saga, command, deps)
        except Suspended as suspended:
            await self._suspend(saga, suspended.seconds)
            return
        except Abandoned:
            pass
        except JournalMismatch as mismatch:
            await self._stop(saga, mismatch)
        except (sagas.LeaseLost, asyncio.CancelledError):
            raise
        except Exception as failure:  # noqa: BLE001 - what failed is decided by retry_after_s and the journal
            error = await self._failed(saga, failure, row["failures"])
        else:
            if not saga.compensating:
                await self._succeed(saga, result)
                return
        await self._compensate(saga, program, command, error, deps)

    async def _succeed(self, saga: Saga, result: dict[str, Any] | None) -> None:
        completed, total = saga.counted or (saga.done_steps, saga.done_steps)
        async with saga.work() as work:
            row = await sagas.change(
                work, saga.id, saga.fence, status="succeeded", result=result, finished_at=work.now,
                lease_until=None, completed=completed, total=total, stage=None,
            )  # fmt: skip
            work.emit(_event(work, OperationSucceeded, row))

    async def _stop(self, saga: Saga, mismatch: JournalMismatch) -> None:
        """A program that changed under a running saga is neither run nor undone by guesswork: a person decides."""
        error = {"code": "journal_mismatch", "title": "Journal mismatch", "detail": str(mismatch), "status": 500}
        async with saga.work() as work:
            await sagas.change(work, saga.id, saga.fence, error=error, lease_until=None)
        raise Reject(str(mismatch)) from mismatch

    async def _suspend(self, saga: Saga, seconds: float) -> None:
        async with saga.work() as work:
            wake_at = work.now + timedelta(seconds=seconds)
            row = await sagas.suspend(work, saga.id, saga.fence, wake_at)
            _wake(work, self.database.service, row)

    async def _failed(self, saga: Saga, failure: Exception, failures_before: int) -> dict[str, Any]:
        """Decide after a failed step: raise RetryLater, or return the error and turn the saga to undoing."""
        delay = retry_after_s(failure)
        expected = isinstance(failure, CanopyError) or delay is not None or hasattr(failure, "retryable")
        failures = 1 if saga.progressed else failures_before + 1
        log.warning("saga step failed", saga=str(saga.id), step=saga.current, error=_brief(failure), failures=failures,
                    exc_info=None if expected else failure)  # fmt: skip
        may_pass = delay is not None or not expected
        if may_pass and failures <= self.settings.failures_allowed:
            async with saga.work() as work:
                row = await sagas.change(work, saga.id, saga.fence, failures=failures, lease_until=None)
            backoff = min(2.0 ** (failures - 1), self.settings.retry_cap_s)
            pause_s = 0.0 if row["status"] == sagas.CANCELLING else max(delay or 0.0, backoff)
            raise RetryLater(pause_s, _brief(failure)) from failure
        error = problem_of(failure, saga.current)
        async with saga.work() as work:
            await sagas.change(work, saga.id, saga.fence, status="compensating", error=error)
        saga.compensating = True
        return error

    async def _compensate(self, saga: Saga, program: Program[C], command: C, error: dict[str, Any], deps: Any) -> None:
        try:
            await saga.undo()
        except (sagas.LeaseLost, asyncio.CancelledError):
            raise
        except Exception as failure:
            log.warning("undo failed", saga=str(saga.id), error=_brief(failure))
            async with saga.work() as work:
                await sagas.change(work, saga.id, saga.fence, lease_until=None)
            raise RetryLater(retry_after_s(failure) or self.settings.retry_cap_s, _brief(failure)) from failure
        async with saga.work() as work:
            await sagas.hold(work, saga.id, saga.fence)
            if program.on_failure is not None:
                await program.on_failure(work, command, error, deps)
            row = await sagas.change(work, saga.id, saga.fence, status="failed", finished_at=work.now, lease_until=None)
            work.emit(_event(work, OperationFailed, row))

    async def _beat(self, saga: Saga, work: "asyncio.Task[None]", still_working: Callable[[], Awaitable[None]]) -> None:
        """Renew the lease each third of it. A failing heartbeat is repeated; the fence guards the rest."""
        while True:
            await asyncio.sleep(self.settings.lease_s / 3)
            try:
                await still_working()
                async with saga.work() as beat:
                    status = await sagas.renew(beat, saga.id, saga.fence, self.settings.lease_s)
            except Exception as error:  # noqa: BLE001 - an outage must not end the heartbeat
                log.warning("heartbeat failed", saga=str(saga.id), error=_brief(error))
                continue
            saga.cancelling = status == sagas.CANCELLING
            if status is None and not work.done():
                saga.lost = True
                work.cancel()
                return


def problem_of(failure: Exception, step: str | None) -> dict[str, Any]:
    """The error of an operation, as in problem+json; of an unexpected failure only its kind is told."""
    if isinstance(failure, CanopyError):
        return {**failure.as_problem(), "step": step}
    code = getattr(failure, "code", None)
    if isinstance(code, str) and hasattr(failure, "retryable"):
        return {"code": code, "title": type(failure).__name__, "detail": str(failure), "status": 502, "step": step}
    return {"code": "internal_error", "title": "Internal error", "detail": type(failure).__name__, "status": 500,
            "step": step}  # fmt: skip


def _brief(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:300]


def _event(work: Work, event: type[OperationEvent], row: dict[str, Any]) -> OperationEvent:
    return event(**work.about(row["id"], row["version"]), operation=sagas.operation_of(row))


def _command_of(row: dict[str, Any]) -> Command:
    cls = message_class("command", row["command_type"])
    if cls is None or not issubclass(cls, Command):
        raise LookupError(f"no command class {row['command_type']} is known here")
    return cls.model_validate(row["command"])


def _send_again(work: Work, row: dict[str, Any]) -> None:
    command = _command_of(row)
    headers = message_headers(command, command.owner)
    work.put(new_id(), row["organization_id"], command.subject(), command.to_bytes(), headers)


def _wake(work: Work, service: str, row: dict[str, Any]) -> None:
    """Let the broker bring the command back at `wake_at`: a message schedule (NATS ADR-51) in the command stream."""
    command = _command_of(row)
    headers = {
        "Nats-Schedule": f"@at {row['wake_at'].strftime('%Y-%m-%dT%H:%M:%SZ')}",
        "Nats-Schedule-Target": command.subject(),
        "content-type": "application/json",
    }
    work.put(new_id(), row["organization_id"], timer_subject(service, row["id"]), command.to_bytes(), headers)
