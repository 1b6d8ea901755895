"""Sends a process's spans to a collector, when an address is configured."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased


@contextmanager
def exporting(service: str, instance: str, endpoint: str, share: float = 1.0) -> Iterator[None]:
    """Send this process's spans to the OTLP/gRPC collector at `endpoint`. With an empty `endpoint` no span is
    sent; trace contexts still travel in headers. Of the traces that begin here, a `share` is recorded.

    What is still buffered is sent on leaving. While the collector is down, spans are lost and work goes on.
    """
    # Without a collector, spans are recorded only when the sender of a message asks for its trace.
    sampler = TraceIdRatioBased(share) if endpoint else ALWAYS_OFF
    resource = Resource.create({SERVICE_NAME: service, SERVICE_INSTANCE_ID: instance})
    provider = TracerProvider(ParentBased(sampler), resource)
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=2)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
