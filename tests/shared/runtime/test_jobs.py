"""A job runs once per interval however many replicas there are, and survives the one that was running it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from shared.db.engine import Database, create_engine
from shared.messages.context import Context
from shared.runtime.jobs import Jobs, Scheduler

pytestmark = pytest.mark.anyio

Ran = list[str]


@pytest.fixture
async def database(foundation_database) -> AsyncIterator[Database]:
    doors = Database(create_engine(foundation_database.app_url), "costs")
    yield doors
    await doors.close()


@asynccontextmanager
async def replica(database: Database, name: str, job: Callable[[Any], Awaitable[object]], **options: Any) -> Any:
    """A scheduler with one job, which is given the replica's name."""
    jobs = Jobs()
    jobs.add(options.pop("every_s", 3600), "costs.count", job, **options)
    running = asyncio.create_task(Scheduler(database, jobs, name, name).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def change(database: Database, statement: str) -> None:
    async with database.work(Context.background()) as work:
        await work.execute(text(statement))


async def row_of(database: Database) -> Any:
    async with database.work(Context.background()) as work:
        return (await work.execute(text("SELECT * FROM schedule"))).mappings().one_or_none()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def released(database: Database) -> bool:
    row = await row_of(database)
    return row is not None and row["finished_at"] is not None and row["lease_until"] is None


async def test_replicas_share_a_job(database: Database) -> None:
    ran: Ran = []

    async def count(name: str) -> None:
        ran.append(name)

    async with replica(database, "one", count), replica(database, "two", count):
        await until(lambda: released(database))
        await change(database, "UPDATE schedule SET next_run_at = now(), finished_at = NULL")
        await until(lambda: released(database))
    assert len(ran) == 2


async def test_a_job_whose_replica_died_is_taken_over_when_its_lease_ends(database: Database) -> None:
    ran: Ran = []

    async def count(name: str) -> None:
        ran.append(name)

    await change(
        database,
        "INSERT INTO schedule (name, next_run_at, lease_until, owner)"
        " VALUES ('costs.count', now() - interval '1 hour', now() + interval '1 hour', 'dead')",
    )
    async with replica(database, "one", count):
        await asyncio.sleep(1.5)  # long enough for several looks: the lease holds
        assert ran == []
        await change(database, "UPDATE schedule SET lease_until = now() - interval '1 second'")
        await until(lambda: released(database))
    assert ran == ["one"]


async def test_a_job_that_fails_or_takes_longer_than_its_lease_is_ended_and_runs_again_in_its_turn(
    database: Database,
) -> None:
    ran: Ran = []

    async def hang(name: str) -> None:
        ran.append(name)
        if len(ran) == 1:
            raise RuntimeError("broken")
        await asyncio.Event().wait()

    async with replica(database, "one", hang, lease_s=0.2):
        for _ in range(2):
            await until(lambda: released(database))
            await change(database, "UPDATE schedule SET next_run_at = now(), finished_at = NULL")
        await until(lambda: released(database))
    assert ran == ["one"] * 3


async def test_a_job_that_takes_long_holds_up_no_other(database: Database) -> None:
    ran: Ran = []
    jobs = Jobs()

    async def hang(_: str) -> None:
        await asyncio.Event().wait()

    async def count(name: str) -> None:
        ran.append(name)

    jobs.add(3600, "costs.hang", hang)
    jobs.add(0.1, "costs.count", count)
    running = asyncio.create_task(Scheduler(database, jobs, "one", "one").run())
    async with asyncio.timeout(20):
        while len(ran) < 3:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_service_without_jobs_asks_nothing(database: Database) -> None:
    await Scheduler(database, Jobs(), "one", "one").run()
