"""Metric batches: stored once, bad points set aside, judged by time."""

import asyncio
import math
from datetime import timedelta

import pytest

from services.monitor.domain.metrics import due_span, floor
from shared.bus.dead import dead_letters
from shared.kit.errors import InvalidInput, NotFound
from shared.kit.ids import new_id
from shared.messages.metrics import DECODER, GetResourceMetrics, Sample
from shared.messages.resources import ResourceHealthChanged
from tests.services.monitor.conftest import Fleet, eventually, now

pytestmark = pytest.mark.anyio


async def test_a_batch_that_comes_twice_is_stored_once(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    samples = [Sample(web.id, now() - timedelta(minutes=each), cpu_utilization=20.0) for each in (3, 2, 1)]
    await fleet.measure(*samples)
    await fleet.measure(*samples, Sample(web.id, now(), cpu_utilization=30.0))
    rows = await fleet.rows("SELECT * FROM infrastructure_monitoring", lambda rows: len(rows) >= 4)
    assert len(rows) == 4


async def test_bad_points_become_a_dead_letter_and_the_rest_is_stored(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    await fleet.measure(
        Sample(web.id, now(), cpu_utilization=20.0),
        Sample(new_id(), now(), cpu_utilization=21.0),
        Sample(web.id, now() - timedelta(days=3), cpu_utilization=22.0),
        Sample(web.id, now() + timedelta(hours=1), cpu_utilization=23.0),
    )
    (row,) = await fleet.rows("SELECT cpu_utilization FROM infrastructure_monitoring")
    assert row.cpu_utilization == 20.0

    async def letter() -> object:
        return next(iter([each async for each in dead_letters(fleet.services.bus.jetstream, "monitor")]), None)

    found = await eventually(letter)
    refused = DECODER.decode(found.body).samples
    assert {sample.cpu_utilization for sample in refused} == {21.0, 22.0, 23.0}
    assert {reason.split(" x ")[1] for reason in found.reason.split(", ")} == {"unknown_resource", "too_old", "future"}


async def test_another_organizations_resource_is_unknown_here(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    thief = Fleet(fleet.services)
    await thief.measure(Sample(web.id, now(), cpu_utilization=99.0))
    await fleet.measure(Sample(web.id, now(), cpu_utilization=1.0))
    (row,) = await fleet.rows("SELECT cpu_utilization FROM infrastructure_monitoring")
    assert row.cpu_utilization == 1.0


async def test_an_unreadable_batch_is_buried_and_the_next_is_stored(fleet: Fleet) -> None:
    from shared.messages.subjects import metrics_subject

    web = fleet.resource()
    await fleet.add(web)
    subject = metrics_subject(fleet.organization, fleet.provider_id, fleet.region)
    await fleet.services.bus.publish(subject, b'{"samples": [1]}', {"Nats-Msg-Id": "poison"})
    await fleet.measure(Sample(web.id, now(), cpu_utilization=1.0))
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring")


async def test_health_follows_the_points_and_unchanged_health_is_not_told_again(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    await fleet.measure(Sample(web.id, now() - timedelta(seconds=30), cpu_utilization=20.0))
    first = await fleet.services.event(ResourceHealthChanged)
    assert (first.old_health_status, first.health_status, first.health_score) == ("unknown", "healthy", 100)
    await fleet.measure(Sample(web.id, now() - timedelta(seconds=20), cpu_utilization=21.0))
    await fleet.measure(Sample(web.id, now() - timedelta(seconds=10), cpu_utilization=90.0, memory_utilization=90.0))
    second = await fleet.services.event(ResourceHealthChanged, lambda event: event.health_status == "warning")
    assert (second.health_score, second.aggregate_version) == (65, 2)


async def test_a_late_point_is_stored_but_changes_no_health(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    await fleet.measure(Sample(web.id, now(), cpu_utilization=20.0))
    await fleet.services.event(ResourceHealthChanged)
    await fleet.measure(Sample(web.id, now() - timedelta(minutes=5), cpu_utilization=99.0))
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 2)
    (row,) = await fleet.rows("SELECT health_status, latest FROM telemetry")
    assert (row.health_status, row.latest) == ("healthy", {"cpu_utilization": 20.0})


async def test_metrics_are_read_in_buckets_with_unknown_values_null(fleet: Fleet) -> None:
    web = fleet.resource()
    await fleet.add(web)
    start = floor(now() - timedelta(minutes=30), 300)
    await fleet.measure(
        Sample(web.id, start, cpu_utilization=10.0), Sample(web.id, start + timedelta(seconds=60), cpu_utilization=30.0)
    )
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 2)
    read = GetResourceMetrics(
        **fleet.context.envelope(now()), resource=web.id, start=start, end=start + timedelta(minutes=5)
    )
    answer = await fleet.services.ask(read)
    (point,) = answer.points
    assert (point.time, point.values["cpu_utilization"], point.values["error_rate"]) == (start, 20.0, None)
    summary = answer.summary["cpu_utilization"]
    assert (summary.avg_value, summary.max_value, summary.min_value, summary.data_points) == (20.0, 30.0, 10.0, 2)
    assert answer.summary["error_rate"].data_points == 0
    assert answer.summary["error_rate"].avg_value is None
    with pytest.raises(InvalidInput):
        await fleet.services.ask(read.model_copy(update={"interval": "1m", "start": start - timedelta(days=3)}))
    with pytest.raises(NotFound):
        await fleet.services.ask(read.model_copy(update={"organization": new_id()}))


async def test_two_replicas_share_batches_and_store_each_sample_once(fleet: Fleet) -> None:
    from tests.services.monitor.conftest import KEY_RING

    await fleet.services.start("monitor", key_ring=KEY_RING)
    web = fleet.resource()
    await fleet.add(web)
    times = [now() - timedelta(seconds=each) for each in range(200)]
    await asyncio.gather(*(fleet.measure(Sample(web.id, time, cpu_utilization=97.0)) for time in times))
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 200)
    assert len(await fleet.rows("SELECT 1 FROM alert WHERE resource_id IS NOT NULL")) == 1


def test_a_series_is_due_once_a_period_after_its_publication_delay() -> None:
    at = floor(now(), 300)
    long_ago = at - timedelta(days=1)
    asked = at - timedelta(seconds=300)
    assert due_span(at, long_ago, at + timedelta(seconds=299), 300, 0, 900) is None
    assert due_span(asked, long_ago, at + timedelta(seconds=59), 300, 60, 900) is None
    assert due_span(asked, long_ago, at + timedelta(seconds=60), 300, 60, 900) == (asked, at)
    first = due_span(None, long_ago, at, 300, 0, 900)
    assert first == (at - timedelta(seconds=900), at)


def test_a_point_that_is_no_number_is_set_aside() -> None:
    from services.monitor.domain.metrics import fault_of, limits

    owner = new_id()
    for value in (math.nan, math.inf, -math.inf):
        sample = Sample(new_id(), now(), error_rate=value)
        assert fault_of(sample, owner, owner, limits(now(), 100, 100)) == "not_finite"
