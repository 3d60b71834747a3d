"""The health of the fleet: what was measured counts, silence is unknown, and what does not run is not counted."""

from datetime import timedelta
from typing import Any

import pytest

from services.monitor.domain.alert_rules import builtin_id
from shared.messages.alerts import AlertFired
from shared.messages.health import GetHealthOverview, ListResourceHealth
from shared.messages.metrics import Sample
from shared.messages.resources import ResourceScaled, ResourceUpdated
from tests.services.monitor.conftest import Fleet, eventually, now

pytestmark = pytest.mark.anyio

SILENT_S = 1000
"""Longer than telemetry counts (900 s)."""


async def test_running_resources_are_counted_by_what_their_telemetry_says_now(fleet: Fleet) -> None:
    healthy, critical, silent, unmeasured = (fleet.resource(resource_name=name) for name in "abcd")
    stopped = fleet.resource(resource_name="e", resource_status="stopped")
    await fleet.add(healthy, critical, silent, unmeasured, stopped)
    time = now() - timedelta(seconds=30)
    everything_high = Sample(
        critical.id, time, cpu_utilization=90.0, memory_utilization=90.0, disk_utilization=99.0, response_time_ms=2000.0
    )
    await fleet.measure(
        Sample(healthy.id, time, cpu_utilization=10.0),
        everything_high,
        Sample(silent.id, now() - timedelta(seconds=SILENT_S), cpu_utilization=10.0),
    )
    await fleet.rows("SELECT 1 FROM telemetry WHERE last_time IS NOT NULL", lambda rows: len(rows) == 3)
    fired = await fleet.services.event(AlertFired, lambda event: event.alert.alert_type == "resource_health")
    assert (fired.alert.rule_id, fired.alert.current_value) == (builtin_id("health_score.critical"), 25)
    overview = await fleet.services.ask(GetHealthOverview(**fleet.context.envelope(now())))
    assert (overview.healthy_resources, overview.warning_resources, overview.critical_resources) == (1, 0, 1)
    assert (overview.unknown_resources, overview.total_resources, overview.health_percentage) == (2, 4, 25.0)
    assert (overview.overall_status, overview.last_updated) == ("critical", time)
    listed = await fleet.services.ask(ListResourceHealth(**fleet.context.envelope(now()), health_status="unknown"))
    assert [each.resource_name for each in listed.items] == ["c", "d", "e"]


async def test_a_resource_is_unknown_while_it_is_scaled_and_measured_again_afterwards(fleet: Fleet) -> None:
    """The way of a scaling: stopping, stopped, starting, running with another type."""
    before = fleet.resource(configuration={"instance_type": "t3.micro"})
    await fleet.add(before)
    await fleet.measure(Sample(before.id, now() - timedelta(seconds=30), cpu_utilization=10.0))
    await fleet.rows("SELECT 1 FROM telemetry WHERE last_time IS NOT NULL")
    larger = {"instance_type": "t3.small"}
    ways: list[dict[str, Any]] = [
        {"resource_status": "stopping"}, {"resource_status": "stopped"},
        {"resource_status": "starting", "configuration": larger},
    ]  # fmt: skip
    for version, changes in enumerate(ways, 2):
        way = before.model_copy(update={**changes, "version": version})
        await fleet.services.publish(ResourceUpdated(**fleet.about(way.id, version), resource=way))
    after = before.model_copy(update={"configuration": larger, "version": 5})
    scaled = ResourceScaled(
        **fleet.about(after.id, 5), resource=after, action="scale_up", trigger="manual",
        before=before.configuration, after=larger,
    )  # fmt: skip
    await fleet.services.publish(scaled)
    await fleet.rows("SELECT version FROM known_resource", lambda rows: [row.version for row in rows] == [5])
    overview = await fleet.services.ask(GetHealthOverview(**fleet.context.envelope(now())))
    assert (overview.unknown_resources, overview.total_resources) == (1, 1)
    await fleet.measure(Sample(before.id, now() - timedelta(seconds=10), cpu_utilization=10.0))

    async def measured() -> bool | None:
        again = await fleet.services.ask(GetHealthOverview(**fleet.context.envelope(now())))
        return again.healthy_resources == 1 or None

    await eventually(measured)


async def test_an_organization_without_resources_has_no_percentage(fleet: Fleet) -> None:
    await fleet.add(fleet.resource())
    overview = await fleet.services.ask(GetHealthOverview(**Fleet(fleet.services).context.envelope(now())))
    assert (overview.total_resources, overview.health_percentage, overview.overall_status) == (0, None, "unknown")
