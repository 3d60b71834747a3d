"""Where does the journal keep its sagas? Every statement on the tables saga and saga_step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import saga, saga_step
from shared.db.work import Work
from shared.messages.operations import Operation, Progress, Target

DATABASE_NOW = func.clock_timestamp()
"""Leases are compared by one clock, the database's: replicas' clocks may differ."""

CANCELLING = "cancelling"
"""It is to be undone, and whoever holds it will see so: at its next step, at its next heartbeat, at its next claim."""

_ADD = upsert(saga).on_conflict_do_nothing().returning(*saga.c)

REQUEUE_AFTER = timedelta(seconds=30)

KEPT = timedelta(days=90)
"""Far longer than a command can come again, and as long as somebody may ask what was done."""
FORGOTTEN_AT_ONCE = 1000


class LeaseLost(Exception):
    """Another replica went on with this saga; drop what you have."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step as the journal knows it: `started` (outcome unknown) or `done` (with its output)."""

    name: str
    sequence: int
    status: str
    output: Any
    started_at: datetime


def operation_of(row: dict[str, Any]) -> Operation:
    """The public face of a saga's row."""
    shown = {"waiting": "running", "compensating": "running", CANCELLING: "running"}
    return Operation(
        id=row["id"],
        kind=row["kind"],
        status=shown.get(row["status"], row["status"]),
        progress=Progress(stage=row["stage"], completed=row["completed"], total=row["total"]),
        target=Target(type=row["target_type"], id=row["target_id"]),
        error=row["error"] if row["status"] == "failed" else None,
        result=row["result"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


async def add(work: Work, values: dict[str, Any]) -> dict[str, Any] | None:
    """Insert a saga; None when it is there already."""
    row = (await work.execute(_ADD, values)).mappings().first()
    return None if row is None else dict(row)


async def find(work: Work, saga_id: UUID) -> dict[str, Any] | None:
    row = (await work.execute(select(saga).where(saga.c.id == saga_id))).mappings().first()
    return None if row is None else dict(row)


async def find_all(work: Work, saga_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Those of these sagas that are there, by id, without what they were told and what came of them."""
    columns = (saga.c.id, saga.c.status, saga.c.error, saga.c.finished_at)
    found = await work.execute(select(*columns).where(saga.c.id.in_(saga_ids)))
    return {row["id"]: dict(row) for row in found.mappings()}


async def cancel(work: Work, saga_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Let unfinished sagas be undone; returns those that nobody holds now, whose commands are to be sent again.

    Nobody is fenced out for it: a call to a cloud that is under way could not be called back, and what it makes would
    be seen by nobody. One that a person has to decide about (`journal_mismatch`) is left alone.
    """
    statement = (
        update(saga)
        .where(
            saga.c.id.in_(saga_ids),
            saga.c.organization_id == work.organization,
            saga.c.finished_at.is_(None),
            saga.c.error.is_(None),
        )
        .values(status=CANCELLING)
        .returning(*saga.c)
    )
    cancelled = [dict(row) for row in (await work.execute(statement)).mappings()]
    return [row for row in cancelled if row["lease_until"] is None]


async def claim(work: Work, saga_id: UUID, owner: str, lease_s: float) -> dict[str, Any] | None:
    """Take an unfinished saga nobody holds, under a new fence; None when it is finished or held."""
    free = or_(saga.c.lease_until.is_(None), saga.c.lease_until < DATABASE_NOW)
    statement = (
        update(saga)
        .where(saga.c.id == saga_id, saga.c.finished_at.is_(None), free)
        .values(
            owner=owner,
            fence=saga.c.fence + 1,
            lease_until=DATABASE_NOW + timedelta(seconds=lease_s),
            status=case((saga.c.status.in_(("accepted", "waiting")), "running"), else_=saga.c.status),
            wake_at=None,
        )
        .returning(*saga.c)
    )
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


async def renew(work: Work, saga_id: UUID, fence: int, lease_s: float) -> str | None:
    """Prolong the lease, and tell the saga's status; None when somebody else holds it."""
    statement = (
        update(saga)
        .where(saga.c.id == saga_id, saga.c.fence == fence, saga.c.finished_at.is_(None))
        .values(lease_until=DATABASE_NOW + timedelta(seconds=lease_s))
        .returning(saga.c.status)
    )
    status: str | None = (await work.execute(statement)).scalar()
    return status


async def change(work: Work, saga_id: UUID, fence: int, **values: Any) -> dict[str, Any]:
    """Update the saga under its fence, counting its version. Raises LeaseLost."""
    statement = (
        update(saga)
        .where(saga.c.id == saga_id, saga.c.fence == fence, saga.c.finished_at.is_(None))
        .values(version=saga.c.version + 1, **values)
        .returning(*saga.c)
    )
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise LeaseLost(str(saga_id))
    return dict(row)


async def suspend(work: Work, saga_id: UUID, fence: int, wake_at: datetime) -> dict[str, Any]:
    """Let it wait until then, held by nobody. Raises LeaseLost."""
    status = case((saga.c.status == CANCELLING, CANCELLING), else_="waiting")
    return await change(work, saga_id, fence, status=status, wake_at=wake_at, lease_until=None)


async def hold(work: Work, saga_id: UUID, fence: int) -> None:
    """Lock the saga's row under its fence for this transaction. Raises LeaseLost."""
    statement = select(saga.c.id).where(saga.c.id == saga_id, saga.c.fence == fence, saga.c.finished_at.is_(None))
    if (await work.execute(statement.with_for_update())).first() is None:
        raise LeaseLost(str(saga_id))


async def steps(work: Work, saga_id: UUID) -> dict[str, StepRecord]:
    """All recorded steps by name."""
    columns = (saga_step.c.name, saga_step.c.sequence, saga_step.c.status, saga_step.c.output, saga_step.c.started_at)
    result = await work.execute(select(*columns).where(saga_step.c.saga_id == saga_id))
    return {row.name: StepRecord(row.name, row.sequence, row.status, row.output, row.started_at) for row in result}


async def start_step(work: Work, saga_id: UUID, name: str, sequence: int) -> StepRecord:
    """Write the intent of a step before its call."""
    await work.execute(
        insert(saga_step).values(
            saga_id=saga_id,
            name=name,
            sequence=sequence,
            organization_id=work.organization,
            status="started",
            started_at=work.now,
        )
    )
    return StepRecord(name, sequence, "started", None, work.now)


async def finish_step(work: Work, saga_id: UUID, name: str, output: Any) -> None:
    await work.execute(
        update(saga_step)
        .where(saga_step.c.saga_id == saga_id, saga_step.c.name == name)
        .values(status="done", output=output, finished_at=work.now)
    )


async def abandoned(work: Work, limit: int = 100) -> list[dict[str, Any]]:
    """Unfinished sagas that nobody holds and no message seems to carry: lease run out, timer late, never begun."""
    lease_out = saga.c.lease_until < DATABASE_NOW - timedelta(seconds=5)
    overdue = saga.c.lease_until.is_(None) & (
        func.coalesce(saga.c.wake_at, saga.c.created_at) < DATABASE_NOW - timedelta(seconds=15)
    )
    stuck = (saga.c.status == "running") & saga.c.error.is_not(None)
    rested = or_(saga.c.requeued_at.is_(None), saga.c.requeued_at < DATABASE_NOW - REQUEUE_AFTER)
    chosen = (
        select(saga.c.id)
        .where(saga.c.finished_at.is_(None), or_(lease_out, overdue), rested, ~stuck)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = update(saga).where(saga.c.id.in_(chosen)).values(requeued_at=DATABASE_NOW).returning(*saga.c)
    return [dict(row) for row in (await work.execute(statement)).mappings()]


async def forget_finished(work: Work) -> int:
    """Delete some of the sagas that ended long ago, with their steps; returns how many."""
    ended = select(saga.c.id).where(saga.c.finished_at < work.now - KEPT).order_by(saga.c.finished_at)
    forgotten = (await work.execute(ended.limit(FORGOTTEN_AT_ONCE))).scalars().all()
    await work.execute(delete(saga_step).where(saga_step.c.saga_id.in_(forgotten)))
    await work.execute(delete(saga).where(saga.c.id.in_(forgotten)))
    return len(forgotten)
