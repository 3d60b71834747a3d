"""Linode's statistics become our values, in our units; what it does not measure has no points."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.load.series import SLOT_S, values_at
from shared.clouds.capabilities import metrics_of
from shared.clouds.errors import InvalidRequest, RateLimited
from shared.clouds.linode.metrics import _read
from shared.clouds.models import MetricName, MetricQuery
from tests.shared.clouds.account_under_test import Conformance

pytestmark = pytest.mark.anyio


def test_cpu_is_of_all_processors_and_both_families_of_addresses_add_up():
    def net(*bits: float) -> dict:
        return {
            direction: [[number * 300_000, each] for number, each in enumerate(bits)] for direction in ("in", "out")
        }

    data = {"cpu": [[0, 100.0], [300_000, 400.0]], "netv4": net(8e6, 0), "netv6": net(2e6, 1e6)}
    assert _read(data, 4) == {
        MetricName.CPU_UTILIZATION: [(0, 25.0), (300, 100.0)],
        MetricName.NETWORK_IN_MBPS: [(0, 10.0), (300, 1.0)],
        MetricName.NETWORK_OUT_MBPS: [(0, 10.0), (300, 1.0)],
    }


class TestLinodes(Conformance):
    async def test_the_load_of_a_machine_comes_back_in_our_units(self, account):
        machine = await self.running(account, instance_type="g6-standard-4")
        account.simulated.advance(3600)
        start, end = machine.launched_at + timedelta(minutes=5), machine.launched_at + timedelta(minutes=55)
        queries = [MetricQuery(machine.id, name, 300) for name in MetricName]
        answer = await metrics_of(account.cloud).query(account.region, queries, start, end)
        assert (answer.api_calls, answer.metrics_requested) == (2, 8)
        expected = {
            MetricName.CPU_UTILIZATION: lambda load: load["cpu"],
            MetricName.NETWORK_IN_MBPS: lambda load: load["network_in"] * 8 / SLOT_S / 1e6,
            MetricName.NETWORK_OUT_MBPS: lambda load: load["network_out"] * 8 / SLOT_S / 1e6,
        }
        for series in answer.series:
            assert bool(series.points) == (series.query.metric in expected)
            assert series.complete
            for point in series.points:
                assert start <= point.time < end
                load = values_at(machine.id, point.time.timestamp())
                assert point.value == pytest.approx(expected[series.query.metric](load), rel=1e-2)
        assert len(answer.series[0].points) == 10

    async def test_from_before_what_is_kept_a_series_is_not_complete(self, account):
        machine = await self.running(account)
        now = datetime.now(UTC)
        for hours, complete in ((23, True), (25, False)):
            query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 300)
            answer = await metrics_of(account.cloud).query(
                account.region, [query], now - timedelta(hours=hours), now + timedelta(hours=1)
            )
            assert answer.series[0].complete is complete

    async def test_a_new_machine_and_one_that_is_no_more_have_no_points(self, account):
        machine = await self.running(account)
        now = datetime.now(UTC)
        for resource in (machine.id, account.unknown_machine_id, "castle"):
            query = MetricQuery(resource, MetricName.CPU_UTILIZATION, 300)
            answer = await metrics_of(account.cloud).query(account.region, [query], now - timedelta(hours=1), now)
            assert answer.series[0].points == ()

    @pytest.mark.parametrize("period_s", [60, 299, 450])
    async def test_a_period_that_linode_does_not_keep_is_refused(self, account, period_s):
        now = datetime.now(UTC)
        with pytest.raises(InvalidRequest) as caught:
            await metrics_of(account.cloud).query(
                account.region, [MetricQuery("1", MetricName.CPU_UTILIZATION, period_s)], now, now
            )
        assert caught.value.field == "period_s"

    async def test_a_failed_question_answers_nothing(self, account):
        machine = await self.running(account)
        account.simulated.fault(match={"action": "instances.stats"}, status=429, retry_after_s=60, count=1)
        now = datetime.now(UTC)
        with pytest.raises(RateLimited):
            await metrics_of(account.cloud).query(
                account.region,
                [MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 300)],
                now - timedelta(hours=1),
                now,
            )
