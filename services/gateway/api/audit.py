"""Routes of the audit log: who did what, and has the log been touched?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.audit import AuditLogEntry, AuditVerification, ListAudit, VerifyAudit
from shared.messages.base import Page
from shared.messages.texts import Line
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/audit", tags=["audit"])

Reader = Annotated[Caller, Depends(needs(Permission.AUDIT_READ))]


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


@router.get("/verify", response_model=AuditVerification)
async def verify_audit(caller: Reader) -> Response:
    """Walk the hash chain and compare it with the signed checkpoints."""
    return await caller.ask(VerifyAudit)
