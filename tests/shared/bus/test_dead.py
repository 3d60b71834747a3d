"""Dead letters of every kind come back to the door that they failed at."""

import asyncio

import pytest

from shared.bus.dead import DeadLetter, dead_letters, replay
from shared.kit.ids import new_id
from shared.messages.metrics import ENCODER, MetricBatch
from shared.messages.subjects import metrics_subject
from tests.fixtures.services import Services, now

pytestmark = pytest.mark.anyio


async def measure(services: Services, region: str) -> None:
    batch = MetricBatch(new_id(), now(), new_id(), new_id(), region, [])
    subject = metrics_subject(batch.organization, batch.provider_id, region)
    await services.bus.publish(subject, ENCODER.encode(batch), {"Nats-Msg-Id": str(batch.id)})


async def letter_of(services: Services) -> DeadLetter:
    async with asyncio.timeout(20):
        while True:
            found = [letter async for letter in dead_letters(services.bus.jetstream)]
            if found:
                return found[0]


async def test_a_metric_batch_comes_back_to_the_metrics_door(toys, services: Services) -> None:
    async with toys() as toy:
        await measure(services, "poison")
        letter = await letter_of(services)
        assert (letter.service, letter.reason) == ("costs", "Reject: poison")
        toy.deps.cured = True
        await replay(services.bus.jetstream, letter)
        async with asyncio.timeout(20):
            while toy.deps.measured != ["poison"]:
                await asyncio.sleep(0.01)
        assert [item async for item in dead_letters(services.bus.jetstream)] == []
