"""Metrics: batches of points as they travel on METRICS. msgspec structs: this is the hottest path (ADR 0004).

Units are in the names: percent for utilisations, megabits per second for network, milliseconds, percent of requests for
`error_rate`. A value that the provider did not publish is absent, never 0.
"""

from datetime import datetime
from uuid import UUID

import msgspec

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
