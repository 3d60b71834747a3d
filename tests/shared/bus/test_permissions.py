"""Each NATS user may do its own work and nothing else, on a real server with the generated users."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import nats
import pytest
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import ConsumerConfig
from pydantic import SecretStr

from deploy.local.nats import Nats
from shared.bus.budgets import BudgetLedger
from shared.bus.connection import create_bus
from shared.bus.permissions import User, operator_user, render, service_user, stranger_user, topology_user
from shared.bus.router import Router
from shared.bus.topology import reconcile
from shared.clouds.budget.limiter import budget_key
from shared.kit.ids import new_id
from shared.kit.settings import BaseServiceSettings
from shared.messages.subjects import EVENTS_STREAM, budget_subject, stranger_pattern
from tests.fixtures.services import context, now
from tests.fixtures.toy import NoteWritten, ReadNote, toy_router

pytestmark = pytest.mark.anyio

MINE, YOURS = new_id(), new_id()


def users() -> list[User]:
    named = [
        service_user(toy_router()),
        *map(service_user, map(Router, ("gateway", "recovery"))),
        topology_user(),
        operator_user(),
    ]
    with_passwords = [User(user.name, user.publish, user.subscribe, user.answers, "secret") for user in named]
    return [*with_passwords, stranger_user("slack_bot", MINE, "secret")]


@pytest.fixture(scope="module")
def guarded(server_folder: Path) -> Nats:
    folder = server_folder / "permissions"
    folder.mkdir()
    configuration = folder / "users.conf"
    configuration.write_text(f"jetstream {{ max_mem: 64MB, max_file: 16GB }}\nauthorization {{ {render(users())} }}\n")
    server = Nats(folder, configuration=configuration)
    server.start()
    yield server
    server.stop()


async def connect(server: Nats, user: str) -> Client:
    return await nats.connect(
        server.url, user=user, password="secret", inbox_prefix=f"_INBOX.{user}", allow_reconnect=False
    )


@pytest.fixture
async def costs(guarded: Nats) -> AsyncIterator[Client]:
    """The toy's user, on a server whose topology stands."""
    deployer = await connect(guarded, "topology")
    await reconcile(deployer.jetstream(), [toy_router()])
    await deployer.close()
    client = await connect(guarded, "costs")
    yield client
    await client.close()


def event_of(organization: UUID) -> NoteWritten:
    caller = context(organization)
    return NoteWritten(**caller.about(new_id(), 1, now()), words="hello")


async def test_a_service_may_say_its_own_events(costs: Client) -> None:
    event = event_of(MINE)
    acknowledged = await costs.jetstream().publish(event.subject(), event.to_bytes(), timeout=2)
    assert acknowledged.stream == EVENTS_STREAM


async def test_a_service_may_not_say_the_events_of_another(costs: Client) -> None:
    with pytest.raises(NatsTimeoutError):
        await costs.jetstream().publish(f"canopy.event.{MINE}.provider.added.v1.{MINE}", b"{}", timeout=0.5)


async def test_who_calls_clouds_shares_the_budgets_of_their_apis_and_nobody_else(costs: Client, guarded: Nats) -> None:
    settings = BaseServiceSettings(nats_url=guarded.url, nats_user="recovery", nats_password=SecretStr("secret"))
    bus = create_bus(settings, "recovery")
    await bus.open()
    ledger, key, heard = BudgetLedger(bus), budget_key("aws", "1", "", "calls"), asyncio.Queue[bytes]()
    await ledger.follow(key, heard.put_nowait)
    await bus.flush()
    await ledger.write(key, b"mine", 0)
    assert (await ledger.read(key))[0] == b"mine"
    assert await heard.get() == b"mine"
    await bus.close()
    with pytest.raises(NatsTimeoutError):
        await costs.jetstream().publish(budget_subject(key), b"yours", timeout=0.3)


async def test_a_service_may_not_change_the_topology(costs: Client) -> None:
    with pytest.raises((NatsTimeoutError, TimeoutError)):
        await costs.jetstream(timeout=0.5).delete_stream(EVENTS_STREAM)
    with pytest.raises((NatsTimeoutError, TimeoutError)):
        await costs.jetstream(timeout=0.5).add_consumer(
            EVENTS_STREAM, ConsumerConfig(name="wider", durable_name="wider")
        )


async def test_a_service_may_not_read_the_requests_of_another(guarded: Nats, costs: Client) -> None:
    heard = []

    async def hear(message) -> None:
        heard.append(message)

    await costs.subscribe("canopy.request.*.provider.create.v1", cb=hear)
    other = await connect(guarded, "topology")
    await other.publish("canopy.request.x.provider.create.v1", b"password")
    await other.flush()
    await costs.flush()
    await other.close()
    assert heard == []


async def test_the_owner_may_answer_its_requests(guarded: Nats, costs: Client) -> None:
    async def answer(message) -> None:
        await message.respond(b"answered")

    await costs.subscribe(ReadNote.pattern(), cb=answer)
    await costs.flush()
    asker = await connect(guarded, "gateway")
    reply = await asker.request(ReadNote.pattern(MINE), b"{}", timeout=2)
    await asker.close()
    assert reply.data == b"answered"


async def test_a_stranger_reads_its_own_organization_only(guarded: Nats, costs: Client) -> None:
    for organization in (YOURS, MINE):
        event = event_of(organization)
        await costs.jetstream().publish(event.subject(), event.to_bytes(), timeout=2)
    stranger = await connect(guarded, "slack_bot")
    jetstream = stranger.jetstream(timeout=1)
    mine = stranger_pattern(MINE)
    config = ConsumerConfig(name="slack_bot", durable_name="slack_bot", filter_subject=mine)
    await jetstream.add_consumer(EVENTS_STREAM, config)
    pull = await jetstream.pull_subscribe_bind("slack_bot", EVENTS_STREAM)
    for message in await pull.fetch(100, timeout=2):
        assert json.loads(message.data)["organization"] == str(MINE)
        await message.ack_sync()
    await stranger.close()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda js: js.add_consumer(EVENTS_STREAM, ConsumerConfig(name="slack_bot", durable_name="slack_bot")),
        lambda js: js.add_consumer(
            EVENTS_STREAM, ConsumerConfig(name="slack_bot", durable_name="slack_bot", filter_subject="canopy.event.>")
        ),
        lambda js: js.add_consumer(
            EVENTS_STREAM,
            ConsumerConfig(name="slack_bot", durable_name="slack_bot", filter_subject=stranger_pattern(YOURS)),
        ),
        lambda js: js.add_consumer(
            EVENTS_STREAM, ConsumerConfig(name="costs", durable_name="costs", filter_subject=stranger_pattern(MINE))
        ),
        lambda js: js.get_msg(EVENTS_STREAM, 1),
        lambda js: js.stream_info(EVENTS_STREAM),
        lambda js: js.publish(event_of(MINE).subject(), b"{}", timeout=0.5),
    ],
    ids=["unfiltered", "all organizations", "another's", "a service's durable", "message get", "info", "publish"],
)
async def test_a_stranger_gets_no_more(guarded: Nats, costs: Client, attempt) -> None:
    stranger = await connect(guarded, "slack_bot")
    with pytest.raises((NatsTimeoutError, TimeoutError)):
        await attempt(stranger.jetstream(timeout=0.5))
    await stranger.close()


async def test_a_stranger_cannot_smuggle_a_wider_filter_past_its_subject(guarded: Nats, costs: Client) -> None:
    """The create subject names the filter; the server compares it with the body."""
    stranger = await connect(guarded, "slack_bot")
    subject = f"$JS.API.CONSUMER.CREATE.{EVENTS_STREAM}.slack_bot.{stranger_pattern(MINE)}"
    for wider in ("canopy.event.>", stranger_pattern(YOURS)):
        body = {"stream_name": EVENTS_STREAM, "config": {"durable_name": "slack_bot", "filter_subject": wider,
                "ack_policy": "explicit"}}  # fmt: skip
        answer = json.loads((await stranger.request(subject, json.dumps(body).encode(), timeout=1)).data)
        assert "error" in answer, answer
    bodies = {"stream_name": EVENTS_STREAM, "config": {"durable_name": "slack_bot", "ack_policy": "explicit",
              "filter_subjects": [stranger_pattern(MINE), stranger_pattern(YOURS)]}}  # fmt: skip
    answer = json.loads((await stranger.request(subject, json.dumps(bodies).encode(), timeout=1)).data)
    assert "error" in answer, answer
    await stranger.close()


async def test_a_stranger_cannot_have_others_events_delivered_to_its_inbox(guarded: Nats, costs: Client) -> None:
    """A push consumer with another deliver subject, or a plain subscription, brings nothing."""
    stranger = await connect(guarded, "slack_bot")
    heard = []

    async def hear(message) -> None:
        heard.append(message.subject)

    await stranger.subscribe("canopy.event.>", cb=hear)
    await stranger.subscribe(stranger_pattern(YOURS), cb=hear)
    event = event_of(YOURS)
    await costs.jetstream().publish(event.subject(), event.to_bytes(), timeout=2)
    await stranger.flush()
    await stranger.close()
    assert heard == []
