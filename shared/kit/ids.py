"""How things are identified: UUIDv7 (sortable by creation time), and ids derived from other ids."""

from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

SYSTEM_ACTOR = "system:00000000-0000-0000-0000-000000000000"
"""The actor of automated actions (requirements C30: a system principal instead of a magic user)."""


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): time-ordered, so that indexes stay compact."""
    return uuid7()


def derived_id(parent: UUID, name: str) -> UUID:
    """The same id for the same parent and name, on every replica and after every crash."""
    return uuid5(parent, name)
