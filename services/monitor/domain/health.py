"""How healthy is a resource, and how healthy are all of them? Requirements 1.3 and C25; unknown is a value.

Score: start at 100; cpu > 80 % -20; memory > 85 % -15; disk > 90 % -25; response > 1000 ms -15; at least 0.
Status (decided here): score >= 80 healthy, >= 50 warning, below critical. A resource that measured none of the four,
or whose telemetry is stale, is unknown: no telemetry is not health.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

UNKNOWN: Final = "unknown"
HEALTHY_FROM: Final = 80
WARNING_FROM: Final = 50

PENALTIES: Final = (
    ("cpu_utilization", 80.0, 20),
    ("memory_utilization", 85.0, 15),
    ("disk_utilization", 90.0, 25),
    ("response_time_ms", 1000.0, 15),
)


def health_score(cpu: float | None, memory: float | None, disk: float | None, response_ms: float | None) -> int | None:
    """0 to 100, None when none of the four is known; an unknown value costs nothing and proves nothing."""
    if cpu is None and memory is None and disk is None and response_ms is None:
        return None
    score = 100
    for value, (_, limit, penalty) in zip((cpu, memory, disk, response_ms), PENALTIES, strict=True):
        if value is not None and value > limit:
            score -= penalty
    return max(score, 0)


def health_status(score: int | None) -> str:
    """healthy, warning, critical or unknown."""
    if score is None:
        return UNKNOWN
    if score >= HEALTHY_FROM:
        return "healthy"
    return "warning" if score >= WARNING_FROM else "critical"


def current_status(status: str, last_time: datetime | None, now: datetime, stale_after_s: float) -> str:
    """The status that telemetry of `last_time` still supports at `now`."""
    if last_time is None or now - last_time > timedelta(seconds=stale_after_s):
        return UNKNOWN
    return status


def overall_status(counts: Mapping[str, int]) -> str:
    """The worst that is there: critical > warning > healthy > unknown; of no resource at all unknown."""
    return next((status for status in ("critical", "warning", "healthy") if counts.get(status)), UNKNOWN)
