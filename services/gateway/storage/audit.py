"""What has been done? The append-only log: a chain of entries per organization, and its signed checkpoints."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.dialects import postgresql

from services.gateway.domain.audit import AuditEntry, ChainedEntry, ChainHead, Checkpoint, append, genesis
from services.gateway.storage.tables import audit_checkpoints, audit_heads, audit_logs
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.audit import AuditLogEntry, ListAudit
from shared.messages.base import Page

ORDER = Keyset(audit_logs.c.id, {"sequence": audit_logs.c.sequence, "time": audit_logs.c.time}, default="-sequence")

CHUNK = 500
# Put together once: every act of every service passes here.
_ADD = insert(audit_logs)
_BEGIN = postgresql.insert(audit_heads).on_conflict_do_nothing()
_OF = audit_heads.c.organization_id == bindparam("organization")
_LOCK_HEAD = select(audit_heads).where(_OF).with_for_update()
_MOVE_HEAD = (
    update(audit_heads)
    .where(_OF)
    .values(sequence=bindparam("to"), entry_hash=bindparam("hash"), updated_at=bindparam("now"))
)
_AHEAD = text("SELECT audit_partitions_ahead(:months)")


async def add(work: Work, entry: AuditEntry) -> ChainedEntry:
    """Put an entry behind the head of its organization's chain, whose row stays locked until the commit."""
    chained = append(await _locked_head(work, entry.organization), entry)
    await work.execute(
        _ADD,
        {
            "id": entry.id,
            "organization_id": entry.organization,
            "sequence": chained.sequence,
            "previous_hash": chained.previous_hash,
            "entry_hash": chained.entry_hash,
            "time": entry.time,
            "actor": entry.actor,
            "action": entry.action,
            "target_type": entry.target_type,
            "target_id": entry.target_id,
            "target_name": entry.target_name,
            "details": dict(entry.details),
            "correlation_id": entry.correlation_id,
            "recorded_at": work.now,
        },
    )
    moved = {"organization": entry.organization, "to": chained.sequence, "hash": chained.entry_hash, "now": work.now}
    await work.execute(_MOVE_HEAD, moved)
    return chained


async def _locked_head(work: Work, organization: UUID) -> ChainHead:
    first = genesis(organization)
    row = {
        "organization_id": organization,
        "sequence": first.sequence,
        "entry_hash": first.entry_hash,
        "updated_at": work.now,
    }
    await work.execute(_BEGIN, row)
    head = (await work.execute(_LOCK_HEAD, {"organization": organization})).mappings().one()
    return ChainHead(head["sequence"], head["entry_hash"])


async def page(work: Work, request: ListAudit) -> Page[AuditLogEntry]:
    columns = audit_logs.c
    statement = select(audit_logs).where(columns.organization_id == work.organization)
    for column, value in (
        (columns.actor, request.audit_actor),
        (columns.action, request.action),
        (columns.target_type, request.target_type),
        (columns.target_id, request.target_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if request.start is not None:
        statement = statement.where(columns.time >= request.start)
    if request.end is not None:
        statement = statement.where(columns.time < request.end)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return Page[AuditLogEntry](items=[AuditLogEntry.model_validate(row) for row in found], next_cursor=cursor)


async def entries_after(work: Work, head: ChainHead) -> list[ChainedEntry]:
    """The next entries of the organization's chain in order, some hundred at most.

    Another entry in the place of `head` itself is among them: it was put there by somebody else.
    """
    statement = (
        select(audit_logs)
        .where(audit_logs.c.organization_id == work.organization, audit_logs.c.sequence >= head.sequence)
        .order_by(audit_logs.c.sequence, audit_logs.c.id)
        .limit(CHUNK + 1)
    )
    found = [_chained(row) for row in rows(await work.execute(statement))]
    at_head = next((index for index, each in enumerate(found) if each.head == head), None)
    return [each for index, each in enumerate(found) if index != at_head]


async def head_of(work: Work) -> ChainHead:
    """Where the chain is said to stand."""
    statement = select(audit_heads).where(audit_heads.c.organization_id == work.organization)
    row = (await work.execute(statement)).mappings().first()
    return genesis(work.organization) if row is None else ChainHead(row["sequence"], row["entry_hash"])


async def checkpoints_of(work: Work) -> list[Checkpoint]:
    """All checkpoints of the organization, genuine or not, in order."""
    statement = (
        select(audit_checkpoints)
        .where(audit_checkpoints.c.organization_id == work.organization)
        .order_by(audit_checkpoints.c.sequence)
    )
    return [
        Checkpoint(row["organization_id"], ChainHead(row["sequence"], row["entry_hash"]), row["time"], row["signature"])
        for row in rows(await work.execute(statement))
    ]


async def heads_without_checkpoint(work: Work) -> Sequence[tuple[UUID, ChainHead]]:
    """Chains that grew since their last checkpoint; in background work."""
    last = (
        select(audit_checkpoints.c.organization_id, func.max(audit_checkpoints.c.sequence).label("sequence"))
        .group_by(audit_checkpoints.c.organization_id)
        .subquery()
    )
    statement = (
        select(audit_heads.c.organization_id, audit_heads.c.sequence, audit_heads.c.entry_hash)
        .outerjoin(last, last.c.organization_id == audit_heads.c.organization_id)
        .where(audit_heads.c.sequence > func.coalesce(last.c.sequence, 0))
    )
    return [
        (row["organization_id"], ChainHead(row["sequence"], row["entry_hash"]))
        for row in rows(await work.execute(statement))
    ]


async def add_checkpoint(work: Work, checkpoint: Checkpoint) -> None:
    """A second one for the same head is left out."""
    await work.execute(
        postgresql.insert(audit_checkpoints)
        .values(
            organization_id=checkpoint.organization,
            sequence=checkpoint.head.sequence,
            entry_hash=checkpoint.head.entry_hash,
            time=checkpoint.time,
            signature=checkpoint.signature,
        )
        .on_conflict_do_nothing()
    )


async def make_partitions(work: Work, months: int) -> int:
    """Create the partitions of this month and the next ones; returns how many were missing."""
    return int((await work.execute(_AHEAD, {"months": months})).scalar_one())


def _chained(row: dict[str, Any]) -> ChainedEntry:
    entry = AuditEntry(
        id=row["id"],
        time=row["time"],
        organization=row["organization_id"],
        actor=row["actor"],
        action=row["action"],
        target_type=row["target_type"],
        target_id=row["target_id"],
        target_name=row["target_name"],
        details=row["details"],
        correlation_id=row["correlation_id"],
    )
    return ChainedEntry(entry, row["sequence"], row["previous_hash"], row["entry_hash"])
