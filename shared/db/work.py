"""What is one unit of work? One transaction, on whose behalf, and the messages that leave with its commit."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from opentelemetry import propagate
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Executable

from shared.db.exchange import Step
from shared.messages.audit import AuditRecorded
from shared.messages.base import AggregateEnvelope, Command, Event
from shared.messages.context import Context
from shared.messages.headers import message_headers

NOTIFY = Step("SELECT pg_notify('outbox', '')", {})
_PUT = """
INSERT INTO outbox (message_id, organization_id, aggregate, subject, headers, payload)
VALUES (%(message_id)s, %(organization_id)s, %(aggregate)s, %(subject)s, %(headers)s, %(payload)s)
"""


class Work:
    """One open transaction. Nobody commits: leaving the `async with` that gave it does, together with its messages.

    `now` is fixed for the whole work, so that all it writes carries one time.
    """

    def __init__(self, connection: AsyncConnection, context: Context, now: datetime, source: str) -> None:
        self.connection = connection
        self.context = context
        self.now = now
        self._source = source
        self._deferred: list[Step] = []
        self._said: list[Step] = []

    @property
    def organization(self) -> UUID:
        """The organization of this work. Raises LookupError in background work over all of them."""
        if self.context.organization is None:
            raise LookupError("this work belongs to no single organization")
        return self.context.organization

    def about(self, aggregate_id: UUID, aggregate_version: int) -> AggregateEnvelope:
        """The envelope of a new event or command: `ResourceStarted(**work.about(id, version), resource=…)`."""
        return self.context.about(aggregate_id, aggregate_version, self.now)

    def emit(self, *messages: Event | Command) -> None:
        """Let messages leave with the commit, in this order within one aggregate."""
        for message in messages:
            self._append(
                message.id,
                None if message.organization == "system" else UUID(str(message.organization)),
                str(message.aggregate_id),
                message.subject(),
                message_headers(message, self._source),
                message.to_bytes(),
            )

    def audit(
        self, action: str, target_id: UUID, version: int, target_name: str | None, details: dict[str, Any] | None = None
    ) -> None:
        """Let an audit entry leave with the commit. `action` is `<target type>.<verb>`; `details` hold no secret."""
        target_type = action.partition(".")[0]
        about = self.about(target_id, version)
        self.emit(
            AuditRecorded(
                **about, action=action, target_type=target_type, target_name=target_name, details=details or {}
            )
        )

    def put(self, message_id: UUID, organization: UUID, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        """Let a raw message leave with the commit: a key of a KV bucket, a schedule."""
        self._append(message_id, organization, subject, subject, {**headers, "Nats-Msg-Id": str(message_id)}, payload)

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement in this transaction."""
        return await self.connection.execute(statement, parameters)

    def defer(self, step: Step) -> None:
        """Run a statement with the commit, whose result nobody waits for: it costs no wait of its own."""
        self._deferred.append(step)

    @property
    def speaks(self) -> bool:
        """Whether messages leave with the commit."""
        return bool(self._said)

    def last_steps(self, *, notify: bool) -> list[Step]:
        """What is left to do before the commit: the deferred statements, and the messages into the outbox."""
        return [*self._deferred, *self._said, *((NOTIFY,) if notify and self._said else ())]

    def _append(
        self,
        message_id: UUID,
        organization: UUID | None,
        aggregate: str,
        subject: str,
        headers: dict[str, str],
        payload: bytes,
    ) -> None:
        propagate.inject(headers)
        values = {
            "message_id": message_id,
            "organization_id": organization,
            "aggregate": aggregate,
            "subject": subject,
            "headers": json.dumps(headers),
            "payload": payload,
        }
        self._said.append(Step(_PUT, values))


def rows(result: CursorResult[Any]) -> Sequence[dict[str, Any]]:
    """All rows as dictionaries."""
    return [dict(row) for row in result.mappings()]
