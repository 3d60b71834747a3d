"""Are operations that are accepted at once all stored, each for its own organization, or all told that they are not?"""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from services.gateway.api.accepted import AcceptedOperations
from services.gateway.storage import operations
from shared.db.engine import Database, create_engine
from shared.kit.ids import new_id
from shared.messages.operations import ListOperations, Operation, Progress, Target
from tests.fixtures.services import context, now

pytestmark = pytest.mark.anyio


def operation() -> Operation:
    return Operation(
        id=new_id(), kind="resource.provision", status="accepted", progress=Progress(stage="", completed=0, total=5),
        target=Target(type="resource", id=new_id()), created_at=now(),
    )  # fmt: skip


async def known(database: Database, whose) -> set:
    async with database.work(whose) as work:
        envelope = whose.envelope(now())
        page = await operations.page(work, ListOperations(**envelope, readable_targets=["resource"], limit=200))
    return {each.id for each in page.items}


async def test_what_is_accepted_at_once_is_stored_for_each_organization(migrated_database) -> None:
    database = Database(create_engine(migrated_database("gateway").app_url, pool_size=4), "gateway")
    accepted, ours, theirs = AcceptedOperations(database), context(), context()
    given = [(whose, operation()) for _ in range(60) for whose in (ours, theirs)]
    await asyncio.gather(*(accepted.keep(whose, each) for whose, each in given))
    for whose in (ours, theirs):
        assert await known(database, whose) == {each.id for owner, each in given if owner is whose}
    await database.close()


async def test_a_client_that_went_away_keeps_nobody_elses_operation_from_being_stored(migrated_database) -> None:
    database = Database(create_engine(migrated_database("gateway").app_url, pool_size=4), "gateway")
    accepted, ours = AcceptedOperations(database), context()
    given = [operation() for _ in range(20)]
    waiting = [asyncio.create_task(accepted.keep(ours, each)) for each in given]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[7].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert {each.id for each in given[8:]} <= await known(database, ours)
    await database.close()


async def test_everybody_who_waits_hears_that_the_database_is_away_and_the_next_one_is_stored(
    migrated_database,
) -> None:
    database = Database(create_engine("postgresql://nobody@127.0.0.1:1/nowhere"), "gateway")
    accepted, ours = AcceptedOperations(database), context()
    outcomes = await asyncio.gather(*(accepted.keep(ours, operation()) for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 5
    database.engine = create_engine(migrated_database("gateway").app_url)
    late = operation()
    await accepted.keep(ours, late)
    assert await known(database, ours) == {late.id}
    await database.close()
