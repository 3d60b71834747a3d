"""Does a message that nobody can read, on any subject that a user of the bus may publish, end where it should?

Requests are answered with a problem, events, commands and metrics end in the dead letters, and everybody lives on. The
subjects are those of all declared messages: a new message is covered without a line here.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
import nats
import pytest
from nats.aio.client import Client

from deploy.local.stack import PROGRAMS, Stack
from shared.bus.dead import DeadLetter, dead_letters
from shared.bus.replies import STATUS
from shared.bus.settle import ATTEMPTS_HEADER
from shared.bus.topology import consumers_of, load_router, present_services
from shared.messages.base import Message, Request
from shared.messages.resources import ResourceStarted
from shared.messages.subjects import (
    credentials_subject,
    dead_subject,
    metrics_subject,
    replay_subject,
    timer_subject,
)
from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, Tenant

pytestmark = [pytest.mark.system, pytest.mark.anyio]

MALFORMED = {
    "empty": b"",
    "no JSON": b"\xff\xfe{",
    "another shape": b"[1, 2, 3]",
    "another type": b'{"id": 7, "organization": "x"}',
    "nested too deeply": b"[" * 50_000,
    "large": b'{"id": "' + b"x" * 900_000 + b'"}',
}


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("noise")
    yield tenant
    tenant.http.close()


@pytest.fixture(scope="module", autouse=True)
def listener(deployment: Deployment, tenant: Tenant) -> Iterator[Live]:
    """A socket that is open while all the noise is made."""
    live = Live(deployment, tenant)
    yield live
    live.close()


@asynccontextmanager
async def user(stack: Stack, name: str) -> AsyncIterator[Client]:
    """A connection with the rights of this user of the bus."""
    known = stack.nats_environment(name)
    client = await nats.connect(
        known["CANOPY_NATS_URL"], user=name, password=known["CANOPY_NATS_PASSWORD"], inbox_prefix=f"_INBOX.{name}"
    )
    try:
        yield client
    finally:
        await client.close()


def sender_of(cls: type[Message]) -> str:
    """A user that may publish this message."""
    return "provisioner" if cls.owner == "*" else cls.owner


def subject_of(cls: type[Message], organization: UUID) -> str:
    """A concrete subject of the class."""
    return cls.pattern(organization).removesuffix(".*") + ("" if issubclass(cls, Request) else f".{uuid4()}")


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_request_is_answered_with_a_problem(
    deployment: Deployment, tenant: Tenant, kind: str
) -> None:
    requests = [cls for service in present_services() for cls in load_router(service).requests]
    assert len(requests) > 50
    async with (
        user(deployment.embedded, "gateway") as gateway,
        user(deployment.embedded, "operator") as operator,
        user(deployment.embedded, "monitor") as monitor,
    ):
        asking = {"gateway": gateway, "operator": operator, "monitor": monitor}
        for cls in requests:
            asker = next(asking[name] for name in cls.askers if name in asking)
            reply = await asker.request(subject_of(cls, tenant.id), MALFORMED[kind], timeout=30)
            assert (reply.headers or {}).get(STATUS) == "422", f"{cls.__name__}: {reply.data[:300]!r}"
            problem = json.loads(reply.data)
            assert problem["status"] == 422
            assert b"Traceback" not in reply.data


def heard_by() -> dict[type[Message], list[str]]:
    """Who handles each event and command."""
    found: dict[type[Message], list[str]] = {}
    for service in present_services():
        router = load_router(service)
        for cls in (*router.events, *router.commands, *router.programs):
            found.setdefault(cls, []).append(service)
    return found


async def test_malformed_events_commands_and_metrics_end_in_the_dead_letters_of_those_who_hear_them(
    deployment: Deployment, tenant: Tenant
) -> None:
    stack = deployment.embedded
    expected: set[tuple[str, str]] = set()
    for index, (cls, services) in enumerate(heard_by().items()):
        subject = subject_of(cls, tenant.id)
        body = list(MALFORMED.values())[index % len(MALFORMED)]
        async with user(stack, sender_of(cls)) as sender:
            await sender.jetstream().publish(subject, body, timeout=10)
        expected |= {(service, subject) for service in services}
    points = metrics_subject(tenant.id, uuid4(), "us-east-1")
    async with user(stack, "monitor") as sender:
        for body in MALFORMED.values():
            await sender.jetstream().publish(points, body, timeout=10)
    expected.add(("monitor", points))
    assert len(expected) > 50
    async with user(stack, "operator") as operator, asyncio.timeout(60):
        while missing := expected - {(letter.service, letter.subject) for letter in await _letters(operator)}:
            assert missing  # each look takes as long as the stream's own answer
        letters = [letter for letter in await _letters(operator) if str(tenant.id) in letter.subject]
    assert all(letter.reason for letter in letters)


async def test_malformed_replays_timers_and_dead_letters_hurt_nobody(deployment: Deployment, tenant: Tenant) -> None:
    stack = deployment.embedded
    expected: set[tuple[str, str]] = set()
    async with user(stack, "operator") as operator:
        for service in PROGRAMS:
            for index, cls in enumerate(cls for cls, services in heard_by().items() if service in services):
                subject = subject_of(cls, tenant.id)
                body = list(MALFORMED.values())[index % len(MALFORMED)]
                await operator.jetstream().publish(replay_subject(service, subject), body, timeout=10)
                expected.add((service, subject))
            async with user(stack, service) as own:
                for body in MALFORMED.values():
                    await own.jetstream().publish(timer_subject(service, uuid4()), body, timeout=10)
                    dead = subject_of(ResourceStarted, tenant.id)
                    await own.jetstream().publish(
                        dead_subject(service, dead), body, timeout=10, headers={ATTEMPTS_HEADER: "many"}
                    )
                    expected.add((service, dead))
        async with asyncio.timeout(60):
            while missing := expected - {(letter.service, letter.subject) for letter in await _letters(operator)}:
                assert missing


async def test_garbage_for_credentials_stops_that_account_and_nothing_else(
    deployment: Deployment, tenant: Tenant
) -> None:
    account = deployment.embedded.accounts[0]
    credentials = {"access_key_id": account.access_key_id, "secret_access_key": account.secret_access_key}
    body = deployment.provider_body(display_name="garbled", credentials_config=credentials)
    garbled = tenant.post("/api/cloud/providers", body, 201)["id"]
    async with user(deployment.embedded, "provisioner") as provisioner:
        for garbage in MALFORMED.values():
            subject = credentials_subject(tenant.id, UUID(garbled))
            await provisioner.jetstream().publish(subject, garbage, timeout=10)
    machine = {"provider_id": garbled, "region": "us-east-1", "resource_name": "seen-by-nobody",
               "resource_type": "compute", "resource_subtype": "ec2_instance",
               "configuration": {"instance_type": "t3.micro"}}  # fmt: skip
    live = Live(deployment, tenant)
    live.finished(tenant.post("/api/cloud/resources", machine, 202)["operation"])
    live.close()


async def _letters(operator: Client) -> list[DeadLetter]:
    return [letter async for letter in dead_letters(operator.jetstream())]


async def test_everybody_lives_on_and_works_and_a_socket_heard_no_noise(
    deployment: Deployment, tenant: Tenant, listener: Live
) -> None:
    stack = deployment.embedded
    for program in PROGRAMS:
        assert httpx.get(f"{stack.url_of(program)}/readyz", timeout=30).status_code == 200, program
    created = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)
    assert tenant.get(f"/api/cloud/providers/{created['id']}")["health_status"] == "healthy"
    listener.event("provider.added", lambda event: event["aggregate_id"] == created["id"])
    assert listener.organizations() == {tenant.id}


def test_every_subject_of_a_consumer_belongs_to_a_message_that_was_sent_here() -> None:
    """What the two tests above send is all that anybody consumes."""
    known = {cls.pattern() for cls in heard_by()}
    for service in present_services():
        for consumer in consumers_of(load_router(service)):
            for pattern in consumer.config.filter_subjects or [consumer.config.filter_subject or ""]:
                kind = pattern.split(".")[1]
                assert kind in {"metrics", "replay", "timer", "dead"} or pattern in known, pattern
