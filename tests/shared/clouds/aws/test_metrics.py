"""CloudWatch's series become our eight values, in our units, with every gap left a gap."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from shared.clouds.aws.metrics import SOURCES, AwsMetrics
from shared.clouds.errors import InvalidRequest, RateLimited
from shared.clouds.models import MetricName, MetricQuery

pytestmark = pytest.mark.anyio

REGION = "us-east-1"
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)


@pytest.fixture
def publish(simulated_aws):
    """What CloudWatch itself, its agent and the tenant's application would publish."""
    keys = simulated_aws.credentials()
    cloudwatch = boto3.client(
        "cloudwatch",
        region_name=REGION,
        endpoint_url=simulated_aws.endpoint_url,
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
    )

    def put(machine_id: str, metric: MetricName, points: list[tuple[datetime, float]], resolution_s: int = 60) -> None:
        source = SOURCES[metric]
        data = [
            {
                "MetricName": source.name,
                "Dimensions": [{"Name": "InstanceId", "Value": machine_id}],
                "Timestamp": time,
                "Value": value,
                "StorageResolution": 1 if resolution_s < 60 else 60,
            }
            for time, value in points
        ]
        cloudwatch.put_metric_data(Namespace=source.namespace, MetricData=data)

    yield put
    cloudwatch.close()


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("metric", "published", "ours"),
    [
        (MetricName.CPU_UTILIZATION, 42.5, 42.5),
        (MetricName.MEMORY_UTILIZATION, 61.0, 61.0),
        (MetricName.DISK_UTILIZATION, 80.25, 80.25),
        (MetricName.NETWORK_IN_MBPS, 75_000_000, 10.0),  # bytes in 60 s: 75e6 * 8 / 60 / 1e6
        (MetricName.NETWORK_OUT_MBPS, 7_500_000, 1.0),
        (MetricName.RESPONSE_TIME_MS, 123.0, 123.0),
        (MetricName.ERROR_RATE, 0.5, 0.5),
        (MetricName.REQUESTS_PER_SECOND, 250.0, 250.0),
    ],
)
async def test_a_published_value_becomes_ours(cloud, publish, metric, published, ours):
    machine_id = f"i-{metric}"
    publish(machine_id, metric, [(START, published)])
    answer = await cloud.metrics.query(REGION, [MetricQuery(machine_id, metric, 60)], START, after(1))
    [series] = answer.series
    assert series.complete
    assert [(point.time, point.value) for point in series.points] == [(START, pytest.approx(ours))]


def test_every_metric_of_ours_has_one_source():
    assert set(SOURCES) == set(MetricName)
    assert len(MetricName) == 8
    assert len({(source.namespace, source.name) for source in SOURCES.values()}) == 8


async def test_bytes_add_up_and_percents_are_averaged_in_a_period(cloud, publish):
    for metric in (MetricName.NETWORK_IN_MBPS, MetricName.CPU_UTILIZATION):
        publish("i-period", metric, [(after(minute), 3_750_000.0) for minute in range(5)])
    queries = [
        MetricQuery("i-period", metric, 300) for metric in (MetricName.NETWORK_IN_MBPS, MetricName.CPU_UTILIZATION)
    ]
    start = datetime.fromtimestamp(START.timestamp() - START.timestamp() % 300, UTC)
    answer = await cloud.metrics.query(REGION, queries, start, start + timedelta(minutes=15))
    network, cpu = answer.series
    # 5 * 3.75e6 bytes were counted, in one period of 300 s or split over two: the sum is the same.
    assert sum(point.value for point in network.points) == pytest.approx(5 * 3_750_000 * 8 / 300 / 1e6)
    assert {point.value for point in cpu.points} == {3_750_000.0}


async def test_a_gap_stays_a_gap_and_points_are_in_order(cloud, publish):
    publish("i-gap", MetricName.CPU_UTILIZATION, [(after(3), 3.0), (after(0), 0.0), (after(1), 1.0)])
    query = MetricQuery("i-gap", MetricName.CPU_UTILIZATION, 60)
    [series] = (await cloud.metrics.query(REGION, [query], START, after(5))).series
    assert [(point.time, point.value) for point in series.points] == [
        (after(0), 0.0),
        (after(1), 1.0),
        (after(3), 3.0),
    ]


async def test_only_points_that_begin_in_the_range_come(cloud, publish):
    publish("i-range", MetricName.CPU_UTILIZATION, [(after(minute), float(minute)) for minute in range(6)])
    query = MetricQuery("i-range", MetricName.CPU_UTILIZATION, 60)
    start = after(1) + timedelta(seconds=10)
    [series] = (await cloud.metrics.query(REGION, [query], start, after(4))).series
    assert [point.value for point in series.points] == [2.0, 3.0]


async def test_points_each_five_seconds_are_kept_apart(cloud, publish):
    times = [START + timedelta(seconds=5 * number) for number in range(12)]
    publish("i-fine", MetricName.CPU_UTILIZATION, [(time, float(i)) for i, time in enumerate(times)], 5)
    query = MetricQuery("i-fine", MetricName.CPU_UTILIZATION, 5)
    [series] = (await cloud.metrics.query(REGION, [query], START, after(1))).series
    assert [(point.time, point.value) for point in series.points] == [(t, float(i)) for i, t in enumerate(times)]


async def test_a_machine_nobody_measured_has_an_empty_series(cloud):
    query = MetricQuery("i-silent", MetricName.CPU_UTILIZATION, 300)
    answer = await cloud.metrics.query(REGION, [query], START, after(5))
    [series] = answer.series
    assert (series.query, series.points, series.complete) == (query, (), True)


async def test_no_query_costs_nothing(cloud):
    answer = await cloud.metrics.query(REGION, [], START, after(5))
    assert (answer.series, answer.api_calls, answer.metrics_requested) == ((), 0, 0)


async def test_500_queries_go_in_one_call_and_are_counted(cloud, publish, simulated_aws):
    publish("i-7", MetricName.CPU_UTILIZATION, [(START, 7.0)])
    publish("i-1000", MetricName.CPU_UTILIZATION, [(START, 1000.0)])
    queries = [MetricQuery(f"i-{number}", MetricName.CPU_UTILIZATION, 60) for number in range(1001)]
    before = simulated_aws.calls().get((REGION, "GetMetricData"), 0)
    answer = await cloud.metrics.query(REGION, queries, START, after(1))
    assert simulated_aws.calls()[REGION, "GetMetricData"] - before == answer.api_calls == 3
    assert answer.metrics_requested == 1001
    assert [series.query for series in answer.series] == queries
    assert {series.query.resource_id for series in answer.series if series.points} == {"i-7", "i-1000"}


@pytest.mark.parametrize("period_s", [0, -60, 7, 45, 90])
async def test_a_period_that_cloudwatch_does_not_keep_is_refused(cloud, period_s):
    query = MetricQuery("i-1", MetricName.CPU_UTILIZATION, period_s)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.metrics.query(REGION, [query], START, after(1))
    assert caught.value.field == "period_s"


async def test_a_throttled_query_says_so(cloud, simulated_aws):
    simulated_aws.fault(match={"action": "GetMetricData"}, status=400, code="Throttling", retry_after_s=9)
    with pytest.raises(RateLimited) as caught:
        await cloud.metrics.query(REGION, [MetricQuery("i-1", MetricName.CPU_UTILIZATION, 60)], START, after(1))
    assert caught.value.retry_after_s == 9


class PagedClient:
    """CloudWatch as it answers a long query: a series spread over pages, with a point twice."""

    def __init__(self, *pages):
        self._pages = pages

    async def pages(self, *_, **__):
        for page in self._pages:
            yield page


def page(status: str, *points: tuple[int, float], more: bool = False):
    result = {
        "Id": "q0",
        "Timestamps": [after(minute) for minute, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": status,
    }
    return {"MetricDataResults": [result], **({"NextToken": "more"} if more else {})}


async def test_a_series_over_several_pages_is_put_together():
    client = PagedClient(page("PartialData", (0, 1.0), (1, 2.0), more=True), page("Complete", (1, 2.0), (2, 3.0)))
    query = MetricQuery("i-1", MetricName.CPU_UTILIZATION, 60)
    answer = await AwsMetrics(client).query(REGION, [query], START, after(9))
    [series] = answer.series
    assert [point.value for point in series.points] == [1.0, 2.0, 3.0]
    assert series.complete
    assert answer.api_calls == 2


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
async def test_a_series_that_ends_without_being_whole_says_so(status):
    query = MetricQuery("i-1", MetricName.CPU_UTILIZATION, 60)
    answer = await AwsMetrics(PagedClient(page(status, (0, 1.0)))).query(REGION, [query], START, after(9))
    assert not answer.series[0].complete
