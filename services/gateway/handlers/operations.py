"""What is asked and heard about operations?"""

from services.gateway.deps import Deps
from services.gateway.storage import operations
from shared.bus.router import Routes
from shared.db.work import Work
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.operations import (
    GetOperation,
    ListOperations,
    Operation,
    OperationAccepted,
    OperationEvent,
    OperationFailed,
    OperationProgressed,
    OperationSucceeded,
)

routes = Routes()


@routes.request(GetOperation)
async def get_operation(request: GetOperation, deps: Deps) -> Operation:
    async with deps.database.work(Context.of(request)) as work:
        return await operations.get(work, request)


@routes.request(ListOperations)
async def list_operations(request: ListOperations, deps: Deps) -> Page[Operation]:
    async with deps.database.work(Context.of(request)) as work:
        return await operations.page(work, request)


@routes.event(OperationAccepted, OperationProgressed, OperationSucceeded, OperationFailed)
async def on_operation_changed(event: OperationEvent, work: Work, deps: Deps) -> None:  # noqa: ARG001
    await operations.keep(work, event.operation, event.aggregate_version)
