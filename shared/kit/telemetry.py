"""What can be seen from outside? OpenTelemetry traces through every message, Prometheus metrics with bounded labels.

Labels and span names are patterns (`canopy.event.*.resource.started.v1.*`), never subjects: those have no end.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

import structlog
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Counter, Gauge, Histogram

tracer = trace.get_tracer("canopy")

MESSAGES = Counter("canopy_messages_total", "Messages handled", ("kind", "pattern", "outcome"))
MESSAGE_SECONDS = Histogram(
    "canopy_message_seconds",
    "Time to handle a message or a batch",
    ("kind", "pattern"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
DEAD_LETTERS = Counter("canopy_dead_letters_total", "Messages set aside as dead letters", ("pattern",))
OUTBOX_PUBLISHED = Counter("canopy_outbox_published_total", "Outbox rows stored by the stream", ("outcome",))
JOB_RUNS = Counter("canopy_job_runs_total", "Runs of scheduled jobs", ("job", "outcome"))
CLOUD_CALLS = Counter("canopy_cloud_calls_total", "Calls to cloud APIs (they cost money)", ("provider", "operation"))
CLOUD_BUDGET_WAIT_SECONDS = Histogram(
    "canopy_cloud_budget_wait_seconds",
    "Time that calls to cloud APIs waited for their turn",
    ("provider", "api", "priority"),
    buckets=(0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60),
)
CLOUD_THROTTLED = Counter("canopy_cloud_throttled_total", "Calls that a cloud refused as too many", ("provider", "api"))
CLOUD_BUDGET_RATE = Gauge(
    "canopy_cloud_budget_calls_per_second", "What this process may send now, over all accounts", ("provider", "api")
)
READY = Gauge("canopy_ready", "1 when the process answers its readiness probe")


class Envelope(Protocol):
    """What a log line says of a message."""

    @property
    def id(self) -> object: ...
    @property
    def organization(self) -> object: ...
    @property
    def correlation_id(self) -> object: ...


@contextmanager
def message_span(kind: str, pattern: str, headers: Mapping[str, str] | None) -> Iterator[trace.Span]:
    """A consumer span that continues the sender's trace, and the metrics of one handled message."""
    context = propagate.extract(headers) if headers and "traceparent" in headers else None
    started = perf_counter()
    outcome = "ok"
    with tracer.start_as_current_span(
        f"{kind} {pattern}", context=context, kind=SpanKind.CONSUMER, record_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            outcome = type(error).__name__
            span.set_status(Status(StatusCode.ERROR, outcome))
            raise
        finally:
            MESSAGES.labels(kind, pattern, outcome).inc()
            MESSAGE_SECONDS.labels(kind, pattern).observe(perf_counter() - started)


def log_fields(message: Envelope) -> dict[str, str]:
    """What a log line says of the message it is about."""
    return {
        "organization": str(message.organization),
        "correlation_id": str(message.correlation_id),
        "message": str(message.id),
    }


@contextmanager
def logged_for(message: Envelope) -> Iterator[None]:
    """Every line that is logged inside names the message's organization, its correlation id, and the message."""
    with structlog.contextvars.bound_contextvars(**log_fields(message)):
        yield
