"""Azure Monitor's series become our eight values, in our units, with every gap left a gap."""

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.load.series import values_at
from shared.clouds.azure.metrics import SOURCES
from shared.clouds.errors import InvalidRequest, RateLimited
from shared.clouds.models import MachineSpec, MetricName, MetricQuery
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "japaneast"
GROUP = "/subscriptions/{}/resourceGroups/canopy-japaneast/providers/Microsoft.Compute/virtualMachines"


@pytest.fixture
async def machine(cloud, simulated_azure):
    made = await cloud.machines.create(REGION, MachineSpec(new_token(), "Standard_B1s"))
    simulated_azure.advance(3600)
    return made


def span(simulated_azure, minutes: int = 10) -> tuple[datetime, datetime]:
    """The last minutes of the simulated time, up to a full minute."""
    now_s = ask(simulated_azure, "/_sim/advance", {"seconds": 0})["now_s"]
    end = datetime.fromtimestamp(now_s - now_s % 300, UTC)
    return end - timedelta(minutes=minutes), end


def ask(simulated_azure, path: str, document: object) -> dict[str, float]:
    request = urllib.request.Request(simulated_azure.endpoint_url + path, json.dumps(document).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


async def test_what_is_published_is_the_machine_s_load_in_our_units(cloud, machine, simulated_azure):
    start, end = span(simulated_azure)
    queries = [MetricQuery(machine.id, name, 60) for name in SOURCES]
    answer = await cloud.metrics.query(REGION, queries, start, end)
    assert [each.query for each in answer.series] == queries
    assert (answer.api_calls, answer.metrics_requested) == (2, 4)  # averages and totals
    for series in answer.series:
        assert [each.time for each in series.points] == [start + timedelta(minutes=number) for number in range(10)]
    values = [values_at(machine.id, start.timestamp() + 15 * number) for number in range(4)]
    cpu, network, _, memory = (series.points[0].value for series in answer.series)
    assert cpu == pytest.approx(sum(each["cpu"] for each in values) / 4, abs=0.01)
    assert memory == pytest.approx(sum(each["memory"] for each in values) / 4, abs=0.01)
    bytes_a_second = sum(each["network_in"] for each in values) / 4 / 5
    assert network == pytest.approx(bytes_a_second * 8 / 1e6, rel=0.001)


async def test_a_push_is_seen(cloud, machine, simulated_azure):
    ask(simulated_azure, "/_sim/load", {"instance_id": machine.id, "cpu": 97, "memory": 88})
    start, end = span(simulated_azure)
    wanted = (MetricName.CPU_UTILIZATION, MetricName.MEMORY_UTILIZATION)
    answer = await cloud.metrics.query(REGION, [MetricQuery(machine.id, name, 300) for name in wanted], start, end)
    assert [[point.value for point in series.points] for series in answer.series] == [
        [pytest.approx(97)] * 2, [pytest.approx(88)] * 2,
    ]  # fmt: skip


async def test_a_machine_that_is_off_has_a_gap_and_no_zero(cloud, machine, simulated_azure):
    await cloud.machines.stop(REGION, machine.id)
    simulated_azure.advance()
    query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60)
    [series] = (await cloud.metrics.query(REGION, [query], *span(simulated_azure))).series
    assert (series.points, series.complete) == ((), True)


async def test_what_nobody_measures_is_empty_and_costs_nothing(cloud, simulated_azure):
    unmeasured = [MetricQuery("m", name, 60) for name in MetricName if name not in SOURCES]
    strange = [MetricQuery("not an id", MetricName.CPU_UTILIZATION, 60)]
    answer = await cloud.metrics.query(REGION, unmeasured + strange, *span(simulated_azure))
    assert [each.points for each in answer.series] == [()] * 5
    assert answer.api_calls == 0
    assert (await cloud.metrics.query(REGION, [], *span(simulated_azure))).series == ()


async def test_fifty_machines_go_in_one_call_and_unknown_ones_are_empty(cloud, machine, simulated_azure):
    group = GROUP.format(simulated_azure.credentials()["subscription_id"])
    ids = [*(f"{group}/nobody-{number}" for number in range(100)), machine.id]
    answer = await cloud.metrics.query(
        REGION, [MetricQuery(each, MetricName.CPU_UTILIZATION, 60) for each in ids], *span(simulated_azure)
    )
    assert answer.api_calls == 3
    assert [each.query.resource_id for each in answer.series if each.points] == [machine.id]


async def test_only_points_that_begin_in_the_range_come(cloud, machine, simulated_azure):
    start, end = span(simulated_azure)
    query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 300)
    [series] = (await cloud.metrics.query(REGION, [query], start + timedelta(seconds=10), end)).series
    assert [point.time for point in series.points] == [start + timedelta(minutes=5)]


@pytest.mark.parametrize("period_s", [0, -60, 5, 90, 120])
async def test_a_period_that_azure_does_not_keep_is_refused(cloud, period_s):
    query = MetricQuery("m", MetricName.CPU_UTILIZATION, period_s)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.metrics.query(REGION, [query], datetime.fromtimestamp(time.time(), UTC), datetime.now(UTC))
    assert caught.value.field == "period_s"


async def test_a_throttled_query_says_so(cloud, machine, simulated_azure):
    simulated_azure.fault(
        match={"service": "azure", "action": "metrics.get_batch"}, status=429, code="throttled", retry_after_s=9
    )
    with pytest.raises(RateLimited) as caught:
        await cloud.metrics.query(
            REGION, [MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60)], *span(simulated_azure)
        )
    assert caught.value.retry_after_s == 9
