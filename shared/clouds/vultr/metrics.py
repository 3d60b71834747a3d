"""What does Vultr measure of an instance, and how does it become our values?

Source: www.vultr.com/api, "Get Instance Bandwidth": bytes in and out by day (UTC), nothing else. Whatever is inside a
machine, also its CPU, Vultr does not tell.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.clouds.capabilities import Metrics
from shared.clouds.errors import NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.series import averages, check_period
from shared.clouds.models import MetricAnswer, MetricName, MetricQuery, MetricSeries
from shared.clouds.vultr.errors import PROVIDER

DAY_S = 86_400
_BITS_PER_BYTE = 8
_BITS_PER_MEGABIT = 1_000_000
FIELDS: Mapping[MetricName, str] = {
    MetricName.NETWORK_IN_MBPS: "incoming_bytes",
    MetricName.NETWORK_OUT_MBPS: "outgoing_bytes",
}


class VultrMetrics(Metrics):
    def __init__(self, client: LibcloudClient, *, wall_s: Callable[[], float] = time.time) -> None:
        self._client = client
        self._wall_s = wall_s

    async def query(self, region: str, queries: Sequence[MetricQuery], start: datetime, end: datetime) -> MetricAnswer:
        """One call a machine. A period is a day or several; a day that is not over has no point yet."""
        for each in queries:
            check_period(each.period_s, DAY_S, provider=PROVIDER)
        asked = list(dict.fromkeys(each.resource_id for each in queries if each.metric in FIELDS))
        answers = dict(zip(asked, await asyncio.gather(*(self._days(region, each) for each in asked)), strict=True))
        with self._client.reading("instances.bandwidth"):
            series = tuple(
                MetricSeries(
                    each,
                    averages(self._samples(answers.get(each.resource_id, {}), each.metric), each.period_s, start, end),
                    complete=True,
                )
                for each in queries
            )
        return MetricAnswer(series, len(asked), len(queries))

    def _samples(self, days: Mapping[str, Any], metric: MetricName) -> list[tuple[float, float]]:
        """Megabits a second, over the whole day, by the second in which the day began."""
        found = []
        for day, used in days.items():
            begin_s = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
            if metric in FIELDS and begin_s + DAY_S <= self._wall_s():
                bits = int(used[FIELDS[metric]]) * _BITS_PER_BYTE
                found.append((begin_s, bits / DAY_S / _BITS_PER_MEGABIT))
        return found

    async def _days(self, region: str, machine_id: str) -> Mapping[str, Any]:
        if not re.fullmatch(r"[0-9a-f-]{36}", machine_id):
            return {}
        path = f"/v2/instances/{machine_id}/bandwidth"
        try:
            answer = await self._client.request("instances.bandwidth", "GET", path, region=region, wants=("bandwidth",))
        except NotFound:  # a machine that is no more has no points
            return {}
        days: Mapping[str, Any] = answer["bandwidth"]
        return days
