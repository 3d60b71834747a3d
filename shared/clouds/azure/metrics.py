"""What does Azure Monitor measure of a virtual machine, and how does it become our eight values?

Sources: learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-compute-virtualmachines-metrics
(platform metrics, a point each 60 s, kept 93 days; network totals are bytes in the period), and the metrics batch API
(…/azure-monitor/metrics/migrate-to-batch-api: at most 50 resources a call, all of one region and subscription).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clouds.azure import names
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.capabilities import Metrics
from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.models import MetricAnswer, MetricName, MetricPoint, MetricQuery, MetricSeries

_RESOURCES_PER_CALL = 50
_PERIODS_S = (60, 300, 900, 1800, 3600, 21600, 43200, 86400)
_MEGABITS_PER_BYTE = 8 / 1_000_000


@dataclass(frozen=True, slots=True)
class _Source:
    """Where Azure publishes a value; `adds_up`: bytes in a period, `is_rest`: what is left of 100 percent."""

    name: str
    adds_up: bool = False
    is_rest: bool = False

    @property
    def aggregation(self) -> str:
        return "Total" if self.adds_up else "Average"

    def value(self, published: float, period_s: int) -> float:
        if self.adds_up:
            return published * _MEGABITS_PER_BYTE / period_s
        return 100 - published if self.is_rest else published


SOURCES: Mapping[MetricName, _Source] = {
    MetricName.CPU_UTILIZATION: _Source("Percentage CPU"),
    MetricName.NETWORK_IN_MBPS: _Source("Network In Total", adds_up=True),
    MetricName.NETWORK_OUT_MBPS: _Source("Network Out Total", adds_up=True),
    MetricName.MEMORY_UTILIZATION: _Source("Available Memory Percentage", is_rest=True),
}
"""The platform measures neither how full a file system is nor an application: those series are empty."""

_NAMESPACE = "Microsoft.Compute/virtualMachines"


class AzureMetrics(Metrics):
    def __init__(self, client: AzureClient) -> None:
        self._client = client

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        """One call for 50 machines, all their metrics of one period and one aggregation together."""
        for each in queries:
            _check_period(each.period_s)
        found: dict[MetricQuery, dict[datetime, float]] = {each: {} for each in queries}
        calls = 0
        for (period_s, _), wanted in _grouped(queries).items():
            ids = list(dict.fromkeys(each.resource_id for each in wanted))
            for first in range(0, len(ids), _RESOURCES_PER_CALL):
                some = set(ids[first : first + _RESOURCES_PER_CALL])
                batch = [each for each in wanted if each.resource_id in some]
                await self._batch(region, batch, (start, end), period_s, found)
                calls += 1
        series = tuple(_series(each, found[each], start, end) for each in queries)
        return MetricAnswer(series, calls, len(queries))

    async def _batch(
        self,
        region: str,
        queries: Sequence[MetricQuery],
        span: tuple[datetime, datetime],
        period_s: int,
        found: dict[MetricQuery, dict[datetime, float]],
    ) -> None:
        by_name = {(each.resource_id.lower(), SOURCES[each.metric].name): each for each in queries}
        aggregation = SOURCES[queries[0].metric].aggregation
        answers = await self._client.call(
            "metrics",
            "query_resources",
            region=region,
            resource_ids=list(dict.fromkeys(each.resource_id for each in queries)),
            metric_namespace=_NAMESPACE,
            metric_names=list(dict.fromkeys(SOURCES[each.metric].name for each in queries)),
            timespan=(_floor(span[0], period_s), span[1]),
            granularity=timedelta(seconds=period_s),
            aggregations=[aggregation],
        )
        for (resource_id, name), values in _published(answers, aggregation.lower()):
            query = by_name.get((resource_id, name))
            if query is not None:
                found[query].update(values)


def _grouped(queries: Sequence[MetricQuery]) -> Mapping[tuple[int, str], list[MetricQuery]]:
    """By period and aggregation, without what Azure does not measure and what is no machine's id."""
    groups: defaultdict[tuple[int, str], list[MetricQuery]] = defaultdict(list)
    for each in dict.fromkeys(queries):
        source = SOURCES.get(each.metric)
        if source is not None and f"/{names.MACHINE}/".lower() in each.resource_id.lower():
            groups[each.period_s, source.aggregation].append(each)
    return groups


def _published(answers: Any, aggregation: str) -> list[tuple[tuple[str, str], dict[datetime, float]]]:
    """Values by machine and metric; a period without a measurement has none, which is a gap and not zero."""
    found = []
    for answer in answers:
        for metric in answer.metrics:
            resource_id = metric.id.partition("/providers/Microsoft.Insights/")[0].lower()
            values = {
                point.timestamp.astimezone(UTC): float(getattr(point, aggregation))
                for series in metric.timeseries
                for point in series.data
                if getattr(point, aggregation) is not None
            }
            found.append(((resource_id, metric.name), values))
    return found


def _series(query: MetricQuery, values: Mapping[datetime, float], start: datetime, end: datetime) -> MetricSeries:
    source = SOURCES.get(query.metric)
    points = () if source is None else tuple(
        MetricPoint(time, source.value(value, query.period_s))
        for time, value in sorted(values.items())
        if start <= time < end
    )  # fmt: skip
    return MetricSeries(query, points, complete=True)


def _check_period(period_s: int) -> None:
    if period_s not in _PERIODS_S:
        detail = f"is one of {', '.join(str(each) for each in _PERIODS_S)} seconds, not {period_s}"
        raise InvalidRequest(
            "invalid_period", f"period_s {detail}", provider=PROVIDER, operation="query_resources",
            problems=(FieldProblem("period_s", detail),),
        )  # fmt: skip


def _floor(time: datetime, period_s: int) -> datetime:
    """Periods begin at multiples of themselves; asked between two, Azure's first point begins before."""
    seconds = time.timestamp()
    return datetime.fromtimestamp(seconds - seconds % period_s, UTC)
