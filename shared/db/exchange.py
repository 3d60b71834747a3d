"""How do statements reach PostgreSQL in one message, and their results come back in one?

psycopg's own pipeline sends each statement when it is executed, then asks for results, then ends: two statements are
four messages and two waits, and each wakes the server. Here libpq's pipeline is filled first and sent once, which takes
half of the processor time on this side and a tenth to a half on the other. Without BEGIN a message is
one transaction by itself.

It stands on parts of psycopg that its documentation does not promise: docs/adr/0027-one-message-for-a-fast-read.md.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, Error, OperationalError, ProgrammingError, pq
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.generators import fetch_many, send
from psycopg.rows import TupleRow

STATEMENTS_KEPT = 50
"""On one connection at most, from one exchange to the next: those asked for last. A plan that is kept takes memory."""

_PLACE = re.compile(r"%(?:\((\w+)\)s|%)")
_IN_DOUBT = (InvalidSqlStatementName, FeatureNotSupported)
"""What a statement fails with that was discarded behind our back, or whose result has other columns by now."""


@dataclass(frozen=True, slots=True)
class Step:
    """A statement with places such as `%(id)s` and their values; a percent sign of its own is written twice.

    PostgreSQL infers the values' types from the statement. `kept`: it stays prepared on the connection; not on one that
    runs other transactions too, of which psycopg discards all that is prepared when one is rolled back.
    """

    statement: str
    parameters: Mapping[str, Any]
    kept: bool = False


@dataclass(slots=True)
class _Kept:
    """The names under which a connection knows statements, the last used one last, and those it is to forget."""

    names: dict[bytes, bytes] = field(default_factory=dict)
    given_up: list[bytes] = field(default_factory=list)
    made: int = 0

    def name_of(self, text: bytes) -> bytes | None:
        name = self.names.pop(text, None)
        if name is not None:
            self.names[text] = name
        return name

    def new_name(self) -> bytes:
        """Never one that was used before: whether it is still known there would be a guess after an error."""
        self.made += 1
        return b"read_%d" % self.made

    def give_up_all_but(self, number: int) -> None:
        """Those asked for last stay. The others are closed with the next message."""
        for text in list(self.names)[: max(0, len(self.names) - number)]:
            self.given_up.append(self.names.pop(text))


_KEPT: WeakKeyDictionary[AsyncConnection[Any], _Kept] = WeakKeyDictionary()


async def last_row(connection: AsyncConnection[TupleRow], steps: Sequence[Step]) -> TupleRow | None:
    """Run the steps in order, as one transaction that nothing else is part of; the first row of the last one.

    Raises as `first_rows`.
    """
    if connection.pgconn.transaction_status in {pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR}:
        raise ProgrammingError("the message is to be a transaction of its own, and the connection is in one")
    return (await first_rows(connection, steps))[-1]


async def first_rows(connection: AsyncConnection[TupleRow], steps: Sequence[Step]) -> list[TupleRow | None]:
    """Run the steps in order, in the transaction that the connection is in; of each its first row, or None.

    BEGIN and COMMIT may be among them. Raises psycopg.Error as the first step that fails does; later ones do not run
    then. Who is cancelled, or loses the server, leaves the connection free or closed, never with results that another
    would take for its own.
    """
    async with connection.lock:
        message = _Message(connection)
        for step in steps:
            message.add(step)
        try:
            await connection.wait(_round_trip(connection.pgconn, message.commands, message.results))
        finally:
            message.take_note()
            if connection.pgconn.pipeline_status != pq.PipelineStatus.OFF:
                connection.pgconn.finish()
        return message.answers()


@dataclass(frozen=True, slots=True)
class _Command:
    """`done`: what is so from the moment that the server has said that it did this, whatever becomes of the rest."""

    send: Callable[[], None]
    done: Callable[[], None] = lambda: None


class _Message:
    """The commands of one message, and what becomes of their results."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.commands: list[_Command] = []
        self.results: list[pq.abc.PGresult] = []
        self._steps: list[int] = []
        self._pgconn = connection.pgconn
        self._values = Transformer(connection)
        self._kept = _KEPT.setdefault(connection, _Kept())
        self._prepared: dict[bytes, bytes] = {}
        for name in self._kept.given_up:  # not by DEALLOCATE, which fails where the name is not known any more
            forgotten = partial(self._kept.given_up.remove, name)
            self.commands.append(_Command(partial(self._pgconn.send_close_prepared, name), forgotten))

    def add(self, step: Step) -> None:
        text, names = _numbered(step.statement)
        values = [self._dumped(step.parameters[name]) for name in names]
        if step.kept:
            name = self._kept.name_of(text) or self._prepared.get(text) or self._prepare(text)
            self.commands.append(_Command(partial(self._pgconn.send_query_prepared, name, values)))
        else:
            self.commands.append(_Command(partial(self._pgconn.send_query_params, text, values)))
        self._steps.append(len(self.commands) - 1)

    def take_note(self) -> None:
        """What the connection knows now; neither to prepare nor to close is undone with the transaction."""
        for command, result in zip(self.commands, self.results, strict=False):
            if result.status == pq.ExecStatus.COMMAND_OK:
                command.done()
        self._kept.give_up_all_but(0 if isinstance(self._failure(), _IN_DOUBT) else STATEMENTS_KEPT)

    def answers(self) -> list[TupleRow | None]:
        """The first row of each step. Raises psycopg.Error."""
        if failure := self._failure():
            raise failure
        if len(self.results) < len(self.commands):
            raise OperationalError("the connection was lost")
        return [self._row(self.results[place]) for place in self._steps]

    def _row(self, result: pq.abc.PGresult) -> TupleRow | None:
        if result.ntuples == 0:
            return None
        self._values.set_pgresult(result)
        return self._values.load_row(0, tuple)

    def _failure(self) -> Error | None:
        failed = (result for result in self.results if result.status == pq.ExecStatus.FATAL_ERROR)
        return next((error_from_result(result) for result in failed), None)

    def _prepare(self, text: bytes) -> bytes:
        name = self._prepared[text] = self._kept.new_name()
        known = partial(self._kept.names.__setitem__, text, name)
        self.commands.append(_Command(partial(self._pgconn.send_prepare, name, text), known))
        return name

    def _dumped(self, value: Any) -> Buffer | None:
        return None if value is None else self._values.get_dumper(value, PyFormat.TEXT).dump(value)


def _round_trip(pgconn: pq.abc.PGconn, commands: Sequence[_Command], results: list[pq.abc.PGresult]) -> PQGen[None]:
    """Fills `results` with one for each command; fewer when the connection was lost."""
    pgconn.enter_pipeline_mode()
    for command in commands:
        command.send()
    pgconn.pipeline_sync()
    yield from send(pgconn)
    while found := (yield from fetch_many(pgconn)):
        if found[-1].status == pq.ExecStatus.PIPELINE_SYNC:
            pgconn.exit_pipeline_mode()
            return
        results += found


@lru_cache(maxsize=1000)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with places `$1`, `$2`, as the protocol has them, and the parameters' names in that order."""
    names = tuple(dict.fromkeys(filter(None, _PLACE.findall(statement))))
    text = _PLACE.sub(lambda found: f"${names.index(found[1]) + 1}" if found[1] else "%", statement)
    return text.encode(), names
