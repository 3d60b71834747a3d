"""Metrics: batches of points as they travel on METRICS. msgspec structs: this is the hottest path (ADR 0004).

Units are in the names: percent for utilisations, megabits per second for network, milliseconds, percent of requests for
`error_rate`. A value that the provider did not publish is absent, never 0.
"""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec
from pydantic import Field

from shared.messages.base import Command, Facts, Request

METRIC_NAMES = (
    "cpu_utilization",
    "memory_utilization",
    "disk_utilization",
    "network_in_mbps",
    "network_out_mbps",
    "response_time_ms",
    "error_rate",
    "requests_per_second",
)


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One resource at one time: up to eight values."""

    resource_id: UUID
    time: datetime
    cpu_utilization: float | None = None
    memory_utilization: float | None = None
    disk_utilization: float | None = None
    network_in_mbps: float | None = None
    network_out_mbps: float | None = None
    response_time_ms: float | None = None
    error_rate: float | None = None
    requests_per_second: float | None = None


class MetricBatch(msgspec.Struct, frozen=True):
    """100 to 500 samples of one provider account and region."""

    id: UUID
    time: datetime
    organization: UUID
    provider_id: UUID
    region: str
    samples: list[Sample]


ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(MetricBatch)


Interval = Literal["1m", "5m", "1h", "1d"]
Aggregation = Literal["avg", "sum", "max", "min", "p95", "p99"]


class MetricPoint(Facts):
    """One bucket that begins at `time`; a metric without a value in it is null, never 0."""

    time: datetime
    values: dict[str, float | None]


class MetricSummary(Facts):
    """One metric over the whole span; without any value all but `data_points` are null."""

    avg_value: float | None
    max_value: float | None
    min_value: float | None
    data_points: int


class ResourceMetrics(Facts):
    """What one resource measured in [start, end): buckets with data, oldest first, and a summary per metric."""

    resource_id: UUID
    start: datetime
    end: datetime
    interval: str
    aggregation: str
    points: list[MetricPoint]
    summary: dict[str, MetricSummary]


class GetResourceMetrics(Request, entity="metric", name="get", owner="monitor", reply=ResourceMetrics):
    """Raises 404 for an unknown resource, 422 for a span that is empty or has more than 2,000 buckets.

    Samples are kept 90 days; of older days only `1d` knows something, from daily roll-ups (percentiles are null then).
    """

    resource: UUID
    start: datetime
    end: datetime
    interval: Interval = "5m"
    aggregation: Aggregation = "avg"


class ProviderCalls(Facts):
    """What one provider account was asked for on one day (UTC): real accounts pay by metric requested."""

    provider_id: UUID
    provider_name: str
    day: date
    operation: str
    api_calls: int
    metrics_requested: int


class CollectionState(Facts):
    """How collection stands for one account and region; `error` is null when the last one worked."""

    provider_id: UUID
    region: str
    last_started_at: datetime | None
    last_succeeded_at: datetime | None
    error: str | None


class MonitoringMetrics(Facts):
    """Collection as a whole: what it asked of the clouds, how it stands, how many samples came in the last hour."""

    calls: list[ProviderCalls]
    collections: list[CollectionState]
    samples_last_hour: int
    monitored_resources: int


class GetMonitoringMetrics(Request, entity="metric", name="report", owner="monitor", reply=MonitoringMetrics):
    days: int = Field(default=7, ge=1, le=90)


class CollectMetrics(Command, entity="metric", name="collect", owner="monitor"):
    """Ask one account (the aggregate) in one region for the series whose next point is due."""

    region: str
