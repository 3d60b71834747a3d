"""How are a row, or the rows of a page, read as fast as can be?

Organization and statement travel to PostgreSQL in one message (shared/db/exchange.py), which is one transaction by
itself, so that BEGIN and COMMIT need not be sent.

For the few reads that are asked hundreds of times a second; all others use shared/db/engine.py. The statement runs
as the service's own role under row level security, like any other, and PostgreSQL itself writes the JSON. To read and
plan the statement of a page takes PostgreSQL longer than to answer it: where one plan is right for whatever is asked
for, it is made once for each connection and kept.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from shared.db.exchange import Step, last_row

_ENTER = """
SELECT set_config('canopy.organization', %(organization)s, true), set_config('transaction_read_only', 'on', true),
  set_config('plan_cache_mode', %(mode)s, true)
"""
_KEPT, _ANEW = "force_generic_plan", "auto"
WAIT_S = 2.0


class Reader:
    """A small pool of connections for such reads. `open` and `close` belong to the process."""

    def __init__(self, url: str, *, pool_size: int = 4, application_name: str = "canopy reader") -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[TupleRow]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            timeout=WAIT_S,
            open=False,
            kwargs={
                "autocommit": True,
                "application_name": application_name,
                "connect_timeout": 5,
                # A plan that was made while there were few rows is still the right one when there are many. What no
                # index serves is read from end to end as ever, so a statement of that kind loses nothing by it.
                "options": "-c statement_timeout=5000 -c enable_seqscan=off",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
            },
        )

    async def open(self) -> None:
        """Begin to connect; a database that is away is waited for in the background."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    async def one(self, organization: UUID, statement: str, parameters: Mapping[str, Any]) -> TupleRow | None:
        """The first row of the statement as this organization may see it, None when there is none.

        Planned once, so for statements that one plan fits whatever the parameters are; a limit is not one of them but
        part of the text. `statement` is text of this program with places for the parameters.

        Raises psycopg.OperationalError when the database is away or no connection is free within WAIT_S.
        """
        return await self._read(organization, statement, parameters, kept=True)

    async def planned(self, organization: UUID, statement: str, parameters: Mapping[str, Any]) -> TupleRow | None:
        """As `one`, planned anew each time: which index is best depends on what is asked for, and a kept plan does not
        know it.
        """
        return await self._read(organization, statement, parameters, kept=False)

    async def _read(
        self, organization: UUID, statement: str, parameters: Mapping[str, Any], *, kept: bool
    ) -> TupleRow | None:
        entered = Step(_ENTER, {"organization": str(organization), "mode": _KEPT if kept else _ANEW}, kept=True)
        async with self._pool.connection() as connection:
            return await last_row(connection, (entered, Step(statement, parameters, kept)))
