"""On whose behalf does something happen? The part of an envelope that passes from message to message."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.messages.base import SYSTEM, AggregateEnvelope, Message, MessageEnvelope, Organization


@dataclass(frozen=True, slots=True)
class Context:
    """Organization (None: background work over all of them), actor, and the chain of causes."""

    organization: UUID | None
    actor: str
    correlation_id: UUID
    causation_id: UUID | None = None

    @classmethod
    def background(cls) -> "Context":
        """Automated work that concerns all organizations: a sweep, a roll-up."""
        return cls(None, SYSTEM_ACTOR, new_id())

    @classmethod
    def automatic(cls, organization: UUID) -> "Context":
        """Automated work inside one organization."""
        return cls(organization, SYSTEM_ACTOR, new_id())

    @classmethod
    def of(cls, message: Message) -> "Context":
        """What a message causes: same organization, actor and correlation; the message is the cause."""
        organization = None if message.organization == SYSTEM else UUID(str(message.organization))
        return cls(organization, message.actor, message.correlation_id, message.id)

    def within(self, organization: UUID) -> "Context":
        return replace(self, organization=organization)

    def envelope(self, now: datetime) -> MessageEnvelope:
        """A fresh message envelope, for a request."""
        organization: Organization = SYSTEM if self.organization is None else self.organization
        return {
            "id": new_id(),
            "time": now,
            "organization": organization,
            "actor": self.actor,
            "correlation_id": self.correlation_id,
            "causation_id": self.causation_id,
        }

    def about(self, aggregate_id: UUID, aggregate_version: int, now: datetime) -> AggregateEnvelope:
        """A fresh envelope of an event or a command about one aggregate."""
        return {**self.envelope(now), "aggregate_id": aggregate_id, "aggregate_version": aggregate_version}
