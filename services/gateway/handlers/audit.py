"""What is asked of the audit log, and how does an entry come into it?"""

from uuid import UUID

from services.gateway.deps import Deps
from services.gateway.domain.audit import AuditEntry, ChainHead, ChainWalk, checkpoint_is_genuine
from services.gateway.storage import audit
from shared.bus.router import Routes
from shared.db.work import Work
from shared.messages.audit import AuditChainPart, AuditLogEntry, AuditRecorded, ListAudit, VerifyAudit
from shared.messages.base import Page
from shared.messages.context import Context

routes = Routes()

SYSTEM_CHAIN = UUID(int=0)
"""The chain of what belongs to no organization."""
PART = 5_000
"""Entries after which a walk answers, so that no request takes longer than others wait for theirs (some 0.5 s)."""


@routes.event(AuditRecorded)
async def on_audit_recorded(event: AuditRecorded, work: Work, deps: Deps) -> None:  # noqa: ARG001
    await audit.add(work, AuditEntry.of(event, work.context.organization or SYSTEM_CHAIN))


@routes.request(ListAudit)
async def list_audit(request: ListAudit, deps: Deps) -> Page[AuditLogEntry]:
    async with deps.database.work(Context.of(request)) as work:
        return await audit.page(work, request)


@routes.request(VerifyAudit)
async def verify_audit(request: VerifyAudit, deps: Deps) -> AuditChainPart:
    """Walk a part of the chain, some hundred entries at a time, and at its end compare it with what is said of it."""
    async with deps.database.work(Context.of(request)) as work:
        stored = await audit.checkpoints_of(work)
        genuine = [each for each in stored if checkpoint_is_genuine(each, deps.keys.checkpoints)]
        walk = ChainWalk(work.organization, genuine, _after(request))
        ended = False
        while walk.entries < PART and walk.first_invalid is None:
            # Said before it is looked for: an entry that is appended meanwhile is then in the look that follows.
            said = await audit.head_of(work)
            entries = await audit.entries_after(work, walk.head)
            if not entries:
                ended = True
                break
            walk.take(entries)
    return AuditChainPart(
        entries=walk.entries,
        first_sequence=walk.first_sequence,
        head_sequence=walk.head.sequence,
        head_hash=walk.head.entry_hash,
        ended=ended,
        intact=ended and said == walk.head and len(genuine) == len(stored),
        tail_missing=ended and walk.tail_missing(said),
        checkpoints=len(genuine),
        first_invalid_id=walk.first_invalid,
    )


def _after(request: VerifyAudit) -> ChainHead | None:
    return None if request.after_hash is None else ChainHead(request.after_sequence, request.after_hash)
