"""What is known about long work of all services? Rows from replies and events; an older one never wins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Executable

from services.gateway.domain.operations import short
from services.gateway.storage.tables import operations
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.base import Page
from shared.messages.operations import GetOperation, ListOperations, Operation, Progress, Target

ORDER = Keyset(
    operations.c.id,
    {"created_at": operations.c.created_at, "kind": operations.c.kind, "status": operations.c.status},
    default="-created_at",
)

_FIXED = {"id", "organization_id", "actor"}


async def keep(work: Work, operation: Operation, version: int) -> None:
    """Store it unless a newer version is here. `version` is the event's aggregate version; 0 for an owner's reply."""
    await work.execute(_KEEP, _values(work, operation, work.context.actor, version))


async def keep_accepted(work: Work, accepted: Sequence[tuple[Operation, str]]) -> None:
    """The same for replies of owners, each with the actor it was accepted from: one statement for all of them.

    In the order of their ids, in which every other transaction has to take their rows as well.
    """
    ordered = sorted(accepted, key=lambda each: each[0].id)
    await work.execute(_KEEP, [_values(work, operation, actor, 0) for operation, actor in ordered])


def _values(work: Work, operation: Operation, actor: str, version: int) -> dict[str, Any]:
    return {
        "id": operation.id,
        "organization_id": work.organization,
        "kind": operation.kind,
        "status": operation.status,
        "progress": operation.progress.model_dump(),
        "target_type": operation.target.type,
        "target_id": operation.target.id,
        "error": operation.error,
        "result": operation.result,
        "actor": actor,
        "created_at": operation.created_at,
        "updated_at": work.now,
        "finished_at": operation.finished_at,
        "version": version,
    }


async def get(work: Work, request: GetOperation) -> Operation:
    """Raises NotFound, also for another organization's and for one that the caller may not follow."""
    statement = select(operations).where(operations.c.id == request.operation, *_visible(work, request))
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such operation")
    return operation_of(row)


async def page(work: Work, request: ListOperations) -> Page[Operation]:
    """One page, newest first unless sorted otherwise, of what the caller may follow."""
    columns = operations.c
    statement = select(operations).where(*_visible(work, request))
    for column, value in (
        (columns.status, request.status),
        (columns.kind, request.operation_kind),
        (columns.target_type, request.target_type),
        (columns.target_id, request.target_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    items = [operation_of({**row, "result": short(row["result"])}) for row in found]
    return Page[Operation](items=items, next_cursor=cursor)


async def forget(work: Work, before: datetime) -> int:
    """Delete what ended before a time; returns how many."""
    return (await work.execute(delete(operations).where(operations.c.finished_at < before))).rowcount


def operation_of(row: Any) -> Operation:
    return Operation(
        id=row["id"],
        kind=row["kind"],
        status=row["status"],
        progress=Progress.model_validate(row["progress"]),
        target=Target(type=row["target_type"], id=row["target_id"]),
        error=row["error"],
        result=row["result"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


def _visible(work: Work, request: GetOperation | ListOperations) -> tuple[ColumnElement[bool], ...]:
    """Of the organization of this work; begun by the caller or about a thing that the caller may read."""
    columns = operations.c
    mine = columns.actor == request.actor
    return columns.organization_id == work.organization, or_(mine, columns.target_type.in_(request.readable_targets))


def _newer() -> Executable:
    """Insert a row, or replace what changes of one with a lower version, never of another organization's."""
    statement = insert(operations)
    given = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[operations.c.id],
        set_={column.name: given[column.name] for column in operations.c if column.name not in _FIXED},
        where=(operations.c.version < given.version) & (operations.c.organization_id == given.organization_id),
    )


_KEEP = _newer()
"""Put together once: every operation passes here, and putting it together cost as much as running it (profiled)."""
