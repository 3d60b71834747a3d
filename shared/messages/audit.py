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


class AuditChainPart(Facts):
    """What a walk over some thousand entries of the chain found, and how far it came (`head_…`).

    `ended`: nothing is behind it. `intact` counts with `ended` only: the chain stands where it is said to, all of its
    checkpoints are genuine. `tail_missing`: it is said to go on, or a signed checkpoint lies behind its last entry.
    """

    entries: int
    first_sequence: int
    head_sequence: int
    head_hash: str
    ended: bool
    intact: bool
    tail_missing: bool
    checkpoints: int
    first_invalid_id: UUID | None = None


class ListAudit(ListRequest, entity="audit", name="list", owner="gateway", reply=Page[AuditLogEntry]):
    """Filters are equalities; `start` (inclusive) and `end` (exclusive) bound the time of the act."""

    audit_actor: str | None = Field(default=None, max_length=100)
    action: str | None = Field(default=None, max_length=100)
    target_type: str | None = Field(default=None, max_length=100)
    target_id: UUID | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class VerifyAudit(Request, entity="audit", name="verify", owner="gateway", reply=AuditChainPart, timeout_s=10.0):
    """Walk on behind an entry that was walked before; 0 and null: from the beginning of what is kept."""

    after_sequence: int = Field(default=0, ge=0)
    after_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
