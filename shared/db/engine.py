"""How does a service reach its database? One engine, and `work`: a transaction on somebody's behalf."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.db.idempotency import Acceptance
from shared.db.migrate import driver_url
from shared.db.tenancy import enter_background, enter_organization
from shared.db.work import Work
from shared.kit.clock import Clock, SystemClock
from shared.messages.base import Mutation
from shared.messages.context import Context


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
        async with self.engine.connect() as connection:
            async with connection.begin():
                await self._enter(connection, context.organization)
                work = Work(connection, context, self.clock.now(), self.service)
                yield work
                sent = await work.flush(notify=not self.relay_is_here())
            if sent:
                self.wake()

    @asynccontextmanager
    async def accept(self, request: Mutation) -> AsyncIterator[Acceptance]:
        """The work of one mutation: gives what `work` gives and remembers the reply for repeats of the key.

        Raises Replayed (answered with the first reply), Conflict (in flight, or a secret was answered), InvalidInput
        (same key, other body).
        """
        async with self.work(Context.of(request)) as work:
            acceptance = Acceptance(work, request)
            await acceptance.claim()
            yield acceptance
            await acceptance.remember()

    async def check(self, request: Mutation) -> None:
        """For mutations that ask a cloud before their transaction: raise what `accept` would raise, store nothing."""
        async with self.work(Context.of(request)) as work:
            await Acceptance(work, request).claim()

    async def is_reachable(self) -> bool:
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - readiness turns every failure into an answer
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()

    async def _enter(self, connection: AsyncConnection, organization: UUID | None) -> None:
        if organization is None:
            await enter_background(connection, self.service)
        else:
            await enter_organization(connection, organization)
