"""Operations: long work that was accepted, as its owner tells it. The gateway keeps what it shows."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Event, Facts, ListRequest, Page, Request

OperationStatus = Literal["accepted", "running", "succeeded", "failed", "cancelled"]


class Progress(Facts):
    """`stage` is the step at work; `completed` of `total` steps are done."""

    stage: str | None = None
    completed: int = 0
    total: int = 0


class Target(Facts):
    """The thing an operation works on: `resource`, `plan`, …"""

    type: str
    id: UUID


class Operation(Facts):
    """One long work. `status`: accepted, running, succeeded, failed or cancelled; `error` as in problem+json."""

    id: UUID
    kind: str
    status: str
    progress: Progress
    target: Target
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    created_at: datetime
    finished_at: datetime | None = None


class GetOperation(Request, entity="operation", name="get", owner="gateway", reply=Operation):
    """404 for an operation that the caller neither began nor may follow by `readable_targets` (types of targets)."""

    operation: UUID
    readable_targets: list[str]


class ListOperations(ListRequest, entity="operation", name="list", owner="gateway", reply=Page[Operation]):
    """Of those that the caller may follow. Filters are equalities; newest first unless sorted otherwise."""

    readable_targets: list[str]
    status: OperationStatus | None = None
    operation_kind: str | None = Field(default=None, max_length=100)
    target_type: str | None = Field(default=None, max_length=100)
    target_id: UUID | None = None


class OperationEvent(Event):
    """The whole operation, so that a reader needs nothing else."""

    operation: Operation


class OperationAccepted(OperationEvent, entity="operation", name="accepted", owner="*"):
    pass


class OperationProgressed(OperationEvent, entity="operation", name="progressed", owner="*"):
    pass


class OperationSucceeded(OperationEvent, entity="operation", name="succeeded", owner="*"):
    pass


class OperationFailed(OperationEvent, entity="operation", name="failed", owner="*"):
    pass
