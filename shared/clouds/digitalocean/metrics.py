"""What does DigitalOcean measure of a droplet, and how does it become our eight values?

Sources: docs.digitalocean.com/reference/api, "Monitoring" (Prometheus matrices of one droplet each; CPU as seconds that
count up by mode, bandwidth in megabits a second, memory and filesystems in bytes), and docs.digitalocean.com/products/
monitoring (memory and disk need the agent: a droplet with `monitoring`). Bandwidth is the public interface's.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clouds.capabilities import Metrics
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.errors import NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.series import averages, check_period
from shared.clouds.models import MetricAnswer, MetricName, MetricQuery, MetricSeries

_PUBLISHED_S = 60
_LOOK_BACK_S = 300
"""How far before the start CPU is asked for: a rate needs the count before."""
_GAP_S = 600
"""Counts further apart say nothing about the time between."""

Samples = Mapping[float, float]
"""Value by time in seconds since 1970."""
Matrix = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Source:
    """Paths below `/v2/monitoring/metrics/droplet/`, further parameters, and what their matrices mean together."""

    paths: tuple[str, ...]
    value: Callable[..., Samples]
    query: tuple[tuple[str, str], ...] = ()


def busy_percent(matrix: Matrix) -> Samples:
    """CPU that was not idle between two counts, by the time of the first; none across a restart, where counts fall."""
    counts: dict[float, dict[str, float]] = defaultdict(dict)
    for series in matrix:
        for time_s, text in series["values"]:
            counts[float(time_s)][str(series["metric"]["mode"])] = float(text)
    found: dict[float, float] = {}
    for before_s, after_s in itertools.pairwise(sorted(counts)):
        before, after = counts[before_s], counts[after_s]
        passed = {mode: after[mode] - before.get(mode, 0.0) for mode in after}
        total = math.fsum(passed.values())
        if total > 0 and min(passed.values()) >= 0 and after_s - before_s <= _GAP_S and set(before) == set(after):
            found[before_s] = 100 * (1 - passed.get("idle", 0.0) / total)
    return found


def used_percent(free: Matrix, total: Matrix) -> Samples:
    """How much is not free, where both are known; of filesystems the root's."""
    left, whole = _samples(free), _samples(total)
    return {time_s: 100 * (1 - left[time_s] / whole[time_s]) for time_s in left if whole.get(time_s)}


def _samples(matrix: Matrix) -> Samples:
    chosen = next((each for each in matrix if each["metric"].get("mountpoint", "/") == "/"), None)
    return {} if chosen is None else {float(time_s): float(text) for time_s, text in chosen["values"]}


SOURCES: Mapping[MetricName, _Source] = {
    MetricName.CPU_UTILIZATION: _Source(("cpu",), busy_percent),
    MetricName.MEMORY_UTILIZATION: _Source(("memory_available", "memory_total"), used_percent),
    MetricName.DISK_UTILIZATION: _Source(("filesystem_free", "filesystem_size"), used_percent),
    MetricName.NETWORK_IN_MBPS: _Source(("bandwidth",), _samples, (("interface", "public"), ("direction", "inbound"))),
    MetricName.NETWORK_OUT_MBPS: _Source(
        ("bandwidth",), _samples, (("interface", "public"), ("direction", "outbound"))
    ),
}
"""DigitalOcean measures no application: the other values have no points."""


class DigitalOceanMetrics(Metrics):
    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        """One or two calls a series: DigitalOcean answers one value of one droplet at a time.

        It publishes about a sample a minute; a point is the average of its period's. A period is whole minutes.
        """
        for each in queries:
            check_period(each.period_s, _PUBLISHED_S, provider=PROVIDER)
        found = await asyncio.gather(*(self._series(region, each, start, end) for each in queries))
        calls = sum(len(SOURCES[each.metric].paths) for each in queries if each.metric in SOURCES)
        return MetricAnswer(tuple(found), calls, calls)

    async def _series(self, region: str, query: MetricQuery, start: datetime, end: datetime) -> MetricSeries:
        source = SOURCES.get(query.metric)
        if source is None:
            return MetricSeries(query, (), complete=True)
        matrices = [await self._matrix(region, path, query, source, start, end) for path in source.paths]
        with self._client.reading("monitoring.query"):
            samples = source.value(*matrices)
            return MetricSeries(query, averages(samples.items(), query.period_s, start, end), complete=True)

    async def _matrix(
        self, region: str, path: str, query: MetricQuery, source: _Source, start: datetime, end: datetime
    ) -> Matrix:
        period_s = query.period_s
        asked = {
            "host_id": query.resource_id,
            "start": int(start.timestamp() // period_s * period_s) - _LOOK_BACK_S,
            "end": math.ceil(end.timestamp() / period_s) * period_s + period_s,
            **dict(source.query),
        }
        path = f"/v2/monitoring/metrics/droplet/{path}"
        try:
            answer = await self._client.request(
                "monitoring.query", "GET", path, region=region, query=asked, wants=("data",)
            )
        except NotFound:  # a droplet that is no more has no points
            return ()
        with self._client.reading("monitoring.query"):
            matrix: Matrix = answer["data"]["result"]
            return matrix
