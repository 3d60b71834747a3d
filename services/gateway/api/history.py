"""What did reads of the account find changed at a resource? Answered by the provisioner."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from shared.messages.base import Page
from shared.messages.history import HistoryEntry, ListHistory
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/cloud", tags=["history"])

Reader = Annotated[Caller, Depends(needs(Permission.RESOURCES_READ))]


@router.get("/resources/{resource}/history", response_model=Page[HistoryEntry])
async def list_history(resource: UUID, caller: Reader, query: Annotated[PageQuery, Query()]) -> Response:
    """The newest first unless `sort` (`observed_at`) says otherwise; each with what was before and what is since."""
    return await caller.ask(ListHistory, resource=resource, **query.model_dump())
