"""Is a key one acceptance, and does what is remembered of it give no secret away?"""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import update

from shared.db.engine import Database, create_engine
from shared.db.idempotency import KEPT, Replayed, body_hash
from shared.db.tables import idempotency
from shared.kit.errors import Conflict, InvalidInput
from shared.kit.ids import new_id
from shared.messages.users import CreateUser
from tests.fixtures.services import context, mutation
from tests.fixtures.toy import Note, WriteNote

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def database(foundation_database):
    database = Database(create_engine(foundation_database.app_url), "costs")
    yield database
    await database.close()


def note(words: str = "hello", **envelope) -> WriteNote:
    return WriteNote(**{**mutation(context()), **envelope}, words=words)


async def accept(database: Database, request: WriteNote) -> None:
    async with database.accept(request) as acceptance:
        acceptance.answer(Note(words=request.words))


async def test_two_at_once_with_one_key_are_one_and_the_other_is_told_to_wait(database: Database) -> None:
    request, begun, may_end = note(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.accept(request) as acceptance:
            begun.set()
            await may_end.wait()
            acceptance.answer(Note(words=request.words))

    first = asyncio.create_task(slow())
    await begun.wait()
    with pytest.raises(Conflict) as refused:
        await accept(database, request)
    assert (refused.value.code, refused.value.retry_after_s) == ("in_flight", 1)
    may_end.set()
    await first
    with pytest.raises(Replayed):
        await accept(database, request)


async def test_a_key_counts_for_a_day_and_then_anew(database: Database) -> None:
    request = note()
    await accept(database, request)
    other = request.model_copy(update={"words": "another body"})
    with pytest.raises(InvalidInput, match="another body"):
        await accept(database, other)
    async with database.work(context(request.organization)) as work:
        past = work.now - KEPT - timedelta(seconds=1)
        await work.execute(update(idempotency).values(created_at=past))
    await accept(database, other)
    with pytest.raises(Replayed):
        await accept(database, other)


async def test_the_hash_of_a_secret_body_is_salted_and_slow_and_still_tells_bodies_apart() -> None:
    def user(**changes) -> CreateUser:
        given = {"email": "e@acme.test", "display_name": "E", "role_of_user": "viewer", "password": PASSWORD}
        return CreateUser(**{**envelope, **given, **changes})

    envelope = mutation(context())
    made = await body_hash(user())
    assert made == await body_hash(user())
    assert made != await body_hash(user(password="another horse battery staple"))
    assert made != await body_hash(user(idempotency_key="another"))
    plain = user().model_dump_json(
        exclude={"id", "time", "correlation_id", "causation_id", "type", "idempotency_key", "role"}
    )
    assert made != hashlib.sha256(plain.encode()).hexdigest()


async def test_a_body_without_a_secret_is_hashed_at_once() -> None:
    request = note()
    repeat = request.model_copy(update={"idempotency_key": "another", "id": new_id()})
    assert await body_hash(request) == await body_hash(repeat)
