"""Where a process's spans go: to a collector, when one is configured."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased


@contextmanager
def exporting(service: str, instance: str, endpoint: str) -> Iterator[None]:
    """Send this process's spans to the OTLP/gRPC collector at `endpoint`; with an empty one only contexts travel.

    What is still buffered is sent on leaving. A collector that is down costs spans, never work.
    """
    # Spans that nobody will see are not recorded, unless the sender of a message wants its trace to be.
    sampler = ALWAYS_ON if endpoint else ALWAYS_OFF
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
