"""Days are rolled up, then dropped; what is old is forgotten, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.monitor import notifier
from services.monitor.deps import Deps
from services.monitor.domain.metrics import midnight_of
from services.monitor.jobs.metrics import drop_old_partitions, make_partitions
from services.monitor.jobs.retention import (
    forget_closed_alerts,
    forget_deliveries,
    forget_gone_resources,
    forget_rollups,
)
from services.monitor.jobs.rollups import roll_up_days
from services.monitor.settings import Settings
from shared.db.journal import Journal, JournalSettings
from shared.messages.alerts import AlertFired, AlertResolved, ResolveAlert
from shared.messages.channels import CreateChannel, TestChannel
from shared.messages.metrics import GetResourceMetrics, Sample
from shared.messages.notifications import NotificationFailed
from shared.messages.resources import ResourceTerminated
from shared.runtime.process import Foundation
from tests.fixtures.services import mutation
from tests.services.monitor.conftest import KEY_RING, Fleet, StandingClock, now

pytestmark = pytest.mark.anyio

PARTITIONS = 10
"""From the day of the oldest point that is taken (two days back) to seven days ahead."""


def later(deps: Deps, days: int) -> None:
    deps.database.clock = StandingClock(now() + timedelta(days=days))


async def daily(fleet: Fleet, sample: Sample, **changes: Any) -> Any:
    """What is known of the sample's day."""
    start = midnight_of(sample.time.date())
    request = GetResourceMetrics(
        **fleet.context.envelope(now()), resource=sample.resource_id, start=start - timedelta(days=1),
        end=start + timedelta(days=1), interval="1d", **changes,
    )  # fmt: skip
    return await fleet.services.ask(request)


async def test_days_are_made_ahead_rolled_up_and_only_then_dropped(fleet: Fleet, deps: Deps) -> None:
    web = fleet.resource()
    await fleet.add(web)
    time = now() - timedelta(hours=2)
    midnight = midnight_of(time.date())
    samples = [
        Sample(web.id, max(time, midnight) + timedelta(seconds=each), cpu_utilization=cpu, memory_utilization=memory)
        for each, cpu, memory in ((0, 10.0, None), (1, 20.0, 5.0), (2, 60.0, None))
    ]
    await fleet.measure(*samples)
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda rows: len(rows) == 3)
    before = await daily(fleet, samples[0])
    later(deps, 120)
    assert await make_partitions(deps) == PARTITIONS
    assert await make_partitions(deps) == 0
    assert await drop_old_partitions(deps) == 0, "samples that were not rolled up are kept"
    assert await roll_up_days(deps) == PARTITIONS
    assert await roll_up_days(deps) == 0
    assert await daily(fleet, samples[0]) == before, "a day that still has its samples is not counted twice"
    assert await drop_old_partitions(deps) == PARTITIONS
    assert await fleet.rows("SELECT 1 FROM infrastructure_monitoring", lambda _: True) == []
    after = await daily(fleet, samples[0])
    assert after == before
    assert after.points[0].values["cpu_utilization"] == 30.0
    assert (after.summary["memory_utilization"].data_points, after.summary["cpu_utilization"].max_value) == (1, 60.0)
    largest = await daily(fleet, samples[0], aggregation="max")
    assert largest.points[0].values["cpu_utilization"] == 60.0
    percentile = await daily(fleet, samples[0], aggregation="p95")
    assert percentile.points[0].values["cpu_utilization"] is None
    assert await forget_rollups(deps) == 0
    later(deps, 402)
    assert await forget_rollups(deps) == 1
    assert (await daily(fleet, samples[0])).points == []


async def test_a_day_is_rolled_up_again_to_the_same(fleet: Fleet, deps: Deps) -> None:
    web = fleet.resource()
    await fleet.add(web)
    await fleet.measure(Sample(web.id, now() - timedelta(hours=1), error_rate=2.0))
    await fleet.rows("SELECT 1 FROM infrastructure_monitoring")
    later(deps, 10)
    figures = "SELECT day, error_rate_min, error_rate_avg, error_rate_count FROM infrastructure_monitoring_daily"
    await roll_up_days(deps)
    first = await fleet.rows(figures)
    async with deps.database.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM rolled_up_day")
    await roll_up_days(deps)
    assert await fleet.rows(figures) == first
    assert first[0][1:] == (2.0, 2.0, 1)


async def test_old_alerts_are_forgotten_when_they_are_closed(fleet: Fleet, deps: Deps) -> None:
    web, database = fleet.resource(), fleet.resource()
    await fleet.add(web, database)
    await fleet.measure(*(Sample(each.id, now(), cpu_utilization=99.0) for each in (web, database)))
    first, second = await fleet.services.events_of(AlertFired, 2)
    await fleet.services.ask(ResolveAlert(**mutation(fleet.context), alert=first.alert.id))
    await fleet.services.event(AlertResolved)
    assert await forget_closed_alerts(deps) == 0
    later(deps, 401)
    assert await forget_closed_alerts(deps) == 1
    assert [row.id for row in await fleet.rows("SELECT id FROM alert")] == [second.alert.id]


async def test_old_deliveries_are_forgotten_when_they_are_finished(fleet: Fleet, deps: Deps) -> None:
    config = {"recipients": ["ops@example.com"]}
    channel = await fleet.services.ask(
        CreateChannel(**mutation(fleet.context), channel_type="email", channel_name="ops", config=config)
    )
    running = await fleet.services.start("notifier", key_ring=KEY_RING)
    await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
    await fleet.services.event(NotificationFailed)
    await running.stop()
    waiting = await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
    later(deps, 91)
    journal = Journal(deps.database, JournalSettings(), "test")
    foundation = Foundation(Settings(key_ring=SecretStr(KEY_RING)), deps.bus, deps.database, journal)
    application = await notifier.build(foundation)
    assert await forget_deliveries(application.deps) == 1
    assert [row.id for row in await fleet.rows("SELECT id FROM delivery")] == [waiting.id]
    assert await fleet.rows("SELECT 1 FROM delivery_attempt", lambda _: True) == []
    assert application.close is not None
    await application.close()


async def test_terminated_resources_are_forgotten_with_their_last_samples(fleet: Fleet, deps: Deps) -> None:
    web, gone = fleet.resource(), fleet.resource()
    await fleet.add(web, gone)
    await fleet.measure(*(Sample(each.id, now(), cpu_utilization=9.0) for each in (web, gone)))
    await fleet.rows("SELECT 1 FROM telemetry WHERE last_time IS NOT NULL", lambda rows: len(rows) == 2)
    ended = gone.model_copy(update={"resource_status": "terminated", "terminated_at": now(), "version": 2})
    await fleet.services.publish(ResourceTerminated(**fleet.about(gone.id, 2), resource=ended))
    await fleet.rows("SELECT 1 FROM known_resource WHERE resource_status = 'terminated'")
    later(deps, 89)
    assert await forget_gone_resources(deps) == 0
    later(deps, 91)
    assert await forget_gone_resources(deps) == 1
    assert [row.resource_id for row in await fleet.rows("SELECT resource_id FROM telemetry")] == [web.id]
