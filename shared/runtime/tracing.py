"""Where do spans go? To the OTLP endpoint of the deployment, sampled by the root of each trace."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio


def configure_tracing(service: str, endpoint: str | None, sample_ratio: float) -> TracerProvider:
    """Trace with the W3C context; spans go to the OTLP endpoint when there is one."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"canopy-{service}"}), sampler=ParentBasedTraceIdRatio(sample_ratio)
    )
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider
