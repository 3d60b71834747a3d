"""What does Cloud Monitoring measure of an instance, and how does it become our eight values?

Sources: cloud.google.com/monitoring/api/metrics_gcp_c (compute.googleapis.com: a sample each 60 s, cpu/utilization is 0
to 1, the byte counts are deltas), cloud.google.com/monitoring/api/metrics_opsagent (agent.googleapis.com: memory and
disk exist only where the Ops Agent runs), projects.timeSeries.list (aggregation, at most 100,000 points a page) and
cloud.google.com/monitoring/api/v3/filters (a filter has at most 2,048 characters).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clouds.capabilities import Metrics
from shared.clouds.errors import FieldProblem, InvalidRequest, ProviderFault
from shared.clouds.gcp.addresses import zonal
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.models import MetricAnswer, MetricName, MetricPoint, MetricQuery, MetricSeries

_SAMPLE_S = 60
_PAGE_POINTS = 100_000
_NAMES_CHARACTERS_MAX = 1_700  # of a filter's 2,048; the rest is the metric, the zone and the words between
_NAME_LABEL = "metadata.system_labels.name"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where Google publishes a value. Several series of one machine (disks, kinds of traffic) are reduced to one."""

    type: str
    aligner: str = "ALIGN_MEAN"
    reducer: str = "REDUCE_MEAN"
    factor: float = 1.0
    also: str = ""


_TO_PERCENT = 100.0
_BYTES_TO_MEGABITS = 8 / 1_000_000
_USED = ' AND metric.labels.state = "used"'

SOURCES: Mapping[MetricName, _Source] = {
    MetricName.CPU_UTILIZATION: _Source("compute.googleapis.com/instance/cpu/utilization", factor=_TO_PERCENT),
    MetricName.NETWORK_IN_MBPS: _Source(
        "compute.googleapis.com/instance/network/received_bytes_count", "ALIGN_RATE", "REDUCE_SUM", _BYTES_TO_MEGABITS
    ),
    MetricName.NETWORK_OUT_MBPS: _Source(
        "compute.googleapis.com/instance/network/sent_bytes_count", "ALIGN_RATE", "REDUCE_SUM", _BYTES_TO_MEGABITS
    ),
    MetricName.MEMORY_UTILIZATION: _Source("agent.googleapis.com/memory/percent_used", also=_USED),
    MetricName.DISK_UTILIZATION: _Source("agent.googleapis.com/disk/percent_used", reducer="REDUCE_MAX", also=_USED),
    MetricName.RESPONSE_TIME_MS: _Source("custom.googleapis.com/canopy/response_time_ms"),
    MetricName.ERROR_RATE: _Source("custom.googleapis.com/canopy/error_rate"),
    MetricName.REQUESTS_PER_SECOND: _Source("custom.googleapis.com/canopy/requests_per_second"),
}
"""Google measures no application; a tenant's own publisher puts those as custom metrics of the instance."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Queries that one call answers: one metric and period, machines of one zone by name."""

    metric: MetricName
    period_s: int
    zone: str
    names: tuple[str, ...]


@dataclass(slots=True)
class _Collected:
    """Values by metric, period, zone, name, and the time at which their period begins."""

    values: dict[tuple[MetricName, int, str, str], dict[datetime, float]] = field(default_factory=dict)
    incomplete: set[_Group] = field(default_factory=set)
    calls: int = 0


class GcpMetrics(Metrics):
    """Google bills by the time series that it returns: queries name their machines."""

    def __init__(self, client: GcpClient) -> None:
        self._client = client

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:  # noqa: ARG002 - a machine's id says its zone
        for each in queries:
            _check_period(each.period_s)
        collected = _Collected()
        await asyncio.gather(*(self._collect(each, start, end, collected) for each in _groups(queries)))
        cut = {(each.metric, each.period_s, each.zone, name) for each in collected.incomplete for name in each.names}
        series = tuple(_series(each, collected, cut, start, end) for each in queries)
        return MetricAnswer(series, collected.calls, len(queries))

    async def _collect(self, group: _Group, start: datetime, end: datetime, collected: _Collected) -> None:
        """Periods are counted back from the interval's end, so both ends of it are put between two periods."""
        source, token = SOURCES[group.metric], ""
        names = ", ".join(f'"{each}"' for each in group.names)
        parameters = {
            "filter": f'metric.type = "{source.type}" AND resource.type = "gce_instance" AND resource.labels.zone = '
            f'"{group.zone}" AND {_NAME_LABEL} = one_of({names}){source.also}',
            "interval.startTime": _stamp(_floor(start, group.period_s)),
            "interval.endTime": _stamp(_ceiling(end, group.period_s)),
            "aggregation.alignmentPeriod": f"{group.period_s}s",
            "aggregation.perSeriesAligner": source.aligner,
            "aggregation.crossSeriesReducer": source.reducer,
            "aggregation.groupByFields": _NAME_LABEL,
            "pageSize": str(_PAGE_POINTS),
        }
        while True:
            page = await self._client.measured(
                "timeSeries", {**parameters, "pageToken": token} if token else parameters
            )
            collected.calls += 1
            if page.get("executionErrors"):
                collected.incomplete.add(group)
            for each in page.get("timeSeries", []):
                name = each["metadata"]["systemLabels"]["name"]
                known = collected.values.setdefault((group.metric, group.period_s, group.zone, name), {})
                known.update(_values(each["points"], group.period_s, source.factor))
            following = page.get("nextPageToken", "")
            if not following:
                return
            if following == token:
                raise ProviderFault(
                    "repeated_page", "The same page came twice", provider=PROVIDER, operation="timeSeries.list"
                )
            token = following


def _groups(queries: Sequence[MetricQuery]) -> Iterator[_Group]:
    """What no machine's id is has no values, and is not asked for."""
    named: dict[tuple[MetricName, int, str], list[str]] = {}
    for each in queries:
        place = zonal(each.resource_id, "instances")
        if place is not None:
            named.setdefault((each.metric, each.period_s, place.zone), []).append(place.name)
    for (metric, period_s, zone), names in named.items():
        batch: list[str] = []
        for name in dict.fromkeys(names):
            if batch and sum(len(each) + 4 for each in (*batch, name)) > _NAMES_CHARACTERS_MAX:
                yield _Group(metric, period_s, zone, tuple(batch))
                batch = []
            batch.append(name)
        yield _Group(metric, period_s, zone, tuple(batch))


def _values(points: Sequence[Mapping[str, Any]], period_s: int, factor: float) -> Iterator[tuple[datetime, float]]:
    """An aligned point carries the end of its period."""
    for each in points:
        value = each["value"]
        ends = datetime.fromisoformat(each["interval"]["endTime"]).astimezone(UTC)
        yield ends - timedelta(seconds=period_s), float(value.get("doubleValue", value.get("int64Value", 0))) * factor


def _series(
    query: MetricQuery,
    collected: _Collected,
    cut: set[tuple[MetricName, int, str, str]],
    start: datetime,
    end: datetime,
) -> MetricSeries:
    place = zonal(query.resource_id, "instances")
    if place is None:
        return MetricSeries(query, (), complete=True)
    key = (query.metric, query.period_s, place.zone, place.name)
    points = tuple(
        MetricPoint(time, value) for time, value in sorted(collected.values.get(key, {}).items()) if start <= time < end
    )
    return MetricSeries(query, points, complete=key not in cut)


def _check_period(period_s: int) -> None:
    if period_s < _SAMPLE_S or period_s % _SAMPLE_S:
        detail = f"is a multiple of {_SAMPLE_S} seconds, not {period_s}"
        raise InvalidRequest(
            "invalid_period",
            f"period_s {detail}",
            provider=PROVIDER,
            operation="timeSeries.list",
            problems=(FieldProblem("period_s", detail),),
        )


def _floor(time: datetime, period_s: int) -> datetime:
    seconds = time.timestamp()
    return datetime.fromtimestamp(seconds - seconds % period_s, UTC)


def _ceiling(time: datetime, period_s: int) -> datetime:
    floor = _floor(time, period_s)
    return floor if floor == time else floor + timedelta(seconds=period_s)


def _stamp(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
