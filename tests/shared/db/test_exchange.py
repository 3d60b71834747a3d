"""An exchange is one transaction in one message: what is set is gone after it, and no answer is ever another's.

Whatever fails, the connection is free or closed, and knows exactly the statements that PostgreSQL knows there.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, errors, pq
from psycopg.rows import TupleRow

from shared.db.exchange import _KEPT, STATEMENTS_KEPT, Step, first_rows, last_row
from shared.db.reads import Reader
from shared.kit.ids import new_id
from tests.fixtures.servers import DatabaseFactory

pytestmark = pytest.mark.anyio

ENTER = "SELECT set_config('canopy.organization', %(organization)s, true)"
WHERE = "SELECT current_setting('canopy.organization', true)"
SLEEP = "SELECT 'woken', pg_sleep(60)"
Connection = AsyncConnection[TupleRow]


@pytest.fixture
def url(fresh_database: DatabaseFactory) -> str:
    return fresh_database("provisioner").app_url


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Connection]:
    async with await AsyncConnection.connect(url, autocommit=True) as opened:
        yield opened


async def ask(connection: Connection, *statements: str, kept: bool = True, **values: Any) -> TupleRow | None:
    return await last_row(connection, [Step(statement, values, kept) for statement in statements])


async def plainly(connection: Connection, statement: str) -> list[TupleRow]:
    """Not by an exchange, and nothing of it stays prepared."""
    return await (await connection.execute(statement.encode(), prepare=False)).fetchall()


async def assert_free_and_agreed(connection: Connection) -> None:
    """No result is outstanding, no transaction is open, and both sides have prepared the same."""
    assert connection.pgconn.pipeline_status == pq.PipelineStatus.OFF
    assert connection.info.transaction_status is pq.TransactionStatus.IDLE
    kept = _KEPT[connection]
    there = {name for (name,) in await plainly(connection, "SELECT name FROM pg_prepared_statements")}
    assert there == {name.decode() for name in (*kept.names.values(), *kept.given_up)}
    assert await ask(connection, "SELECT 'mine', %(n)s::int", n=7) == ("mine", 7)


async def test_a_transaction_may_begin_and_end_in_messages_that_ask_more(connection: Connection) -> None:
    """Each step has its own answer; what fails takes the transaction with it, COMMIT or not."""
    begin, commit, own = Step("BEGIN", {}), Step("COMMIT", {}), Step(WHERE, {})
    begun = await first_rows(
        connection, [begin, Step(ENTER, {"organization": "mine"}), own, Step("SELECT 1 WHERE false", {})]
    )
    assert begun == [None, ("mine",), ("mine",), None]
    assert await first_rows(connection, [own, commit, own]) == [("mine",), None, ("",)]
    await first_rows(connection, [begin, Step("CREATE TEMPORARY TABLE lost ()", {})])
    with pytest.raises(errors.DivisionByZero):
        await first_rows(connection, [Step("SELECT 1/0", {}), commit])
    assert connection.info.transaction_status is pq.TransactionStatus.INERROR
    await connection.rollback()
    assert await ask(connection, "SELECT to_regclass('lost')") == (None,)
    await assert_free_and_agreed(connection)


async def test_values_are_what_was_given_and_places_only_what_is_one(connection: Connection) -> None:
    awkward = "50 % (%(a)s) $1 %% ' \\ ü"
    for statement, values, expected in (
        ("SELECT %(a)s::text, %(b)s::int, %(a)s::text", {"b": 2, "a": awkward}, (awkward, 2, awkward)),
        ("SELECT %(a)s::text IS NULL, 5 %% 3, '%%(a)s'", {"a": None}, (True, 2, "%(a)s")),
        ("SELECT %(a)s::int[], %(b)s::uuid", {"a": [1, 2], "b": (some := new_id())}, ([1, 2], some)),
        ("SELECT 1 WHERE %(a)s::boolean", {"a": False}, None),
        ("SELECT NULL::int", {}, (None,)),
    ):
        for kept in (True, True, False):
            assert await ask(connection, statement, kept=kept, **values) == expected, statement
    with pytest.raises(psycopg.DataError):
        await ask(connection, "SELECT 1", "SELECT %(a)s::text", a="\x00")
    with pytest.raises(KeyError):
        await ask(connection, "SELECT 2", "SELECT %(b)s::text")
    await assert_free_and_agreed(connection)


async def test_what_is_set_is_gone_with_its_exchange_also_when_that_failed(connection: Connection) -> None:
    await connection.execute(b"CREATE TEMPORARY TABLE written (n int)")
    one = str(new_id())
    for kept in (True, False):
        for failing in ("SELECT 1 / %(zero)s::int", "SELECT nothing", "NO SQL"):
            assert await ask(connection, ENTER, WHERE, kept=kept, organization=one) == (one,)
            assert (await plainly(connection, WHERE))[0][0] in {None, ""}
            with pytest.raises((errors.DivisionByZero, errors.UndefinedColumn, errors.SyntaxError)):
                steps = (ENTER, "INSERT INTO written VALUES (1)", failing, "SELECT 'not run'")
                await ask(connection, *steps, kept=kept, organization=one, zero=0)
            assert (await ask(connection, WHERE, kept=kept) or (one,))[0] in {None, ""}
            await assert_free_and_agreed(connection)
    assert await plainly(connection, "SELECT n FROM written") == []


async def test_a_kept_plan_shows_each_organization_its_own_rows(connection: Connection) -> None:
    rule = "(SELECT nullif(current_setting('canopy.organization', true), '')::uuid)"
    for statement in (
        "CREATE TEMPORARY TABLE guarded (organization_id uuid)",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY organization ON guarded USING (organization_id = {rule})",
    ):
        await connection.execute(statement.encode())
    organizations = [str(new_id()), str(new_id())]
    for each in organizations:
        await ask(connection, ENTER, "INSERT INTO guarded VALUES (%(organization)s)", organization=each)
    seen = "SELECT array_agg(organization_id::text) FROM guarded"
    generic = "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"
    for each in (*organizations, *organizations):
        assert await ask(connection, generic, ENTER, seen, organization=each) == ([each],)
        assert await ask(connection, generic, seen) == (None,)


async def test_a_connection_keeps_a_number_of_statements_and_forgets_no_more_than_it_must(
    connection: Connection,
) -> None:
    async def there() -> set[str]:
        found = await plainly(connection, "SELECT statement FROM pg_prepared_statements")
        return {statement for (statement,) in found}

    statements = [f"SELECT {number}" for number in range(STATEMENTS_KEPT + 3)]
    for number, statement in enumerate(statements):
        assert await ask(connection, statements[0], statement) == (number,)
    assert await there() == {statements[0], *statements[3:]}  # one of them goes with the next message
    with pytest.raises(errors.DivisionByZero):
        await ask(connection, "SELECT 1 / 0", statements[1])
    await assert_free_and_agreed(connection)
    assert await ask(connection, "SELECT 'twice'", "SELECT 'twice'") == ("twice",)
    await assert_free_and_agreed(connection)
    assert await ask(connection, *statements, *statements) == (STATEMENTS_KEPT + 2,)
    assert await ask(connection, statements[-1]) == (STATEMENTS_KEPT + 2,)
    assert len(await there()) == STATEMENTS_KEPT
    await assert_free_and_agreed(connection)


async def test_statements_that_were_discarded_or_give_other_columns_are_prepared_again(connection: Connection) -> None:
    assert await ask(connection, "SELECT 1", "SELECT 2") == (2,)
    await connection.execute(b"DISCARD ALL")
    with pytest.raises(errors.InvalidSqlStatementName):
        await ask(connection, "SELECT 1")
    assert await ask(connection, "SELECT 1", "SELECT 2") == (2,)
    await assert_free_and_agreed(connection)

    await connection.execute(b"CREATE TEMPORARY TABLE changing AS SELECT 1 AS n")
    assert await ask(connection, "SELECT n FROM changing") == (1,)
    await connection.execute(b"ALTER TABLE changing ADD COLUMN m int")
    assert await ask(connection, "SELECT n FROM changing") == (1,)
    await connection.execute(b"ALTER TABLE changing ALTER n TYPE text")
    with pytest.raises(errors.FeatureNotSupported):
        await ask(connection, "SELECT n FROM changing")
    assert await ask(connection, "SELECT n FROM changing") == ("1",)
    await assert_free_and_agreed(connection)


async def test_who_is_cancelled_leaves_a_connection_free_or_closed(url: str, connection: Connection) -> None:
    for statements in ([SLEEP], ["SELECT 1", SLEEP, "SELECT 3"]):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await ask(connection, *statements)
        await assert_free_and_agreed(connection)

    reader = Reader(url, pool_size=1)
    await reader.open()
    organization = new_id()
    assert await reader.one(organization, "SELECT 'mine'", {}) == ("mine",)
    for times in (1, 2):  # the second comes while the server is being told of the first
        reading = asyncio.create_task(reader.planned(organization, SLEEP, {}))
        await until_asleep(connection)
        for _ in range(times):
            reading.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await reader.one(organization, "SELECT 'mine'", {}) == ("mine",)
    await reader.close()


async def until_asleep(connection: Connection) -> int:
    """The process of the one that sleeps."""
    while True:
        asleep = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        if found := await plainly(connection, asleep):
            return int(found[0][0])
        await asyncio.sleep(0.005)


async def test_a_server_that_goes_away_is_an_error_and_no_answer(url: str, connection: Connection) -> None:
    gone = "SELECT pg_terminate_backend(%(pid)s, 10000)"
    for is_busy in (True, False):
        async with await AsyncConnection.connect(url, autocommit=True) as other:
            asked = asyncio.create_task(ask(other, "SELECT 1", SLEEP if is_busy else "SELECT 2"))
            if is_busy:
                assert await ask(connection, gone, pid=await until_asleep(connection)) == (True,)
            else:
                assert await asked == (2,)
                assert await ask(connection, gone, pid=other.info.backend_pid) == (True,)
                asked = asyncio.create_task(ask(other, "SELECT 2"))
            with pytest.raises(psycopg.OperationalError):
                await asked
            assert other.closed
            with pytest.raises(psycopg.OperationalError):
                await ask(other, "SELECT 2")


async def test_limits_of_the_connection_hold(url: str, connection: Connection) -> None:
    async with await AsyncConnection.connect(url, autocommit=True, options="-c statement_timeout=20") as hasty:
        for kept in (True, False):
            with pytest.raises(errors.QueryCanceled):
                await ask(hasty, "SELECT 1", SLEEP, kept=kept)
    await connection.execute(b"SET default_transaction_read_only = on")
    for kept in (True, False):
        with pytest.raises(errors.ReadOnlySqlTransaction):
            await ask(connection, "CREATE TABLE made (n int)", kept=kept)
    await assert_free_and_agreed(connection)


async def test_an_exchange_is_part_of_nothing_else(connection: Connection) -> None:
    both = await asyncio.gather(*(ask(connection, "SELECT %(n)s::int", n=number) for number in range(3)))
    assert both == [(0,), (1,), (2,)]
    async with connection.transaction():
        with pytest.raises(psycopg.ProgrammingError):
            await ask(connection, ENTER, organization="another's")
        assert (await plainly(connection, WHERE))[0][0] in {None, ""}
