"""How does a service reach its database? One engine, and `work`: a transaction on somebody's behalf."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.db.exchange import Step, first_rows
from shared.db.idempotency import Acceptance, questions
from shared.db.revisions import driver_url
from shared.db.tenancy import background_entry, organization_entry
from shared.db.work import Work
from shared.kit.clock import Clock, SystemClock
from shared.messages.base import Mutation
from shared.messages.context import Context

BEGIN, COMMIT = Step("BEGIN", {}), Step("COMMIT", {})


def create_engine(url: str, *, pool_size: int = 10, application_name: str = "canopy") -> AsyncEngine:
    """An engine on psycopg 3. Statements end after 15 s: no transaction of ours may take longer.

    No connection beyond the pool: under a burst each would be opened and closed again, and a login costs PostgreSQL and
    us ten times what a transaction does (profiled).
    """
    return create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=60000",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    )


class Database:
    """The database of one service. `wake` is called after each commit that put messages into the outbox."""

    def __init__(self, engine: AsyncEngine, service: str, clock: Clock | None = None) -> None:
        self.engine = engine
        self.service = service
        self.clock = clock or SystemClock()
        self.wake: Callable[[], None] = lambda: None
        self.relay_is_here: Callable[[], bool] = lambda: False

    @asynccontextmanager
    async def work(self, context: Context) -> AsyncIterator[Work]:
        """One transaction: commits at exit with its outbox rows, rolls back on any exception.

        A context with an organization sees that organization's rows only; one without sees all (system role).
        """
        async with self._transaction(context) as (work, _):
            yield work

    @asynccontextmanager
    async def accept(self, request: Mutation) -> AsyncIterator[Acceptance]:
        """The work of one mutation: gives what `work` gives and remembers the reply for repeats of the key.

        Raises Replayed (answered with the first reply), Conflict (in flight, or a secret was answered), InvalidInput
        (same key, other body).
        """
        async with self._claimed(request) as acceptance:
            yield acceptance
            await acceptance.remember()

    async def check(self, request: Mutation) -> None:
        """For mutations that ask a cloud before their transaction: raise what `accept` would raise, store nothing."""
        async with self._claimed(request):
            pass

    @asynccontextmanager
    async def _claimed(self, request: Mutation) -> AsyncIterator[Acceptance]:
        context = Context.of(request)
        if context.organization is None:
            raise LookupError("a mutation belongs to an organization")
        async with self._transaction(context, questions(request, context.organization)) as (work, (lock, known)):
            acceptance = Acceptance(work, request)
            await acceptance.claim(lock, known)
            yield acceptance

    @asynccontextmanager
    async def _transaction(
        self, context: Context, asked: Sequence[Step] = ()
    ) -> AsyncIterator[tuple[Work, list[TupleRow | None]]]:
        """A transaction and the answers to what is asked at its begin, in the message that begins it.

        The last statements go in the message that commits: each wait less is a tenth of what a mutation costs here.
        """
        async with self.engine.connect() as connection:
            async with connection.begin():
                _, _, *answers = await _first_rows(connection, [BEGIN, self._entry(context.organization), *asked])
                work = Work(connection, context, self.clock.now(), self.service)
                yield work, answers
                if last := work.last_steps(notify=not self.relay_is_here()):
                    await _first_rows(connection, [*last, COMMIT])
            if work.speaks:
                self.wake()

    def _entry(self, organization: UUID | None) -> Step:
        return background_entry(self.service) if organization is None else organization_entry(organization)

    async def is_reachable(self) -> bool:
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - readiness turns every failure into an answer
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()


async def _first_rows(connection: AsyncConnection, steps: Sequence[Step]) -> list[TupleRow | None]:
    """Several steps in one message, on SQLAlchemy's connection and past it. Raises psycopg.Error.

    A lost server becomes SQLAlchemy's own OperationalError, and its pool new, when the transaction is rolled back.
    """
    driver = cast("psycopg.AsyncConnection[TupleRow]", (await connection.get_raw_connection()).driver_connection)
    return await first_rows(driver, steps)
