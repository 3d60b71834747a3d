"""When does a projection ask its owner for everything? When events were lost to it, and only then."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from nats.aio.msg import Msg
from sqlalchemy import select

from shared.bus.connection import Bus
from shared.bus.inventory import keep_complete, lost_since, take_snapshot
from shared.db.engine import Database
from shared.db.inventory import known_provider, known_resource
from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.providers import ListProviderInventory, Provider, ProviderAdded
from shared.messages.resources import ListInventory, Resource
from shared.messages.subjects import EVENTS_STREAM
from tests.fixtures.services import Services

pytestmark = pytest.mark.anyio

SERVICE = "recovery"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
ORGANIZATION, ACCOUNT = new_id(), new_id()


def provider(provider_id: UUID) -> Provider:
    return Provider(
        id=provider_id, organization_id=ORGANIZATION, provider_name="aws", provider_type="primary", display_name="AWS",
        regions=["us-east-1"], created_at=NOW, updated_at=NOW, version=1,
    )  # fmt: skip


def resource(status: str, version: int, resource_id: UUID) -> Resource:
    return Resource(
        id=resource_id, organization_id=ORGANIZATION, provider_id=ACCOUNT, provider_name="aws", region="us-east-1",
        resource_name="web", resource_type="compute", resource_subtype="ec2_instance", configuration={},
        resource_status=status, environment="production", project="p", created_at=NOW, updated_at=NOW, version=version,
    )  # fmt: skip


class Owner:
    """A fake provisioner: answers the two inventory requests, one item a page."""

    def __init__(self, providers: list[Provider], resources: list[Resource]) -> None:
        self.providers = providers
        self.resources = resources

    async def answer(self, services: Services) -> None:
        for request, name in ((ListProviderInventory, "providers"), (ListInventory, "resources")):
            await services.bus.client.subscribe(request.pattern(), cb=self._answers(request, name))

    def _answers(self, request: type[ListProviderInventory | ListInventory], name: str) -> Any:
        async def reply(message: Msg) -> None:
            at = int(request.from_bytes(message.data).cursor or "0")
            items = getattr(self, name)
            following = str(at + 1) if at + 1 < len(items) else None
            page = Page[Any](items=items[at : at + 1], next_cursor=following)
            await message.respond(page.model_dump_json().encode())

        return reply


@pytest.fixture
async def database(services: Services) -> Any:
    await services.prepare(SERVICE)
    doors = services.database(SERVICE)
    yield doors
    await doors.close()


async def complete(services: Services, database: Database) -> bool:
    return await lost_since(database, services.bus, SERVICE) is None


async def snapshot(services: Services, database: Database) -> None:
    lost = await lost_since(database, services.bus, SERVICE)
    assert lost is not None
    await take_snapshot(database, services.bus, lost)


async def say(services: Services, *providers: UUID) -> None:
    """What recovery listens to, and once what it does not."""
    for each in providers:
        event = ProviderAdded(
            **Context(ORGANIZATION, SYSTEM_ACTOR, new_id()).about(each, 1, NOW), provider=provider(each)
        )
        await services.publish(event)
    await services.bus.publish(f"canopy.event.{ORGANIZATION}.toy.said.v1.{new_id()}", b"{}", {})


async def read(services: Services, count: int) -> None:
    pull = await services.bus.jetstream.pull_subscribe_bind(SERVICE, EVENTS_STREAM)
    for message in await pull.fetch(count, timeout=5):
        await message.ack_sync()


async def drop_all_but_one(services: Services) -> None:
    await services.bus.jetstream.purge_stream(EVENTS_STREAM, keep=1)


async def test_the_first_start_takes_everything_page_by_page_and_is_then_complete(
    services: Services, database: Database
) -> None:
    machines = [resource("running", 3, new_id()), resource("terminated", 4, new_id()), resource("stopped", 1, new_id())]
    await Owner([provider(ACCOUNT)], machines).answer(services)
    await snapshot(services, database)
    assert await complete(services, database)
    async with database.work(Context.background()) as work:
        known = await work.execute(select(known_resource.c.id, known_resource.c.resource_status))
        assert {row.id: row.resource_status for row in known} == {each.id: each.resource_status for each in machines}


async def test_a_stream_made_anew_after_its_storage_was_lost_asks_again(services: Services, database: Database) -> None:
    machine, gone = new_id(), new_id()
    owner = Owner([provider(ACCOUNT), provider(gone)], [resource("running", 2, machine)])
    await owner.answer(services)
    await snapshot(services, database)
    owner.providers, owner.resources = [provider(ACCOUNT)], [resource("terminated", 3, machine)]
    await services.bus.jetstream.delete_stream(EVENTS_STREAM)
    await services.prepare(SERVICE)
    assert not await complete(services, database)
    await snapshot(services, database)
    assert await complete(services, database)
    async with database.work(Context.background()) as work:
        assert (await work.execute(select(known_resource.c.resource_status))).scalars().all() == ["terminated"]
        standing = await work.execute(select(known_provider.c.id, known_provider.c.status))
        assert {row.id: row.status for row in standing} == {ACCOUNT: "active", gone: "removed"}


async def test_events_that_are_dropped_after_they_were_read_lose_nothing(
    services: Services, database: Database
) -> None:
    await Owner([], []).answer(services)
    await snapshot(services, database)
    for _ in range(3):
        await say(services, new_id(), new_id())
        await read(services, 2)
        assert await complete(services, database)
        await drop_all_but_one(services)
        assert await complete(services, database)


async def test_events_that_are_dropped_unread_ask_again_though_what_was_left_is_read_since(
    services: Services, database: Database
) -> None:
    await Owner([], []).answer(services)
    await snapshot(services, database)
    await say(services, new_id(), new_id())
    await drop_all_but_one(services)
    await say(services, new_id())
    await read(services, 1)
    assert not await complete(services, database)
    await snapshot(services, database)
    assert await complete(services, database)


async def test_a_consumer_made_anew_behind_a_stream_that_has_dropped_asks_again(
    services: Services, database: Database
) -> None:
    await Owner([], []).answer(services)
    await snapshot(services, database)
    await say(services, new_id(), new_id())
    await drop_all_but_one(services)
    await services.bus.jetstream.delete_consumer(EVENTS_STREAM, SERVICE)
    await services.prepare(SERVICE)
    assert not await complete(services, database)


class Swallowing:
    """JetStream whose time limit swallows the cancellation, as `asyncio.wait_for` did before Python 3.12."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def stream_info(self, _name: str) -> Any:
        self.asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise TimeoutError from None


async def test_the_watch_ends_although_its_cancellation_was_swallowed() -> None:
    stream = Swallowing()
    bus = cast("Bus", SimpleNamespace(jetstream=stream))
    watch = asyncio.create_task(keep_complete(cast("Database", None), bus, "costs"))
    await stream.asked.wait()
    watch.cancel()
    await asyncio.wait([watch], timeout=5)
    ended = watch.done()
    watch.cancel()
    assert ended
