"""Does a service that starts before everything else wait for each thing it needs, and say what is missing?"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.environment import base_environment
from deploy.local.nats import Nats
from deploy.local.ports import free_port
from deploy.local.postgres import Postgres
from deploy.local.processes import Process
from shared.bus.topology import TopologySettings, apply
from shared.db.migrate import upgrade
from tests.system.worlds import eventually

pytestmark = pytest.mark.system

SERVICE = "costs"
OWNER, APP = "owner-password", "app-password"


@pytest.fixture
def nats(server_folder: Path) -> Iterator[Nats]:
    server = Nats(server_folder / "late-nats")
    yield server
    server.stop()


@pytest.fixture
def postgres(server_folder: Path) -> Iterator[Postgres]:
    server = Postgres(server_folder / "late-postgres", fsync=False)
    yield server
    server.stop()
    server.remove()


@pytest.fixture
def service(server_folder: Path, nats: Nats, postgres: Postgres) -> Iterator[Process]:
    """One service, whose servers have addresses and do not run."""
    port = free_port()
    environment = base_environment() | {
        "CANOPY_NATS_URL": nats.url,
        "CANOPY_DATABASE_URL": postgres.url(SERVICE, f"{SERVICE}_app", APP),
        "CANOPY_HTTP_PORT": str(port),
    }
    command = [sys.executable, "-m", f"services.{SERVICE}"]
    ready_url = f"http://127.0.0.1:{port}/readyz"
    started = Process(SERVICE, command, server_folder / "late.log", environment=environment, ready_url=ready_url)
    started.start()
    yield started
    started.stop()


def missing(service: Process) -> tuple[int, set[str]]:
    """The status of `/readyz` and what it names; no process, no answer."""
    answer = httpx.get(str(service.ready_url), timeout=10, trust_env=False)
    return answer.status_code, set(answer.json()["missing"])


def test_a_service_that_starts_first_waits_for_each_thing_and_names_what_is_missing(
    service: Process, nats: Nats, postgres: Postgres
) -> None:
    def waits_for(*names: str) -> bool:
        return missing(service) == (503, set(names))

    live_url = str(service.ready_url).replace("readyz", "healthz")
    eventually(lambda: service.alive and _answers(live_url))
    assert waits_for("nats", "database", "migrations", "topology", "started")

    postgres.start()
    postgres.prepare_database(SERVICE, OWNER, APP)
    eventually(lambda: waits_for("nats", "migrations", "topology", "started"))

    upgrade(SERVICE, postgres.url(SERVICE, f"{SERVICE}_owner", OWNER))
    eventually(lambda: waits_for("nats", "topology", "started"))

    nats.start()
    eventually(lambda: waits_for("topology", "started"))

    asyncio.run(apply(TopologySettings(nats_url=nats.url), [SERVICE]))
    eventually(lambda: missing(service) == (200, set()))
    assert service.alive


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10, trust_env=False).is_success
    except httpx.TransportError:
        return False
