"""Every request gets an answer, and every error its own."""

import pytest

from shared.kit.errors import CanopyError, Conflict, InvalidInput, Unavailable
from shared.kit.ids import new_id
from tests.fixtures.services import Services, context, mutation, now
from tests.fixtures.toy import NoteWritten, ReadNote, WriteNote

pytestmark = pytest.mark.anyio


async def test_a_request_is_answered_with_its_reply_and_version(toys, services: Services) -> None:
    async with toys():
        reply = await services.ask_raw(ReadNote(**context().envelope(now()), words="hello"))
    assert reply.status == 200
    assert reply.headers["Canopy-Version"] == "7"
    assert b'"hello"' in reply.body


async def test_an_expected_error_comes_back_as_itself(toys, services: Services) -> None:
    async with toys():
        with pytest.raises(Conflict) as caught:
            await services.ask(ReadNote(**context().envelope(now()), words="locked"))
    assert caught.value.code == "locked"


async def test_an_unexpected_error_is_answered_without_its_details(toys, services: Services) -> None:
    async with toys():
        reply = await services.ask_raw(ReadNote(**context().envelope(now()), words="bug"))
    assert reply.status == 500
    assert b"secret detail" not in reply.body


async def test_a_body_that_does_not_fit_is_answered_with_pointers(toys, services: Services) -> None:
    request = ReadNote(**context().envelope(now()), words="x")
    async with toys():
        message = await services.bus.client.request(request.subject(), b'{"words": 3}', timeout=2)
    assert message.headers["Canopy-Status"] == "422"
    assert b'"/words"' in message.data


async def test_a_request_may_not_speak_for_another_organization(toys, services: Services) -> None:
    request = ReadNote(**context().envelope(now()), words="x")
    async with toys():
        message = await services.bus.client.request(ReadNote.pattern(new_id()), request.to_bytes(), timeout=2)
    assert message.headers["Canopy-Status"] == "422"


async def test_an_owner_who_is_away_is_said_to_be_away(services: Services) -> None:
    with pytest.raises(Unavailable):
        await services.ask(ReadNote(**context().envelope(now()), words="x"))


async def test_a_repeated_mutation_gets_the_first_answer_and_has_one_effect(toys, services: Services) -> None:
    caller = context()
    async with toys():
        first = await services.ask(WriteNote(**mutation(caller, "k"), words="once"))
        again = await services.ask(WriteNote(**mutation(caller, "k"), words="once"))
        other = await services.ask(WriteNote(**mutation(caller, "k2"), words="twice"))
        await services.event(NoteWritten, lambda event: event.words == "twice")
    assert first == again != other
    assert [event.words for event in services.events if isinstance(event, NoteWritten)] == ["once", "twice"]


async def test_a_key_with_another_body_is_refused(toys, services: Services) -> None:
    caller = context()
    async with toys():
        await services.ask(WriteNote(**mutation(caller, "k"), words="once"))
        with pytest.raises(InvalidInput) as caught:
            await services.ask(WriteNote(**mutation(caller, "k"), words="other"))
    assert caught.value.code == "idempotency_key_reused"


async def test_a_secret_is_answered_once(toys, services: Services) -> None:
    caller = context()
    async with toys():
        await services.ask(WriteNote(**mutation(caller, "k"), words="secret"))
        with pytest.raises(Conflict) as caught:
            await services.ask(WriteNote(**mutation(caller, "k"), words="secret"))
    assert caught.value.code == "already_created"


async def test_two_principals_may_use_the_same_key(toys, services: Services) -> None:
    async with toys():
        one = await services.ask(WriteNote(**mutation(context(), "k"), words="mine"))
        two = await services.ask(WriteNote(**mutation(context(), "k"), words="yours"))
    assert (one.words, two.words) == ("mine", "yours")


def test_the_error_tree_has_one_code_for_each_class() -> None:
    classes = CanopyError.__subclasses__()
    assert len({cls.code for cls in classes}) == len(classes)
