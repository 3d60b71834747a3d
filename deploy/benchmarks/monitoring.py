"""How many samples does one monitor store, and how soon does Slack know of a crossing?"""

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from deploy.benchmarks.deployment import Deployment, running
from deploy.benchmarks.measurements import ROUNDS, Row, listed, percentile, wait_until
from shared.bus.connection import Bus
from shared.kit.ids import new_id
from shared.messages.metrics import ENCODER, MetricBatch, Sample
from shared.messages.subjects import metrics_subject

GOAL_PER_S, GOAL_P99_MS = 20_000, 500
RESOURCES, POINTS, SAMPLES_A_MESSAGE = 1000, 100, 250
ALERTS = 40
REGION = "us-east-1"


def measure() -> list[Row]:
    """Batches as the sweep publishes them, on a monitor that knows the resources; default rules on."""
    with (
        tempfile.TemporaryDirectory() as home,
        running(
            Path(home), services=("gateway", "provisioner", "monitor", "notifier"), without=("load",)
        ) as deployment,
    ):
        resources = deployment.announce(RESOURCES)
        wait_until(lambda: deployment.count("monitor", "SELECT count(*) FROM known_resource") >= RESOURCES, 60)
        return [_storage(deployment, resources), _alerting(deployment)]


def _storage(deployment: Deployment, resources: list[UUID]) -> Row:
    rates, stored = [], 0
    for number in range(ROUNDS):
        since = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=POINTS * (ROUNDS - number + 1))
        times = [since + timedelta(seconds=second) for second in range(POINTS)]
        samples = [_sample(resource, at) for at in times for resource in resources]
        chunks = range(0, len(samples), SAMPLES_A_MESSAGE)
        batches = [_batch(deployment, samples[start : start + SAMPLES_A_MESSAGE]) for start in chunks]
        started_s = time.monotonic()
        deployment.bus("monitor", partial(_publish, batches=batches))
        stored += len(samples)
        wait_until(partial(_have_stored, deployment, stored), 120)
        rates.append(len(samples) / (time.monotonic() - started_s))
    rate = statistics.median(rates)
    return Row("metric samples (8 values) stored", f"{GOAL_PER_S}/s", f"{rate:.0f}/s",
               rate >= GOAL_PER_S, f"{listed(rates)}; one monitor, {RESOURCES * POINTS} samples a round")  # fmt: skip


def _alerting(deployment: Deployment) -> Row:
    channel = {"channel_type": "slack", "name": "bench", "config": {"webhook_url": f"{_sinks(deployment)}/slack/bench"}}
    deployment.http.post("/api/notification-channels", json=channel).raise_for_status()
    rounds = [_latencies(deployment) for _ in range(ROUNDS)]
    p99s = [percentile(values, 0.99) for values in rounds]
    p99, p50 = statistics.median(p99s), statistics.median(value for values in rounds for value in values)
    return Row("threshold crossed to Slack told", f"p99 {GOAL_P99_MS} ms", f"p99 {p99:.0f} ms",
               p99 <= GOAL_P99_MS, f"{listed(p99s)}; p50 {p50:.0f} ms; {ALERTS} alerts a round")  # fmt: skip


def _latencies(deployment: Deployment) -> list[float]:
    """Milliseconds from the publication of a crossing point to its post, by the clocks of one machine."""
    resources = deployment.announce(ALERTS)
    known = f"SELECT count(*) FROM known_resource WHERE id = '{resources[-1]}'"
    wait_until(lambda: deployment.count("monitor", known) == 1, 30)
    published: dict[UUID, float] = {}

    async def cross(bus: Bus) -> None:
        for resource in resources:
            batch = _batch(deployment, [_sample(resource, datetime.now(UTC).replace(microsecond=0), cpu=97.0)])
            published[resource] = time.time()
            await _publish(bus, [batch])
            await asyncio.sleep(0.1)

    deployment.bus("monitor", cross)
    names = [str(resource) for resource in resources]
    wait_until(lambda: all(name in _received(deployment) for name in names), 30)
    received = _received(deployment)
    return [(received[str(resource)] - published[resource]) * 1000 for resource in resources]


def _received(deployment: Deployment) -> dict[str, float]:
    """When Slack first heard of each resource, by resource id: alerts say the id through the alert's page."""
    messages = deployment.http.get(f"{_sinks(deployment)}/messages", params={"channel": "slack"}).json()["messages"]
    alerts = deployment.http.get("/api/cloud/monitoring/alerts", params={"limit": 200}).json()["items"]
    told = {
        alert["id"]: datetime.fromisoformat(message["time"]).timestamp()
        for message in reversed(messages)
        for alert in alerts
        if alert["id"] in message["body"]
    }
    return {alert["resource_id"]: told[alert["id"]] for alert in alerts if alert["id"] in told}


def _sinks(deployment: Deployment) -> str:
    return deployment.stack.sinks_url


def _have_stored(deployment: Deployment, count: int) -> bool:
    return deployment.count("monitor", "SELECT count(*) FROM infrastructure_monitoring") >= count


async def _publish(bus: Bus, batches: list[MetricBatch]) -> None:
    for start in range(0, len(batches), 64):
        chunk = batches[start : start + 64]
        await asyncio.gather(
            *(
                bus.publish(
                    metrics_subject(batch.organization, batch.provider_id, batch.region),
                    ENCODER.encode(batch),
                    {"Nats-Msg-Id": str(batch.id)},
                )
                for batch in chunk
            )
        )


def _batch(deployment: Deployment, samples: list[Sample]) -> MetricBatch:
    return MetricBatch(new_id(), datetime.now(UTC), deployment.organization, deployment.provider_id, REGION, samples)


def _sample(resource: UUID, at: datetime, cpu: float = 30.0) -> Sample:
    return Sample(resource, at, cpu, 40.0, 50.0, 12.5, 9.5, 120.0, 0.2, 85.0)
