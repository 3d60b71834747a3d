"""How do samples at any times become points of whole periods?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from shared.clouds.libcloud.refusals import invalid
from shared.clouds.models import MetricPoint


def averages(
    samples: Iterable[tuple[float, float]], period_s: int, start: datetime, end: datetime
) -> tuple[MetricPoint, ...]:
    """A point for each period, cut from the epoch on, that begins in [start, end) and has samples.

    Samples are times in seconds since 1970 with values; a point is the mean of its period's.
    """
    collected: dict[float, list[float]] = defaultdict(list)
    for time_s, value in samples:
        collected[time_s // period_s * period_s].append(value)
    return tuple(
        MetricPoint(datetime.fromtimestamp(begin_s, UTC), math.fsum(values) / len(values))
        for begin_s, values in sorted(collected.items())
        if start.timestamp() <= begin_s < end.timestamp()
    )


def check_period(period_s: int, published_s: int, *, provider: str) -> None:
    """`InvalidRequest` for a period that is no multiple of that of the samples."""
    if period_s < published_s or period_s % published_s:
        detail = f"is a multiple of {published_s} seconds, not {period_s}"
        raise invalid("period_s", detail, provider=provider, operation="metrics.query")
