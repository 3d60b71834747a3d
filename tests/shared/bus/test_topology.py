"""Does the reconcile step give streams the copies that were asked for, and keep what is there? On a real cluster of three."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from deploy.local.nats import Nats
from deploy.local.ports import free_port
from deploy.local.processes import Process
from shared.bus.topology import reconcile
from shared.messages.subjects import (
    BUDGETS_STREAM,
    CREDENTIALS_STREAM,
    DEAD_STREAM,
    EVENTS_STREAM,
    METRICS_STREAM,
    command_stream,
)
from tests.fixtures.toy import toy_router

pytestmark = pytest.mark.anyio

MEMBERS = ("a", "b", "c")
NAMES = {EVENTS_STREAM, METRICS_STREAM, DEAD_STREAM, CREDENTIALS_STREAM, BUDGETS_STREAM, command_stream("costs")}
LEADER_S = 30


@pytest.fixture(scope="module")
def cluster(server_folder: Path) -> Iterator[str]:
    """The address of one member of three."""
    ports = {name: free_port() for name in MEMBERS}
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports.values())
    members = []
    for name, port in ports.items():
        folder = server_folder / f"cluster-{name}"
        folder.mkdir()
        configuration = folder / "cluster.conf"
        configuration.write_text(
            f"server_name: {name}\njetstream {{ max_mem: 64MB, max_file: 16GB }}\n"
            f'cluster {{ name: test, listen: "127.0.0.1:{port}", routes: [{routes}] }}\n'
        )
        members.append(Nats(folder, configuration=configuration))
    try:
        for member in members:
            Process.start(member)  # not its own start, which waits: one alone elects no leader
        for member in members:
            member.wait_ready()
        yield members[0].url
    finally:
        for member in members:
            member.stop()


@pytest.fixture
async def jetstream(cluster: str) -> AsyncIterator[JetStreamContext]:
    connection = await nats.connect(cluster)
    yield connection.jetstream(timeout=1)
    await connection.close()


async def copies(jetstream: JetStreamContext) -> dict[str, int]:
    """Of each stream, once its copies agree: before that it may have no leader, and nobody answers for it."""
    found: dict[str, int] = {}
    async with asyncio.timeout(LEADER_S):
        for name in NAMES:
            while name not in found:
                with suppress(NatsError, TimeoutError):
                    info = await jetstream.stream_info(name)
                    others = (info.cluster and info.cluster.replicas) or []
                    if len(others) + 1 == info.config.num_replicas and all(other.current for other in others):
                        found[name] = info.config.num_replicas
                        continue
                await asyncio.sleep(0.05)
    return found


async def test_a_redeploy_keeps_the_copies_and_another_number_is_applied_to_streams_and_bucket(
    jetstream: JetStreamContext,
) -> None:
    await reconcile(jetstream, [toy_router()], replicas=3)
    assert await copies(jetstream) == dict.fromkeys(NAMES, 3)

    await reconcile(jetstream, [toy_router()])
    assert await copies(jetstream) == dict.fromkeys(NAMES, 3)

    await reconcile(jetstream, [toy_router()], replicas=1)
    assert await copies(jetstream) == dict.fromkeys(NAMES, 1)
