"""Routes of the audit log: who did what, and has the log been touched?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from services.gateway.domain.rate_limits import RouteKind
from shared.messages.audit import AuditLogEntry, ListAudit, VerifyAudit
from shared.messages.base import Page
from shared.messages.texts import Line
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/audit", tags=["audit"])

Reader = Annotated[Caller, Depends(needs(Permission.AUDIT_READ))]
Verifier = Annotated[Caller, Depends(needs(Permission.AUDIT_READ, RouteKind.LONG_WORK))]


class AuditQuery(PageQuery):
    """Filters are equalities; `start` (inclusive) and `end` (exclusive) bound the time of the act.

    `sort` is `sequence` or `time`.
    """

    actor: Line | None = Field(default=None, max_length=100, description="`user:<id>`, `api_key:<id>` or the system")
    action: Line | None = Field(default=None, max_length=100, description="`<noun>.<verb>`")
    target_type: Line | None = Field(default=None, max_length=100)
    target_id: UUID | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


@router.get("", response_model=Page[AuditLogEntry])
async def list_audit(caller: Reader, query: Annotated[AuditQuery, Query()]) -> Response:
    """Newest first unless `sort` says otherwise."""
    filters = query.model_dump(exclude={"actor"})
    return await caller.ask(ListAudit, audit_actor=query.actor, **filters)


class AuditVerification(BaseModel):
    """What a walk over the whole chain found. `tail_missing`: a signed checkpoint lies behind the last entry."""

    valid: bool
    entries: int
    first_invalid_id: UUID | None
    tail_missing: bool
    checkpoints: int
    first_sequence: int


@router.get("/verify", response_model=AuditVerification)
async def verify_audit(caller: Verifier) -> Response:
    """Walk the hash chain and compare it with the signed checkpoints: some thousand entries at a time, to its end."""
    part = await caller.ask_for(VerifyAudit)
    first_sequence, entries = part.first_sequence, part.entries
    while not part.ended and part.first_invalid_id is None:
        part = await caller.ask_for(VerifyAudit, after_sequence=part.head_sequence, after_hash=part.head_hash)
        entries += part.entries
    found = AuditVerification(
        valid=part.intact and not part.tail_missing,
        entries=entries,
        first_invalid_id=part.first_invalid_id,
        tail_missing=part.tail_missing,
        checkpoints=part.checkpoints,
        first_sequence=first_sequence,
    )
    return Response(found.model_dump_json(), media_type="application/json")
