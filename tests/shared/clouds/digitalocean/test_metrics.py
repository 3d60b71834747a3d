"""DigitalOcean's matrices become our values, in our units, with every gap left a gap."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.load.series import SLOT_S, values_at
from shared.clouds.capabilities import metrics_of
from shared.clouds.digitalocean.metrics import SOURCES, busy_percent, used_percent
from shared.clouds.errors import InvalidRequest, RateLimited
from shared.clouds.libcloud.series import averages
from shared.clouds.models import MetricName, MetricQuery
from tests.shared.clouds.account_under_test import Conformance

pytestmark = pytest.mark.anyio


def counts(mode: str, *values: float, step_s: int = 60) -> dict:
    return {"metric": {"mode": mode}, "values": [[number * step_s, str(each)] for number, each in enumerate(values)]}


def test_cpu_is_what_was_not_idle_between_two_counts():
    matrix = [counts("idle", 100, 145, 145), counts("user", 10, 20, 80), counts("system", 1, 6, 6)]
    assert busy_percent(matrix) == {0.0: pytest.approx(25.0), 60.0: pytest.approx(100.0)}


@pytest.mark.parametrize(
    "matrix",
    [
        [],
        [counts("idle", 5)],
        [counts("idle", 900, 30), counts("user", 10, 20)],
        [counts("idle", 5, 6, step_s=700), counts("user", 1, 2, step_s=700)],
        [counts("idle", 5, 6), {"metric": {"mode": "user"}, "values": [[60, "3"]]}],
        [counts("idle", 5, 5), counts("user", 1, 1)],
    ],
    ids=["nothing", "one count", "a restart", "a gap", "a mode is new", "no time passed"],
)
def test_counts_that_say_nothing_give_no_value(matrix):
    assert busy_percent(matrix) == {}


def test_what_is_used_is_what_is_not_free_of_the_root_filesystem():
    root, data = {"mountpoint": "/"}, {"mountpoint": "/mnt/data"}
    free = [{"metric": data, "values": [[60, "1"]]}, {"metric": root, "values": [[60, "25"], [120, "5"]]}]
    size = [{"metric": data, "values": [[60, "100"]]}, {"metric": root, "values": [[60, "100"]]}]
    assert used_percent(free, size) == {60.0: 75.0}


def test_points_are_averages_of_periods_that_begin_in_the_window():
    start, end = datetime.fromtimestamp(300, UTC), datetime.fromtimestamp(900, UTC)
    points = averages([(240, 9.0), (300, 1.0), (360, 3.0), (600, 5.0), (900, 7.0)], 300, start, end)
    assert [(point.time.timestamp(), point.value) for point in points] == [(300.0, 2.0), (600.0, 5.0)]


class TestDroplets(Conformance):
    async def test_the_load_of_a_droplet_comes_back_in_our_units(self, account):
        machine = await self.running(account, detailed_monitoring=True)
        start = machine.launched_at.replace(second=0, microsecond=0) + timedelta(minutes=2)
        account.simulated.advance(900)
        queries = [MetricQuery(machine.id, name, 60) for name in SOURCES]
        answer = await metrics_of(account.cloud).query(account.region, queries, start, start + timedelta(minutes=5))
        assert answer.api_calls == 7
        expected = {
            MetricName.CPU_UTILIZATION: lambda load: load["cpu"],
            MetricName.MEMORY_UTILIZATION: lambda load: load["memory"],
            MetricName.DISK_UTILIZATION: lambda load: load["disk"],
            MetricName.NETWORK_IN_MBPS: lambda load: load["network_in"] * 8 / SLOT_S / 1e6,
            MetricName.NETWORK_OUT_MBPS: lambda load: load["network_out"] * 8 / SLOT_S / 1e6,
        }
        for series in answer.series:
            assert series.complete
            assert [point.time for point in series.points] == [start + timedelta(minutes=each) for each in range(5)]
            for point in series.points:
                load = values_at(machine.id, point.time.timestamp())
                assert point.value == pytest.approx(expected[series.query.metric](load), rel=1e-3)

    async def test_without_the_agent_memory_and_disk_have_no_points(self, account):
        machine = await self.running(account)
        start = machine.launched_at
        account.simulated.advance(600)
        queries = [MetricQuery(machine.id, name, 300) for name in MetricName]
        answer = await metrics_of(account.cloud).query(account.region, queries, start, start + timedelta(minutes=10))
        found = {series.query.metric for series in answer.series if series.points}
        assert found == {MetricName.CPU_UTILIZATION, MetricName.NETWORK_IN_MBPS, MetricName.NETWORK_OUT_MBPS}
        assert [series.query for series in answer.series] == queries

    async def test_a_pushed_machine_shows_it(self, account):
        machine = await self.running(account, detailed_monitoring=True)
        account.simulated._ask("POST", "/_sim/load", {"instance_id": machine.id, "cpu": 97, "memory": 91})
        start = machine.launched_at + timedelta(minutes=2)
        account.simulated.advance(900)
        queries = [
            MetricQuery(machine.id, name, 300) for name in (MetricName.CPU_UTILIZATION, MetricName.MEMORY_UTILIZATION)
        ]
        cpu, memory = (
            await metrics_of(account.cloud).query(account.region, queries, start, start + timedelta(minutes=9))
        ).series
        assert {round(point.value, 3) for point in cpu.points} == {97.0}
        assert {round(point.value, 3) for point in memory.points} == {91.0}

    async def test_a_droplet_that_is_off_or_gone_has_no_points(self, account):
        machine = await self.running(account)
        await account.cloud.machines.stop(account.region, machine.id)
        account.simulated.advance(3600)
        now = machine.launched_at + timedelta(seconds=3600)
        query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 300)
        for resource in (machine.id, account.unknown_machine_id):
            asked = MetricQuery(resource, query.metric, 300)
            answer = await metrics_of(account.cloud).query(account.region, [asked], now - timedelta(minutes=30), now)
            assert answer.series[0].points == ()

    @pytest.mark.parametrize("period_s", [1, 59, 90])
    async def test_a_period_that_is_no_whole_minutes_is_refused(self, account, period_s):
        now = datetime.now(UTC)
        with pytest.raises(InvalidRequest) as caught:
            await metrics_of(account.cloud).query(
                account.region, [MetricQuery("1", MetricName.CPU_UTILIZATION, period_s)], now, now
            )
        assert caught.value.field == "period_s"

    async def test_a_failed_question_answers_nothing(self, account):
        machine = await self.running(account)
        account.simulated.fault(match={"action": "monitoring.metrics"}, status=429, retry_after_s=60, count=1)
        queries = [MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60)] * 3
        with pytest.raises(RateLimited):
            await metrics_of(account.cloud).query(
                account.region, queries, machine.launched_at, machine.launched_at + timedelta(minutes=1)
            )
