"""Routes of operations: how is the long work doing?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from services.gateway.api.pages import PageQuery
from services.gateway.domain.operations import readable_targets
from shared.messages.base import Page
from shared.messages.operations import GetOperation, ListOperations, Operation, OperationStatus
from shared.messages.texts import Line
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/operations", tags=["operations"])

Reader = Annotated[Caller, Depends(needs(Permission.OPERATIONS_READ))]


class OperationQuery(PageQuery):
    """Filters are equalities; `sort` is `created_at`, `kind` or `status`."""

    status: OperationStatus | None = None
    kind: Line | None = Field(default=None, max_length=100)
    target_type: Line | None = Field(default=None, max_length=100)
    target_id: UUID | None = None


@router.get("", response_model=Page[Operation])
async def list_operations(caller: Reader, query: Annotated[OperationQuery, Query()]) -> Response:
    """Long work of all services, newest first: what the caller began, and what is done to things that it may read.

    A long `result` is told without its lists here, and whole by the operation itself.
    """
    filters = query.model_dump(exclude={"kind"})
    readable = sorted(readable_targets(caller.principal))
    return await caller.ask(ListOperations, operation_kind=query.kind, readable_targets=readable, **filters)


@router.get("/{operation}", response_model=Operation)
async def get_operation(operation: UUID, caller: Reader) -> Response:
    """One long work; readable from the moment its 202 was answered."""
    readable = sorted(readable_targets(caller.principal))
    return await caller.ask(GetOperation, operation=operation, readable_targets=readable)
