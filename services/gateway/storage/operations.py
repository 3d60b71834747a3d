"""What is known about long work of all services? Rows from replies and events; an older one never wins."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from services.gateway.storage.tables import operations
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.messages.base import Page
from shared.messages.operations import ListOperations, Operation, Progress, Target

ORDER = Keyset(
    operations.c.id,
    {"created_at": operations.c.created_at, "kind": operations.c.kind, "status": operations.c.status},
    default="-created_at",
)


async def keep_operation(work: Work, operation: Operation, version: int) -> None:
    """Store it unless a newer version is here. `version` is the event's aggregate version; 0 for an owner's reply."""
    values = {
        "id": operation.id,
        "organization_id": work.organization,
        "kind": operation.kind,
        "status": operation.status,
        "progress": operation.progress.model_dump(),
        "target_type": operation.target.type,
        "target_id": operation.target.id,
        "error": operation.error,
        "result": operation.result,
        "actor": work.context.actor,
        "created_at": operation.created_at,
        "updated_at": work.now,
        "finished_at": operation.finished_at,
        "version": version,
    }
    changed = {name: value for name, value in values.items() if name not in {"id", "organization_id", "actor"}}
    statement = insert(operations).values(values)
    newer = (operations.c.version < version) & (operations.c.organization_id == work.organization)
    await work.execute(statement.on_conflict_do_update(index_elements=[operations.c.id], set_=changed, where=newer))


async def get_operation(work: Work, operation: UUID) -> Operation:
    """Raises NotFound, also for another organization's."""
    statement = select(operations).where(
        operations.c.id == operation, operations.c.organization_id == work.organization
    )
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such operation")
    return _operation(row)


async def list_operations(work: Work, request: ListOperations) -> Page[Operation]:
    """One page, newest first unless sorted otherwise."""
    columns = operations.c
    statement = select(operations).where(columns.organization_id == work.organization)
    for column, value in (
        (columns.status, request.status),
        (columns.kind, request.operation_kind),
        (columns.target_type, request.target_type),
        (columns.target_id, request.target_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    page, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return Page[Operation](items=[_operation(row) for row in page], next_cursor=cursor)


async def forget_operations(work: Work, before: Any) -> int:
    """Delete what ended before a time; returns how many."""
    return (await work.execute(delete(operations).where(operations.c.finished_at < before))).rowcount


def _operation(row: Any) -> Operation:
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
