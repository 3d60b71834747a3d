"""What is asked of the audit log, and how does an entry come into it?"""

from uuid import UUID

from services.gateway.deps import Deps
from services.gateway.domain.audit import (
    AuditEntry,
    ChainedEntry,
    ChainHead,
    Checkpoint,
    checkpoint_is_genuine,
    genesis,
    verify,
)
from services.gateway.storage import audit
from shared.bus.router import Routes
from shared.db.work import Work
from shared.messages.audit import AuditLogEntry, AuditRecorded, AuditVerification, ListAudit, VerifyAudit
from shared.messages.base import Page
from shared.messages.context import Context

routes = Routes()

SYSTEM_CHAIN = UUID(int=0)
"""The chain of what belongs to no organization."""


@routes.event(AuditRecorded)
async def on_audit_recorded(event: AuditRecorded, work: Work, deps: Deps) -> None:  # noqa: ARG001
    await audit.add(work, AuditEntry.of(event, work.context.organization or SYSTEM_CHAIN))


@routes.request(ListAudit)
async def list_audit(request: ListAudit, deps: Deps) -> Page[AuditLogEntry]:
    async with deps.database.work(Context.of(request)) as work:
        return await audit.page(work, request)


@routes.request(VerifyAudit)
async def verify_audit(request: VerifyAudit, deps: Deps) -> AuditVerification:
    """Walk the chain, some hundred entries at a time, from its genesis or from the checkpoint before what is kept."""
    async with deps.database.work(Context.of(request)) as work:
        stored = await audit.checkpoints_of(work)
        genuine = [each for each in stored if checkpoint_is_genuine(each, deps.keys.checkpoints)]
        said = await audit.head_of(work)
        head, count, first_sequence = genesis(work.organization), 0, 0
        async for chunk in audit.chain(work):
            if count == 0:
                first_sequence = chunk[0].sequence
                head = _start(head, chunk[0], genuine)
            found = verify(chunk, head, _within(genuine, chunk))
            count += found.entries
            if found.first_invalid is not None:
                return AuditVerification(
                    valid=False,
                    entries=count,
                    first_invalid_id=found.first_invalid,
                    checkpoints=len(genuine),
                    first_sequence=first_sequence,
                )
            head = chunk[-1].head
    tail_missing = max([said.sequence, *(each.head.sequence for each in genuine)]) > head.sequence
    return AuditVerification(
        valid=not tail_missing and said == head and len(genuine) == len(stored),
        entries=count,
        tail_missing=tail_missing,
        checkpoints=len(genuine),
        first_sequence=first_sequence,
    )


def _start(beginning: ChainHead, first: ChainedEntry, genuine: list[Checkpoint]) -> ChainHead:
    """The genesis, or the signed head just before the oldest entry: older partitions were dropped."""
    before = [each.head for each in genuine if each.head.sequence == first.sequence - 1]
    return before[0] if before else beginning


def _within(genuine: list[Checkpoint], chunk: list[ChainedEntry]) -> list[Checkpoint]:
    return [each for each in genuine if chunk[0].sequence <= each.head.sequence <= chunk[-1].sequence]
