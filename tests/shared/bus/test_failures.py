"""Which failures are an outage (again, for ever), which may pass (again, eight times), and which are final at once?"""

import errno
import socket
from typing import Any

import psycopg
import pytest
from nats import errors as nats_errors
from nats.js import errors as jetstream_errors
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.bus.failures import ATTEMPTS_ALLOWED, Again, Dead, describe, is_connectivity, verdict
from shared.kit.errors import Conflict, NotFound, Reject, RetryLater, Unavailable


def from_database(error: Exception, *, statement: str | None = "SELECT 1", lost: bool = False) -> DBAPIError:
    """A driver's error as SQLAlchemy raises it; without a statement it happened while connecting."""
    return DBAPIError(statement, None, error, connection_invalidated=lost)


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(int).validate_python("secret")
    return raised.value


OUTAGES: list[BaseException] = [
    from_database(psycopg.OperationalError("connection refused"), statement=None),
    from_database(psycopg.OperationalError("server closed the connection unexpectedly"), lost=True),
    from_database(psycopg.errors.AdminShutdown()),
    from_database(psycopg.errors.CannotConnectNow()),
    from_database(psycopg.errors.TooManyConnections()),
    from_database(psycopg.errors.DiskFull()),
    PoolTimeoutError(),
    psycopg.OperationalError("connection refused"),
    TimeoutError(),
    ConnectionRefusedError(),
    socket.gaierror(),
    OSError(errno.EHOSTUNREACH, "no route to host"),
    nats_errors.NoRespondersError(),
    nats_errors.ConnectionClosedError(),
    jetstream_errors.ServiceUnavailableError(),
    jetstream_errors.NoStreamResponseError(),
    Unavailable("the owner is away"),
]

PASSING: list[BaseException] = [
    from_database(psycopg.errors.QueryCanceled()),
    from_database(psycopg.errors.DeadlockDetected()),
    from_database(psycopg.errors.UniqueViolation()),
    from_database(psycopg.OperationalError("sending query failed: number of parameters must be between 0 and 65535")),
    FileNotFoundError(errno.ENOENT, "no such file"),
    nats_errors.MaxPayloadError(),
    jetstream_errors.BadRequestError(),
    RuntimeError("a defect"),
]

FINAL: list[BaseException] = [Reject("not ours"), NotFound("gone"), Conflict("taken"), invalid()]


def name(value: Any) -> str:
    return type(getattr(value, "orig", value)).__name__


@pytest.mark.parametrize("error", OUTAGES, ids=name)
def test_an_outage_is_waited_for_at_most_15_s_at_a_time_and_never_buried(error: BaseException) -> None:
    assert is_connectivity(error)
    assert [verdict(error, attempt) for attempt in (1, 2, 3, 4, 1000)] == [
        Again(1), Again(5), Again(15), Again(15), Again(15)
    ]  # fmt: skip


@pytest.mark.parametrize("error", PASSING, ids=name)
def test_what_may_pass_is_tried_eight_times(error: BaseException) -> None:
    assert not is_connectivity(error)
    delays = [verdict(error, attempt) for attempt in range(1, ATTEMPTS_ALLOWED)]
    assert delays == [Again(1), Again(5), Again(15), Again(60), Again(300), Again(300), Again(300)]
    assert verdict(error, ATTEMPTS_ALLOWED) == Dead(describe(error))


@pytest.mark.parametrize("error", FINAL, ids=name)
def test_what_no_repeat_can_help_is_buried_at_once(error: BaseException) -> None:
    assert isinstance(verdict(error, 1), Dead)


def test_a_wait_that_was_asked_for_never_ends_in_the_dead_letters() -> None:
    assert verdict(RetryLater(7, "held elsewhere"), 10_000) == Again(7)


def test_a_dead_letter_tells_the_fields_of_an_invalid_message_and_never_their_values() -> None:
    assert "secret" not in describe(invalid())
    assert "int_parsing" in describe(invalid())
