"""A unit of work commits its messages with its rows, and sees one organization only."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from shared.db.engine import Database, create_engine
from shared.kit.ids import new_id
from shared.messages.context import Context
from tests.fixtures.services import Services, context
from tests.fixtures.toy import NoteWritten, organization_rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(foundation_database):
    database = Database(create_engine(foundation_database.app_url), "costs")
    yield database
    await database.close()


async def write(database: Database, caller: Context, words: str) -> None:
    async with database.work(caller) as work:
        work.emit(NoteWritten(**work.about(new_id(), 1), words=words))


async def test_a_failed_work_leaves_no_message(database: Database, foundation_database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.work(context()) as work:
            work.emit(NoteWritten(**work.about(new_id(), 1), words="never"))
            raise ZeroDivisionError
    assert organization_rows(foundation_database, "SELECT * FROM outbox") == []


async def test_one_organization_does_not_see_the_others_rows(database: Database) -> None:
    mine, yours = context(), context()
    await write(database, mine, "mine")
    await write(database, yours, "yours")
    async with database.work(mine) as work:
        rows = list(await work.execute(text("SELECT organization_id FROM outbox")))
    assert [row.organization_id for row in rows] == [mine.organization]


async def test_one_organization_cannot_write_rows_of_another(database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with database.work(context()) as work:
            work.context = context()
            work.emit(NoteWritten(**work.about(new_id(), 1), words="forged"))


async def test_without_an_organization_nothing_is_seen(database: Database) -> None:
    await write(database, context(), "words")
    async with database.engine.connect() as connection:
        assert list(await connection.execute(text("SELECT * FROM outbox"))) == []


async def test_the_organization_does_not_leak_through_the_pool(database: Database) -> None:
    await write(database, context(), "words")
    for _ in range(3):
        async with database.engine.connect() as connection:
            setting = await connection.execute(text("SELECT current_setting('canopy.organization', true)"))
            assert not setting.scalar()


async def test_background_work_sees_all_organizations(database: Database) -> None:
    for _ in range(2):
        await write(database, context(), "words")
    async with database.work(Context.background()) as work:
        assert len(list(await work.execute(text("SELECT * FROM outbox")))) == 2


async def test_after_an_outage_one_work_fails_and_the_next_connects_anew(
    database: Database, foundation_database
) -> None:
    """All connections of the pool went with the server; only the first to notice is told so."""
    both_are_in = asyncio.Barrier(2)

    async def meet() -> None:
        async with database.work(context()):
            await both_are_in.wait()

    await asyncio.gather(meet(), meet())
    async with await psycopg.AsyncConnection.connect(foundation_database.app_url, autocommit=True) as other:
        ended = await other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        assert await ended.fetchall() == [(True,), (True,)]
    with pytest.raises(OperationalError):
        await write(database, context(), "lost")
    await write(database, context(), "kept")


async def test_messages_of_one_aggregate_are_published_in_order(toys, services: Services) -> None:
    caller, aggregate = context(), new_id()
    async with toys() as toy:
        for version in range(20):
            async with toy.deps.database.work(caller) as work:
                work.emit(NoteWritten(**work.about(aggregate, version), words=str(version)))
        said = await services.events_of(NoteWritten, 20)
    assert [event.aggregate_version for event in said] == list(range(20))


async def test_a_second_relay_takes_over(toys, services: Services) -> None:
    async with toys() as one, toys() as two:
        async with asyncio.timeout(10):
            while not (one.relay.is_leader or two.relay.is_leader):
                await asyncio.sleep(0.02)
        leader, other = (one, two) if one.relay.is_leader else (two, one)
        leader.kill()
        await write(other.deps.database, context(), "taken over")
        await services.event(NoteWritten, lambda event: event.words == "taken over")


async def test_a_message_that_cannot_be_published_holds_back_only_its_own_aggregate(toys, services: Services) -> None:
    caller = context()
    async with toys() as toy:
        async with toy.deps.database.work(caller) as work:
            work.put(new_id(), work.organization, "nowhere.at.all", b"{}", {})
            work.emit(NoteWritten(**work.about(new_id(), 1), words="goes on"))
        await services.event(NoteWritten, lambda event: event.words == "goes on")
