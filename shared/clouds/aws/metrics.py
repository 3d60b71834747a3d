"""What does CloudWatch measure of an instance, and how does it become our eight values?

Sources: docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html (AWS/EC2; NetworkIn and
NetworkOut are bytes in the period), docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/, "Metrics collected by the
CloudWatch agent" (CWAgent; memory and disk exist only where the agent runs, with
`aggregation_dimensions: [["InstanceId"]]`), and API_GetMetricData (at most 500 queries a call; billed by metric
requested).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.aws.times import in_utc
from shared.clouds.capabilities import Metrics
from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.models import MetricAnswer, MetricName, MetricPoint, MetricQuery, MetricSeries

_QUERIES_PER_CALL = 500
_BITS_PER_BYTE = 8
_BITS_PER_MEGABIT = 1_000_000


@dataclass(frozen=True, slots=True)
class _Source:
    """Where AWS publishes a value; `per_second_factor` is set for what counts up in a period."""

    namespace: str
    name: str
    statistic: str = "Average"
    per_second_factor: float | None = None

    def value(self, published: float, period_s: int) -> float:
        return published if self.per_second_factor is None else published * self.per_second_factor / period_s


_TO_MEGABITS = _BITS_PER_BYTE / _BITS_PER_MEGABIT

SOURCES: Mapping[MetricName, _Source] = {
    MetricName.CPU_UTILIZATION: _Source("AWS/EC2", "CPUUtilization"),
    MetricName.NETWORK_IN_MBPS: _Source("AWS/EC2", "NetworkIn", "Sum", _TO_MEGABITS),
    MetricName.NETWORK_OUT_MBPS: _Source("AWS/EC2", "NetworkOut", "Sum", _TO_MEGABITS),
    MetricName.MEMORY_UTILIZATION: _Source("CWAgent", "mem_used_percent"),
    MetricName.DISK_UTILIZATION: _Source("CWAgent", "disk_used_percent"),
    MetricName.RESPONSE_TIME_MS: _Source("Canopy/Application", "response_time_ms"),
    MetricName.ERROR_RATE: _Source("Canopy/Application", "error_rate"),
    MetricName.REQUESTS_PER_SECOND: _Source("Canopy/Application", "requests_per_second"),
}
"""AWS measures no application; a tenant's own publisher puts those under `Canopy/Application` by instance."""


class AwsMetrics(Metrics):
    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        for each in queries:
            _check_period(each.period_s)
        series: list[MetricSeries] = []
        api_calls = 0
        for first in range(0, len(queries), _QUERIES_PER_CALL):
            batch = queries[first : first + _QUERIES_PER_CALL]
            collected, calls = await self._batch(region, batch, start, end)
            api_calls += calls
            series += [each.series(query, start, end) for query, each in zip(batch, collected, strict=True)]
        return MetricAnswer(tuple(series), api_calls, len(queries))

    async def _batch(
        self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime
    ) -> tuple[list[_Collected], int]:
        """A series may be spread over several pages, and a page may repeat a point of the one before."""
        collected = [_Collected({}, complete=True) for _ in queries]
        widest_s = max(each.period_s for each in queries)
        calls = 0
        async for page in self._client.pages(
            "cloudwatch",
            region,
            "GetMetricData",
            MetricDataQueries=[_data_query(index, each) for index, each in enumerate(queries)],
            StartTime=_floor(start, widest_s),
            EndTime=end,
            ScanBy="TimestampAscending",
        ):
            calls += 1
            for result in page["MetricDataResults"]:
                collected[int(result["Id"].removeprefix("q"))].add(result, last="NextToken" not in page)
        return collected, calls


@dataclass(slots=True)
class _Collected:
    """The published values of one series by time, as its pages come in."""

    values: dict[datetime, float]
    complete: bool

    def add(self, result: Mapping[str, Any], *, last: bool) -> None:
        self.values.update(zip(result["Timestamps"], result["Values"], strict=True))
        if last or result["StatusCode"] in {"InternalError", "Forbidden"}:
            self.complete = self.complete and result["StatusCode"] == "Complete"

    def series(self, query: MetricQuery, start: datetime, end: datetime) -> MetricSeries:
        source = SOURCES[query.metric]
        points = tuple(
            MetricPoint(in_utc(time), source.value(value, query.period_s))
            for time, value in sorted(self.values.items())
            if start <= time < end
        )
        return MetricSeries(query, points, self.complete)


def _data_query(index: int, query: MetricQuery) -> dict[str, Any]:
    source = SOURCES[query.metric]
    return {
        "Id": f"q{index}",
        "MetricStat": {
            "Metric": {
                "Namespace": source.namespace,
                "MetricName": source.name,
                "Dimensions": [{"Name": "InstanceId", "Value": query.resource_id}],
            },
            "Period": query.period_s,
            "Stat": source.statistic,
        },
        "ReturnData": True,
    }


def _check_period(period_s: int) -> None:
    """CloudWatch keeps points of 1, 5, 10, 30 seconds and of whole minutes."""
    if period_s not in {1, 5, 10, 30} and (period_s < 60 or period_s % 60):
        detail = f"is 1, 5, 10, 30 or a multiple of 60 seconds, not {period_s}"
        raise InvalidRequest(
            "invalid_period",
            f"period_s {detail}",
            provider=PROVIDER,
            operation="GetMetricData",
            problems=(FieldProblem("period_s", detail),),
        )


def _floor(time: datetime, period_s: int) -> datetime:
    """CloudWatch cuts time into periods from the epoch on; asked between two cuts it moves them."""
    seconds = time.timestamp()
    return datetime.fromtimestamp(seconds - seconds % period_s, UTC)
