"""Metric batches are taken together, and one that its handler cannot bear is not the others' fate."""

from typing import Any

import pytest
from nats.aio.msg import Msg

from shared.bus.dead import dead_letters
from shared.bus.metrics import MetricsConsumer
from shared.bus.router import Router, Routes
from shared.kit.errors import Reject
from shared.kit.ids import new_id
from shared.messages.metrics import ENCODER, MetricBatch
from shared.messages.subjects import METRICS_STREAM, metrics_subject
from tests.fixtures.services import Services, now

pytestmark = pytest.mark.anyio


async def publish(services: Services, region: str) -> None:
    batch = MetricBatch(new_id(), now(), new_id(), new_id(), region, [])
    subject = metrics_subject(batch.organization, batch.provider_id, region)
    await services.bus.publish(subject, ENCODER.encode(batch), {"Nats-Msg-Id": str(batch.id)})


async def test_a_batch_that_its_handler_cannot_bear_is_buried_alone(services: Services) -> None:
    await services.prepare("monitor")
    for region in ("good-1", "bad", "good-2"):
        await publish(services, region)
    taken: list[list[str]] = []
    routes = Routes()

    @routes.metric_batches
    async def take(batches: Any, _deps: Any) -> None:
        regions = [batch.region for batch in batches]
        taken.append(regions)
        if "bad" in regions:
            raise Reject("cannot bear it")

    consumer = MetricsConsumer(services.bus, Router("monitor", routes), None)
    subscription = await services.bus.jetstream.pull_subscribe_bind(durable="monitor", stream=METRICS_STREAM)
    messages: list[Msg] = []
    while len(messages) < 3:
        messages += await subscription.fetch(3 - len(messages))
    await consumer.receive(messages)
    letters = [each async for each in dead_letters(services.bus.jetstream, "monitor")]
    assert [letter.reason for letter in letters] == ["Reject: cannot bear it"]
    assert taken == [["good-1", "bad", "good-2"], ["good-1"], ["bad"], ["good-2"]]
