"""Routes of operations: how is the long work doing?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.caller import Caller, needs
from shared.messages.base import Page
from shared.messages.operations import GetOperation, ListOperations, Operation, OperationStatus
from shared.security.permissions import Permission

router = APIRouter(prefix="/api/operations", tags=["operations"])

Reader = Annotated[Caller, Depends(needs(Permission.OPERATIONS_READ))]


@router.get("", response_model=Page[Operation])
async def list_operations(
    caller: Reader,
    status: OperationStatus | None = None,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    target_type: Annotated[str | None, Query(max_length=100)] = None,
    target_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    sort: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Long work of all services, newest first; `sort` is `created_at`, `kind` or `status`, `-` for descending."""
    return await caller.ask(
        ListOperations, status=status, operation_kind=kind, target_type=target_type, target_id=target_id,
        limit=limit, cursor=cursor, sort=sort,
    )  # fmt: skip


@router.get("/{operation}", response_model=Operation)
async def get_operation(operation: UUID, caller: Reader) -> Response:
    """One long work; readable from the moment its 202 was answered."""
    return await caller.ask(GetOperation, operation=operation)
