"""What does one HTTP request leave behind? A correlation id, a span in the caller's trace, a metric.

The outermost middleware: an exception that nobody expected becomes a problem without details here.
"""

from time import perf_counter
from uuid import UUID

import structlog
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.api.problems import CORRELATION, problem_response
from shared.bus.failures import is_connectivity
from shared.kit.errors import CanopyError, Unavailable
from shared.kit.ids import new_id
from shared.kit.telemetry import tracer

CORRELATION_HEADER = b"x-correlation-id"
_TRACE_HEADERS = frozenset({b"traceparent", b"tracestate"})
UNKNOWN_ROUTE = "unknown"

HTTP_SECONDS = Histogram(
    "canopy_http_seconds",
    "Time to answer a request, by route template",
    ("method", "route", "status"),
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger(__name__)


class Observation:
    """Gives every request its correlation id (the client's own when it is a UUID) and answers what went wrong."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        correlation_id, context = _read_headers(scope)
        scope[CORRELATION] = correlation_id
        structlog.contextvars.bind_contextvars(correlation_id=str(correlation_id))
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._observed(scope, receive, send, context)

    async def _observed(self, scope: Scope, receive: Receive, send: Send, context: Context | None) -> None:
        started, status = perf_counter(), 0

        async def identified(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((CORRELATION_HEADER, str(scope[CORRELATION]).encode()))
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        with tracer.start_as_current_span(f"HTTP {method}", context=context, kind=SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, identified)
            except Exception as error:
                if status:
                    raise
                await problem_response(_unexpected(error), scope[CORRELATION])(scope, receive, identified)
            route = route_template(scope)
            span.update_name(f"HTTP {method} {route}")
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_status(Status(StatusCode.ERROR))
            took_s = perf_counter() - started
            if method not in _READS:
                log.info("request done", method=method, route=route, status=status, took_ms=round(took_s * 1000))
        HTTP_SECONDS.labels(method, route, str(status)).observe(took_s)


def route_template(scope: Scope) -> str:
    """`/api/cloud/resources/{resource}`: a label with an end, unlike the path."""
    return getattr(scope.get("route"), "path", UNKNOWN_ROUTE)


def _unexpected(error: Exception) -> CanopyError:
    """An outage says so and when to come back; anything else is a defect, logged and not described."""
    if is_connectivity(error):
        log.warning("request met an outage", error=type(error).__name__)
        return Unavailable("the gateway cannot reach its database or the bus", retry_after_s=2)
    log.error("request failed", exc_info=error)
    return CanopyError("an unexpected error; it has been logged")


def _read_headers(scope: Scope) -> tuple[UUID, Context | None]:
    correlation_id, carrier = None, {}
    for name, value in scope["headers"]:
        if name == CORRELATION_HEADER:
            correlation_id = _uuid(value)
        elif name in _TRACE_HEADERS:
            carrier[name.decode("latin-1")] = value.decode("latin-1")
    return correlation_id or new_id(), propagate.extract(carrier) if carrier else None


def _uuid(value: bytes) -> UUID | None:
    try:
        return UUID(value.decode("latin-1")) if len(value) == 36 else None
    except ValueError:
        return None
