"""What happens to a message whose handler failed? One table: again later, or to the dead letters.

| failure                                               | verdict                                              |
|-------------------------------------------------------|------------------------------------------------------|
| Reject, a body that does not fit, a CanopyError < 500 | dead letter at once: a repeat cannot help             |
| RetryLater (a living lease, a wait)                   | again after its delay, for ever                       |
| connectivity (database, bus, sockets, time-outs)      | again after 1, 5, 15, 15 … s, for ever                |
| anything else                                         | 1, 5, 15, 60, 300 s; dead letter after ATTEMPTS_ALLOWED |
"""

import errno
import socket
from dataclasses import dataclass

import psycopg
from nats import errors as nats_errors
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NoStreamResponseError, ServerError, ServiceUnavailableError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.kit.errors import CanopyError, Reject, RetryLater, Unavailable

DELAYS_S = (1.0, 5.0, 15.0, 60.0, 300.0)
ATTEMPTS_ALLOWED = 8
OUTAGE_DELAY_S = 15.0
"""An outage ends for all messages at once; who waits for five minutes then is late for no reason."""

_OUTAGE_STATES = ("08", "53", "57P", "25006")
"""SQLSTATE: connection exceptions, no resources (disk, memory, connections), shutting down or starting, a replica that
is read-only after a failover. Not 57014: a statement that takes too long may be the message's own fault."""

_OUTAGES = (
    PoolTimeoutError,
    TimeoutError,
    ConnectionError,
    socket.gaierror,
    Unavailable,
    nats_errors.TimeoutError,
    nats_errors.ConnectionClosedError,
    nats_errors.ConnectionDrainingError,
    nats_errors.ConnectionReconnectingError,
    nats_errors.DrainTimeoutError,
    nats_errors.FlushTimeoutError,
    nats_errors.NoRespondersError,
    nats_errors.NoServersError,
    nats_errors.OutboundBufferLimitError,
    nats_errors.StaleConnectionError,
    nats_errors.UnexpectedEOF,
)
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EMFILE, errno.ENFILE}


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
        return error.connection_invalidated or _is_outage(error.orig, sent=error.statement is not None)
    if isinstance(error, psycopg.Error):
        return _is_outage(error, sent=False)
    if isinstance(error, JetStreamError):
        return isinstance(error, ServerError | ServiceUnavailableError | NoStreamResponseError)
    if isinstance(error, _OUTAGES):
        return True
    return isinstance(error, OSError) and error.errno in _UNREACHABLE


def _is_outage(error: BaseException | None, *, sent: bool) -> bool:
    """What PostgreSQL says of itself. Without a code: no connection was had, unless it refused a statement (`sent`)."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    code = error.sqlstate
    return not sent if code is None else code.startswith(_OUTAGE_STATES)


def delay_s(attempt: int) -> float:
    return DELAYS_S[min(attempt, len(DELAYS_S)) - 1]


def describe(error: BaseException) -> str:
    """One line for the dead letter. A ValidationError tells its fields, never their values: they may be secret."""
    if isinstance(error, ValidationError):
        fields = ", ".join(".".join(map(str, item["loc"])) + ": " + item["type"] for item in error.errors()[:5])
        return f"invalid message: {fields}"
    return f"{type(error).__name__}: {error}"[:500]
