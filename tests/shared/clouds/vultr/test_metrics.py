"""Vultr's bytes of a day become megabits a second of that day, once it is over; it tells nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.clouds.capabilities import metrics_of
from shared.clouds.errors import InvalidRequest, RateLimited
from shared.clouds.models import MetricName, MetricQuery
from shared.clouds.vultr.metrics import DAY_S, VultrMetrics
from tests.shared.clouds.account_under_test import Conformance

pytestmark = pytest.mark.anyio


class TestInstances(Conformance):
    async def test_a_day_that_is_over_has_a_point_and_today_has_none(self, account):
        machine = await self.running(account)
        account.simulated.advance(3 * DAY_S)
        now_s = account.simulated._ask("POST", "/_sim/advance", {"seconds": 0})["now_s"]
        metrics = VultrMetrics(account.cloud._client, wall_s=lambda: now_s)
        start = machine.launched_at.replace(hour=0, minute=0, second=0, microsecond=0)
        queries = [MetricQuery(machine.id, name, DAY_S) for name in MetricName]
        answer = await metrics.query(account.region, queries, start, start + timedelta(days=9))
        assert answer.api_calls == 1
        found = {series.query.metric: series.points for series in answer.series if series.points}
        assert set(found) == {MetricName.NETWORK_IN_MBPS, MetricName.NETWORK_OUT_MBPS}
        today = datetime.fromtimestamp(now_s, UTC).date()
        for points in found.values():
            assert [point.time for point in points] == [
                start + timedelta(days=each) for each in range((today - start.date()).days)
            ]
        document = (await account.cloud._client.request("x.y", "GET", f"/v2/instances/{machine.id}/bandwidth"))[
            "bandwidth"
        ]
        second = start + timedelta(days=1)
        used = document[second.date().isoformat()]["incoming_bytes"]
        [value] = [point.value for point in found[MetricName.NETWORK_IN_MBPS] if point.time == second]
        assert used > 0
        assert value == pytest.approx(used * 8 / 86_400 / 1e6)

    async def test_what_is_no_more_has_no_points(self, account):
        now = datetime.now(UTC)
        for resource in (account.unknown_machine_id, "castle"):
            query = MetricQuery(resource, MetricName.NETWORK_IN_MBPS, DAY_S)
            answer = await metrics_of(account.cloud).query(account.region, [query], now - timedelta(days=9), now)
            assert answer.series[0].points == ()

    @pytest.mark.parametrize("period_s", [60, 300, 3600, DAY_S + 1])
    async def test_a_period_that_vultr_does_not_keep_is_refused(self, account, period_s):
        now = datetime.now(UTC)
        with pytest.raises(InvalidRequest) as caught:
            await metrics_of(account.cloud).query(
                account.region, [MetricQuery("1", MetricName.NETWORK_IN_MBPS, period_s)], now, now
            )
        assert caught.value.field == "period_s"

    async def test_a_failed_question_answers_nothing(self, account):
        machine, now = await self.running(account), datetime.now(UTC)
        account.simulated.fault(match={"action": "instances.bandwidth"}, status=429, retry_after_s=60, count=1)
        query = MetricQuery(machine.id, MetricName.NETWORK_IN_MBPS, DAY_S)
        with pytest.raises(RateLimited):
            await metrics_of(account.cloud).query(account.region, [query], now - timedelta(days=1), now)
