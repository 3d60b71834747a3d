"""Audit: every mutation and every automated action, said by its owner, appended to a hash chain by the gateway."""

from typing import Any

from shared.messages.base import Event


class AuditRecorded(Event, entity="audit", name="recorded", owner="*"):
    """`action` is `<noun>.<verb>`; `details` never holds a secret. The target is the aggregate."""

    action: str
    target_type: str
    target_name: str | None = None
    details: dict[str, Any] = {}
