"""What happens to a message whose handler failed? One table: again later, or to the dead letters.

| failure                                               | verdict                                              |
|-------------------------------------------------------|------------------------------------------------------|
| Reject, a body that does not fit, a CanopyError < 500 | dead letter at once: a repeat cannot help             |
| RetryLater (a living lease, a wait)                   | again after its delay, for ever                       |
| connectivity (database, bus, sockets, time-outs)      | again after 1, 5, 15, 15 … s, for ever                |
| anything else                                         | 1, 5, 15, 60, 300 s; dead letter after ATTEMPTS_ALLOWED |
"""

from dataclasses import dataclass

import psycopg
from nats.errors import Error as NatsError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.kit.errors import CanopyError, Reject, RetryLater, Unavailable

DELAYS_S = (1.0, 5.0, 15.0, 60.0, 300.0)
ATTEMPTS_ALLOWED = 8
OUTAGE_DELAY_S = 15.0
"""An outage ends for all messages at once; who waits for five minutes then is late for no reason."""


@dataclass(frozen=True, slots=True)
class Again:
    """Deliver the message again after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Dead:
    """Write a dead letter with this reason, then acknowledge."""

    reason: str


def verdict(error: BaseException, attempt: int) -> Again | Dead:
    """Decide by the failure and by how often the message was delivered (1 at first)."""
    if isinstance(error, RetryLater):
        return Again(error.delay_s)
    if is_connectivity(error):
        return Again(min(delay_s(attempt), OUTAGE_DELAY_S))
    if isinstance(error, Reject | ValidationError) or (isinstance(error, CanopyError) and error.status < 500):
        return Dead(describe(error))
    if attempt >= ATTEMPTS_ALLOWED:
        return Dead(describe(error))
    return Again(delay_s(attempt))


def is_connectivity(error: BaseException) -> bool:
    """The other side is away; the message is not to blame."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(
        error,
        psycopg.OperationalError | PoolTimeoutError | NatsError | OSError | TimeoutError | Unavailable,
    )


def delay_s(attempt: int) -> float:
    return DELAYS_S[min(attempt, len(DELAYS_S)) - 1]


def describe(error: BaseException) -> str:
    """One line for the dead letter. A ValidationError tells its fields, never their values: they may be secret."""
    if isinstance(error, ValidationError):
        fields = ", ".join(".".join(map(str, item["loc"])) + ": " + item["type"] for item in error.errors()[:5])
        return f"invalid message: {fields}"
    return f"{type(error).__name__}: {error}"[:500]
