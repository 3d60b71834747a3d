"""Events are applied once, in batches, and a bad one does not hold up the rest."""

import asyncio

import pytest

from shared.bus.dead import DeadLetter, dead_letters, replay
from shared.messages.headers import message_headers
from tests.fixtures.services import Services, context, now
from tests.fixtures.toy import NoteWritten, organization_rows

pytestmark = pytest.mark.anyio


def note(words: str, caller=None) -> NoteWritten:
    caller = caller or context()
    return NoteWritten(**caller.about(caller.correlation_id, 1, now()), words=words)


async def heard(toy, count: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(toy.deps.heard) < count:
            await asyncio.sleep(0.01)
    return [event.words for event in toy.deps.heard]


async def letters(services: Services, count: int) -> list[DeadLetter]:
    async with asyncio.timeout(20):
        while True:
            found = [letter async for letter in dead_letters(services.bus.jetstream)]
            if len(found) >= count:
                return found


async def test_events_of_before_the_start_and_after_are_applied(toys, services: Services) -> None:
    await services.publish(note("before"))
    async with toys() as toy:
        await services.publish(note("after"))
        assert await heard(toy, 2) == ["before", "after"]


async def test_a_repeated_event_is_applied_once(toys, services: Services, foundation_database) -> None:
    event = note("twice")
    async with toys() as toy:
        for attempt in range(3):
            headers = message_headers(event, "test") | {"Nats-Msg-Id": f"attempt {attempt}"}
            await services.bus.publish(event.subject(), event.to_bytes(), headers)
        await services.publish(note("last"))
        await heard(toy, 2)
    rows = organization_rows(foundation_database, "SELECT words FROM note ORDER BY id")
    assert [row.words for row in rows] == ["twice", "last"]


async def test_a_poison_event_is_buried_and_the_rest_goes_on(toys, services: Services, foundation_database) -> None:
    await services.publish(*(note(words) for words in ("one", "poison", "two")))
    async with toys() as toy:
        (letter,) = await letters(services, 1)
        await heard(toy, 2)
    assert letter.service == "costs"
    assert letter.reason == "Reject: poison"
    rows = organization_rows(foundation_database, "SELECT words FROM note ORDER BY id")
    assert [row.words for row in rows] == ["one", "two"]


async def test_an_unreadable_event_is_buried_without_its_values(toys, services: Services) -> None:
    event = note("x")
    async with toys() as toy:
        await services.bus.publish(event.subject(), b'{"words": ["hunter2"]}', {"Nats-Msg-Id": "bad"})
        await services.publish(note("good"))
        await heard(toy, 1)
        (letter,) = await letters(services, 1)
    assert "invalid message" in letter.reason
    assert "hunter2" not in letter.reason


async def test_an_event_that_speaks_for_another_organization_is_buried(toys, services: Services) -> None:
    event = note("x")
    async with toys():
        await services.bus.publish(note("y").subject(), event.to_bytes(), {"Nats-Msg-Id": "forged"})
        (letter,) = await letters(services, 1)
    assert "organization" in letter.reason


async def test_a_replayed_dead_letter_reaches_the_one_who_failed(toys, services: Services) -> None:
    event = note("late")
    forged = note("other").subject()
    async with toys() as toy:
        await services.bus.publish(forged, event.to_bytes(), {"Nats-Msg-Id": "forged"})
        (letter,) = await letters(services, 1)
        await replay(services.bus.jetstream, letter)
        assert await heard(toy, 1) == ["late"]
        assert [item async for item in dead_letters(services.bus.jetstream)] == []


async def test_two_replicas_share_the_events_and_apply_each_once(toys, services: Services, foundation_database) -> None:
    async with toys() as one, toys() as two:
        await services.publish(*(note(f"note {number}") for number in range(300)))
        async with asyncio.timeout(20):
            while len(one.deps.heard) + len(two.deps.heard) < 300:
                await asyncio.sleep(0.02)
    rows = organization_rows(foundation_database, "SELECT words FROM note")
    assert sorted(row.words for row in rows) == sorted(f"note {number}" for number in range(300))
