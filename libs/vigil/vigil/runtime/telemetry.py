"""Traces: a provider that exports when a collector is configured, spans, and W3C context in outgoing headers."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_tracer = trace.get_tracer("vigil")


@contextmanager
def exporting(service: str, instance: str, endpoint: str) -> Iterator[None]:
    """Send this process's spans to the OTLP/gRPC collector at `endpoint`; with an empty one only contexts travel.

    What is still buffered is sent on leaving. A collector that is down costs spans, never work.
    """
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service, SERVICE_INSTANCE_ID: instance}))
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=2)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[trace.Span]:
    """A span that is current inside the block; an exception is recorded on it."""
    with _tracer.start_as_current_span(name, attributes=attributes) as current:
        yield current


def inject_trace(headers: MutableMapping[str, str]) -> None:
    """Add the current `traceparent` to outgoing headers."""
    propagate.inject(headers)
