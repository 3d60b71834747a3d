"""Cloud Monitoring's series become our eight values, in our units, with every gap left a gap."""

from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest

from deploy.local.load.series import SLOT_S, values_at
from shared.clouds.errors import InvalidRequest, RateLimited
from shared.clouds.gcp.metrics import SOURCES, _groups
from shared.clouds.models import MachineSpec, MetricName, MetricQuery
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "us-west1"
LONG_S = 3600.0
OURS = {
    MetricName.CPU_UTILIZATION: lambda values: values["cpu"],
    MetricName.MEMORY_UTILIZATION: lambda values: values["memory"],
    MetricName.DISK_UTILIZATION: lambda values: values["disk"],
    MetricName.NETWORK_IN_MBPS: lambda values: values["network_in"] * 8 / SLOT_S / 1e6,
    MetricName.NETWORK_OUT_MBPS: lambda values: values["network_out"] * 8 / SLOT_S / 1e6,
    MetricName.RESPONSE_TIME_MS: lambda values: values["response_time_ms"],
    MetricName.ERROR_RATE: lambda values: values["error_rate"],
    MetricName.REQUESTS_PER_SECOND: lambda values: values["requests_per_second"],
}


@pytest.fixture
async def machine(account):
    """One that has been running for an hour."""
    made = await account.cloud.machines.create(REGION, MachineSpec(new_token(), "e2-micro"))
    account.gcp.advance(LONG_S)
    return await account.cloud.machines.get(REGION, made.id)


def begin(machine, minutes: float = 10):
    return machine.launched_at.replace(second=0, microsecond=0) + timedelta(minutes=minutes)


@pytest.mark.parametrize("period_s", [60, 300])
async def test_what_the_machine_did_is_what_we_read(cloud, machine, period_s):
    start = begin(machine) - timedelta(seconds=begin(machine).timestamp() % period_s)
    queries = [MetricQuery(machine.id, name, period_s) for name in MetricName]
    answer = await cloud.metrics.query(REGION, queries, start, start + timedelta(seconds=3 * period_s))
    assert [each.query for each in answer.series] == queries
    assert (answer.api_calls, answer.metrics_requested) == (8, 8)
    for series in answer.series:
        assert series.complete
        assert [each.time for each in series.points] == [
            start + timedelta(seconds=period_s * each) for each in range(3)
        ]
        for point in series.points:
            samples = [point.time.timestamp() + each for each in range(60, period_s + 1, 60)]
            truth = fmean(OURS[series.query.metric](values_at(machine.id, each)) for each in samples)
            assert point.value == pytest.approx(truth)
            assert point.time.utcoffset() == timedelta(0)


async def test_a_pushed_machine_shows_it(cloud, gcp, machine):
    gcp._ask("POST", "/_sim/load", {"instance_id": machine.id, "cpu": 97})
    query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60)
    [series] = (await cloud.metrics.query(REGION, [query], begin(machine), begin(machine, 12))).series
    assert [round(each.value, 6) for each in series.points] == [97.0, 97.0]


async def test_an_interval_between_two_periods_has_the_periods_that_begin_in_it(cloud, machine):
    start = begin(machine)
    query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60)
    between = timedelta(seconds=20)
    [series] = (
        await cloud.metrics.query(REGION, [query], start + between, start + 3 * timedelta(minutes=1) + between)
    ).series
    assert [each.time for each in series.points] == [start + timedelta(minutes=each) for each in (1, 2, 3)]


async def test_a_machine_without_points_is_empty_and_not_zero(cloud, machine):
    before = machine.launched_at - timedelta(hours=1)
    queries = [
        MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60),
        MetricQuery("zones/us-west1-a/instances/nobody", MetricName.CPU_UTILIZATION, 60),
        MetricQuery("no-id", MetricName.CPU_UTILIZATION, 60),
    ]
    answer = await cloud.metrics.query(REGION, queries, before, before + timedelta(minutes=10))
    assert [(each.points, each.complete) for each in answer.series] == [((), True)] * 3


async def test_an_error_brings_nothing(cloud, gcp, machine):
    gcp.fault(match={"action": "timeSeries.list"}, status=429, code="RATE_LIMIT_EXCEEDED", retry_after_s=30)
    query = MetricQuery(machine.id, MetricName.CPU_UTILIZATION, 60)
    with pytest.raises(RateLimited) as caught:
        await cloud.metrics.query(REGION, [query], begin(machine), begin(machine, 12))
    assert caught.value.retry_after_s == 30


@pytest.mark.parametrize("period_s", [0, 5, 59, 90])
async def test_a_period_that_google_does_not_keep_is_refused(cloud, period_s):
    now = datetime.now(UTC)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.metrics.query(REGION, [MetricQuery("x", MetricName.CPU_UTILIZATION, period_s)], now, now)
    assert caught.value.field == "period_s"


def test_machines_of_a_zone_share_calls_as_long_as_their_names_fit_a_filter():
    ids = [f"zones/us-west1-a/instances/{'n' * 50}{number:04}" for number in range(100)]
    queries = [MetricQuery(each, MetricName.CPU_UTILIZATION, 60) for each in [*ids, "zones/us-west1-b/instances/b"]]
    groups = list(_groups(queries))
    assert [each.zone for each in groups] == ["us-west1-a"] * 4 + ["us-west1-b"]
    assert [name for each in groups[:4] for name in each.names] == [each.rpartition("/")[2] for each in ids]
    assert all(len(", ".join(f'"{name}"' for name in each.names)) < 1_800 for each in groups)


def test_every_metric_of_ours_has_one_source():
    assert set(SOURCES) == set(MetricName)
    assert len({source.type for source in SOURCES.values()}) == 8
