"""What does Linode measure of an instance, and how does it become our eight values?

Source: techdocs.akamai.com/linode-api/reference/get-linode-stats: the last 24 hours, a sample each 5 minutes, CPU in
percent of one processor (their graphs of four processors end at 400), network in bits a second. It does not say what
happens inside the machine: memory and disk have no points.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clouds.capabilities import Metrics
from shared.clouds.errors import InvalidRequest, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.series import averages, check_period
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.models import MetricAnswer, MetricName, MetricQuery, MetricSeries

_PUBLISHED_S = 300
_KEPT = timedelta(hours=24)
_BITS_PER_MEGABIT = 1_000_000

Samples = list[tuple[float, float]]


class LinodeMetrics(Metrics):
    def __init__(self, client: LibcloudClient, *, wall_s: Callable[[], float] = time.time) -> None:
        self._client = client
        self._wall_s = wall_s

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        """Two calls a machine: its statistics, and how many processors it has.

        A period is a multiple of 300 s. A series from before the last 24 hours is not complete.
        """
        for each in queries:
            check_period(each.period_s, _PUBLISHED_S, provider=PROVIDER)
        asked = list(dict.fromkeys(each.resource_id for each in queries))
        answers = dict(zip(asked, await asyncio.gather(*(self._samples(region, each) for each in asked)), strict=True))
        complete = start >= datetime.fromtimestamp(self._wall_s(), UTC) - _KEPT
        series = tuple(
            MetricSeries(
                each,
                averages(answers[each.resource_id].get(each.metric, []), each.period_s, start, end),
                complete=complete or each.metric not in _MEASURED,
            )
            for each in queries
        )
        return MetricAnswer(series, 2 * len(asked), len(queries))

    async def _samples(self, region: str, machine_id: str) -> Mapping[MetricName, Samples]:
        """None for a machine that is no more, or so new that its "stats are unavailable at this time"."""
        path = f"/v4/linode/instances/{machine_id}"
        if not machine_id.isdecimal():
            return {}
        try:
            machine = await self._client.request("instances.get", "GET", path, region=region)
            answer = await self._client.request("instances.stats", "GET", f"{path}/stats", region=region)
        except NotFound:
            return {}
        except InvalidRequest as error:
            if "unavailable" in error.message.lower():
                return {}
            raise
        with self._client.reading("instances.stats"):
            return _read(answer["data"], int(machine["specs"]["vcpus"]))


_MEASURED = (MetricName.CPU_UTILIZATION, MetricName.NETWORK_IN_MBPS, MetricName.NETWORK_OUT_MBPS)


def _read(data: Mapping[str, Any], processors: int) -> dict[MetricName, Samples]:
    """Times are milliseconds since 1970; the network is that of both families of addresses together."""
    found = {MetricName.CPU_UTILIZATION: [(ms / 1000, percent / processors) for ms, percent in data["cpu"]]}
    for name, direction in ((MetricName.NETWORK_IN_MBPS, "in"), (MetricName.NETWORK_OUT_MBPS, "out")):
        bits: dict[float, float] = {}
        for family in ("netv4", "netv6"):
            for ms, bits_per_second in data[family][direction]:
                bits[ms / 1000] = bits.get(ms / 1000, 0.0) + bits_per_second
        found[name] = [(time_s, value / _BITS_PER_MEGABIT) for time_s, value in sorted(bits.items())]
    return found
