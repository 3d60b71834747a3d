"""Can somebody with the how-to and a NATS user of its own follow the events of one organization, and nothing else?

The program is the very code block of `docs/how-to/subscribe-to-events.md`.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from deploy.local.environment import ROOT
from deploy.local.stack import Stack
from shared.messages.alerts import AlertAcknowledged, AlertFired
from shared.messages.resources import ListResources
from shared.messages.subjects import ALL_EVENTS, ALL_METRICS, CREDENTIALS_BUCKET, EVENTS_STREAM, stranger_pattern
from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, Tenant
from tests.system.bus import told
from tests.system.worlds import World

pytestmark = pytest.mark.system

HOW_TO = ROOT / "docs/how-to/subscribe-to-events.md"
USER = "slack_bot"
SOMEBODY = UUID(int=1)


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("bots")
    yield tenant
    tenant.http.close()


@pytest.fixture(scope="module")
def known(deployment: Deployment, tenant: Tenant) -> dict[str, str]:
    """What `canopy grant` prints for the subscriber: CANOPY_NATS_URL and BOT_PASSWORD."""
    command = [sys.executable, "-m", "deploy.command", "grant", USER, "--organization", str(tenant.id)]
    environment = os.environ | {"CANOPY_HOME": str(deployment.embedded.home), "PYTHONPATH": str(ROOT)}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


@pytest.fixture(scope="module")
def world(deployment: Deployment, tenant: Tenant) -> World:
    return World(deployment, tenant.slug)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    blocks = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert len(blocks) == 1, "the how-to shows one complete program"
    file = tmp_path / "slack_bot.py"
    file.write_text(blocks[0])
    return file


@contextmanager
def running(program: Path, known: dict[str, str], tenant: Tenant, world: World) -> Iterator[None]:
    """The program, killed at the end like any process that dies."""
    environment = {
        "PATH": os.environ["PATH"],
        **known,
        "CANOPY_ORGANIZATION": str(tenant.id),
        "SLACK_WEBHOOK_URL": world.slack_url,
    }
    with program.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen([sys.executable, program], env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        ended = process.poll()
        process.kill()
        process.wait()
    assert ended is None, program.with_suffix(".log").read_text()


def fire(deployment: Deployment, tenant: Tenant) -> dict[str, Any]:
    """An alert of a running machine that any load fires."""
    live = Live(deployment, tenant)
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)
    condition = {"metric": "cpu_utilization", "operator": ">=", "threshold": 0}
    tenant.post("/api/cloud/monitoring/alert-rules", {"alert_name": "it breathes", "alert_conditions": condition}, 201)
    body = {
        "provider_id": provider["id"],
        "region": "us-east-1",
        "resource_name": "bot-1",
        "resource_type": "compute",
        "resource_subtype": "ec2_instance",
        "configuration": {"instance_type": "t3.micro"},
    }
    tenant.post("/api/cloud/resources", body, 202)
    alert: dict[str, Any] = live.event("alert.fired", lambda e: e["alert"]["alert_name"] == "it breathes")["alert"]
    live.close()
    return alert


def test_the_bot_of_the_how_to_posts_each_event_once_whatever_was_away_or_came_twice(
    deployment: Deployment, tenant: Tenant, known: dict[str, str], world: World, program: Path
) -> None:
    def is_about(kind: str) -> Callable[[str], bool]:
        return lambda body: f"{kind}.v1: it breathes" in body

    world.refuse(f"/slack/{world.name}", 500)
    with running(program, known, tenant, world):
        alert = fire(deployment, tenant)
        world.receives("slack", is_about("alert.fired"))
    tenant.post(f"/api/cloud/monitoring/alerts/{alert['id']}/ack")
    with running(program, known, tenant, world):
        world.receives("slack", is_about("alert.acknowledged"))
        deployment.embedded.kill("nats")
        deployment.embedded.restart("nats")
        asyncio.run(say_again(deployment.embedded, tenant, "alert.acknowledged.v1"))
        tenant.post(f"/api/cloud/monitoring/alerts/{alert['id']}/resolve", {"resolution_notes": "it may"})
        world.receives("slack", is_about("alert.resolved"))
    posted = [len(world.received("slack", is_about(f"alert.{name}"))) for name in ("fired", "acknowledged", "resolved")]
    assert posted == [1, 1, 1]


async def say_again(stack: Stack, tenant: Tenant, kind: str) -> None:
    """The event of this type once more, as its owner's relay would whose first acknowledgement was lost for minutes."""
    [event] = [event for event in await asyncio.to_thread(told, stack, tenant.id) if event["type"] == kind]
    subject = AlertAcknowledged.pattern(tenant.id).removesuffix("*") + event["aggregate_id"]
    known = stack.nats_environment("monitor")
    client = await nats.connect(
        known["CANOPY_NATS_URL"], user="monitor", password=known["CANOPY_NATS_PASSWORD"], inbox_prefix="_INBOX.monitor"
    )
    try:
        headers = {"Nats-Msg-Id": f"again:{event['id']}"}
        await client.jetstream().publish(subject, json.dumps(event).encode(), timeout=10, headers=headers)
    finally:
        await client.close()


def test_what_it_may_read_is_all_of_its_organization_and_nothing_of_others(
    deployment: Deployment, tenant: Tenant
) -> None:
    assert {event["organization"] for event in told(deployment.embedded, tenant.id)} == {str(tenant.id)}


async def _fetch_by_number(client: Client) -> None:
    await client.jetstream().get_msg(EVENTS_STREAM, 1)


async def _fetch_directly(client: Client) -> None:
    await client.jetstream().get_msg(EVENTS_STREAM, 1, direct=True)


async def _widen_the_filter(client: Client) -> None:
    config = ConsumerConfig(name=USER, durable_name=USER, filter_subject=ALL_EVENTS)
    await client.jetstream().add_consumer(EVENTS_STREAM, config)


async def _filter_another_organization(client: Client) -> None:
    config = ConsumerConfig(name=USER, durable_name=USER, filter_subject=stranger_pattern(SOMEBODY))
    await client.jetstream().add_consumer(EVENTS_STREAM, config)


async def _read_as_a_service(client: Client) -> None:
    await (await client.jetstream().pull_subscribe_bind("monitor", EVENTS_STREAM)).fetch(1)


async def _publish(client: Client) -> None:
    await client.jetstream().publish(AlertFired.pattern(SOMEBODY), b"{}")


async def _ask(client: Client) -> None:
    await client.request(ListResources.pattern(SOMEBODY), b"{}")


async def _read_credentials(client: Client) -> None:
    await client.jetstream().get_msg(f"KV_{CREDENTIALS_BUCKET}", 1)


async def _listen_to_all_events(client: Client) -> None:
    await client.subscribe(ALL_EVENTS)


async def _listen_to_all_metrics(client: Client) -> None:
    await client.subscribe(ALL_METRICS)


async def _listen_to_all_inboxes(client: Client) -> None:
    await client.subscribe("_INBOX.>")


ATTEMPTS = (
    _fetch_by_number, _fetch_directly, _widen_the_filter, _filter_another_organization, _read_as_a_service, _publish,
    _ask, _read_credentials, _listen_to_all_events, _listen_to_all_metrics, _listen_to_all_inboxes,
)  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_it_gets_no_more(known: dict[str, str], attempt: Callable[[Client], Awaitable[None]]) -> None:
    """The server names the violation; a refused JetStream call alone would look like one that timed out."""
    assert "permissions violation" in asyncio.run(_first_error(known, attempt)).lower()


async def _first_error(known: dict[str, str], attempt: Callable[[Client], Awaitable[None]]) -> str:
    """What the server says first while the stranger tries."""
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def on_error(error: Exception) -> None:
        if not said.done():
            said.set_result(str(error))

    client = await nats.connect(
        known["CANOPY_NATS_URL"],
        user=USER,
        password=known["BOT_PASSWORD"],
        inbox_prefix=f"_INBOX.{USER}",
        allow_reconnect=False,
        error_cb=on_error,
    )
    trying = asyncio.ensure_future(attempt(client))
    try:
        return await asyncio.wait_for(said, 10)
    finally:
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        await client.close()
