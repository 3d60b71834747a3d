"""Audit: every mutation and every automated action, said by its owner, appended to a hash chain by the gateway."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.messages.base import Event, Facts, ListRequest, Page, Request


class AuditRecorded(Event, entity="audit", name="recorded", owner="*"):
    """`action` is `<noun>.<verb>`; `details` never holds a secret. The target is the aggregate."""

    action: str
    target_type: str
    target_name: str | None = None
    details: dict[str, Any] = {}


class AuditLogEntry(Facts):
    """One entry in its place in the organization's chain; `entry_hash` covers it and `previous_hash`."""

    id: UUID
    sequence: int
    time: datetime
    actor: str
    action: str
    target_type: str
    target_id: UUID
    target_name: str | None = None
    details: dict[str, Any] = {}
    correlation_id: UUID
    previous_hash: str
    entry_hash: str


class AuditVerification(Facts):
    """What a walk over the chain found. `tail_missing`: a signed checkpoint lies behind the last entry."""

    valid: bool
    entries: int
    first_invalid_id: UUID | None = None
    tail_missing: bool = False
    checkpoints: int = 0
    first_sequence: int = 0


class ListAudit(ListRequest, entity="audit", name="list", owner="gateway", reply=Page[AuditLogEntry]):
    """Filters are equalities; `start` (inclusive) and `end` (exclusive) bound the time of the act."""

    audit_actor: str | None = Field(default=None, max_length=100)
    action: str | None = Field(default=None, max_length=100)
    target_type: str | None = Field(default=None, max_length=100)
    target_id: UUID | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class VerifyAudit(Request, entity="audit", name="verify", owner="gateway", reply=AuditVerification, timeout_s=10.0):
    """Walk the whole chain of the organization."""
