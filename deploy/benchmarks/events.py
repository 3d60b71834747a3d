"""How soon does another service react to a commit, and how many events does one replica take in?"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from deploy.benchmarks.deployment import Deployment, processes, profiled, running
from deploy.benchmarks.measurements import ROUNDS, Row, listed, percentile, wait_until
from deploy.benchmarks.subscriber import SERVICE
from shared.bus.connection import create_bus
from shared.db.engine import Database, create_engine
from shared.db.outbox import Relay
from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.kit.settings import BaseServiceSettings
from shared.messages.context import Context
from shared.messages.resources import ResourceStarted
from shared.messages.subjects import EVENTS_STREAM

GOAL_P99_MS = 10
GOAL_PER_S = 1500
SAMPLES = 200
GAP_S = 0.02
BACKLOG = 10_000


def measure() -> list[Row]:
    """Latency with both services' processes replaced by bare ones on their own users; intake of the real recovery."""
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), services=("gateway", "provisioner", SERVICE), without=("load",)) as deployment,
    ):
        return [_intake(deployment), _latency(deployment)]


def _intake(deployment: Deployment) -> Row:
    rates = [_drain(deployment) for _ in range(ROUNDS)]
    rate = statistics.median(rates)
    notes = [listed(rates), f"recovery's own handlers, backlog of {BACKLOG}"]
    if rate < GOAL_PER_S:
        _fill(deployment)
        notes += profiled(deployment, {SERVICE: processes(deployment)[SERVICE]}, lambda: None)
    return Row("events with inbox, batched transactions, one replica", f"{GOAL_PER_S}/s", f"{rate:.0f}/s",
               rate >= GOAL_PER_S, "; ".join(notes))  # fmt: skip


def _fill(deployment: Deployment) -> None:
    """A backlog that has waited, and the service that begins to take it in."""
    deployment.stack.kill(SERVICE)
    deployment.announce(BACKLOG)
    deployment.stack.restart(SERVICE)


def _drain(deployment: Deployment) -> float:
    """Events a second from the moment the service is ready until nothing waits."""
    _fill(deployment)
    waiting = deployment.waiting(EVENTS_STREAM, SERVICE)
    started_s = time.monotonic()
    wait_until(lambda: deployment.waiting(EVENTS_STREAM, SERVICE) == 0, 120, 0.02)
    return waiting / (time.monotonic() - started_s)


def _latency(deployment: Deployment) -> Row:
    for name in ("provisioner", SERVICE):
        deployment.stack.kill(name)
    environment = os.environ | deployment.stack.environment_of(SERVICE)
    command = [sys.executable, "-m", "deploy.benchmarks.subscriber"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as subscriber:
        assert subscriber.stdout is not None
        subscriber.stdout.readline()
        rounds = [asyncio.run(_commits(deployment)) for _ in range(ROUNDS)]
        time.sleep(1)
        subscriber.terminate()
        handled = dict(line.split() for line in subscriber.stdout.read().splitlines())
    latencies = [
        [(int(handled[str(event)]) - committed_ns) / 1e6 for event, committed_ns in commits.items()]
        for commits in rounds
    ]
    p99s = [percentile(values, 0.99) for values in latencies]
    p99, p50 = statistics.median(p99s), statistics.median(value for values in latencies for value in values)
    return Row("commit to a handler of another service, idle", f"p99 {GOAL_P99_MS} ms", f"p99 {p99:.1f} ms",
               p99 <= GOAL_P99_MS, f"{listed(p99s, 1)}; p50 {p50:.1f} ms; {SAMPLES} commits a round")  # fmt: skip


async def _commits(deployment: Deployment) -> dict[UUID, int]:
    """Commit events as the provisioner, its relay beside; the moment after each commit by event id."""
    environment = deployment.stack.environment_of("provisioner")
    settings = BaseServiceSettings(
        nats_url=environment["CANOPY_NATS_URL"],
        nats_user=environment["CANOPY_NATS_USER"],
        nats_password=environment["CANOPY_NATS_PASSWORD"],
    )
    bus = create_bus(settings, "provisioner")
    await bus.open()
    database = Database(create_engine(environment["CANOPY_DATABASE_URL"]), "provisioner")
    relay = Relay(environment["CANOPY_DATABASE_URL"], "provisioner", bus.publish)
    database.wake, database.relay_is_here = relay.wake, lambda: relay.is_leader
    task = asyncio.create_task(relay.run())
    while not relay.is_leader:  # noqa: ASYNC110 - the database gives the lead
        await asyncio.sleep(0.05)
    committed: dict[UUID, int] = {}
    context = Context(deployment.organization, SYSTEM_ACTOR, new_id())
    for number in range(SAMPLES):
        resource = deployment.resource(number)
        async with database.work(context) as work:
            event = ResourceStarted(**context.about(resource.id, 2, datetime.now(UTC)), resource=resource)
            work.emit(event)
        committed[event.id] = time.time_ns()
        await asyncio.sleep(GAP_S)
    await asyncio.sleep(0.5)
    task.cancel()
    await bus.close()
    await database.close()
    return committed
