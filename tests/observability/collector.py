"""An OTLP collector that keeps what it gets: the spans of every process that was told its address."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it arrived. Times are nanoseconds of the wall clock; `parent` is empty at the beginning of a trace."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    began_ns: int
    ended_ns: int
    failed: bool
    attributes: dict[str, Any]


@dataclass(slots=True)
class Collector:
    """What came since it was opened: how many spans, and the spans themselves unless it keeps none."""

    endpoint: str = ""
    keep: bool = True
    count: int = 0
    spans: list[ReceivedSpan] = field(default_factory=list)

    def trace(self, trace: str) -> list[ReceivedSpan]:
        """The spans of a trace, the earliest first."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.began_ns)

    def take(self, request: trace_service_pb2.ExportTraceServiceRequest) -> None:
        """Count and keep what a process sends."""
        for resource in request.resource_spans:
            self.count += sum(len(scope.spans) for scope in resource.scope_spans)
            if not self.keep:
                continue
            service = _attributes(resource.resource.attributes)["service.name"]
            self.spans += [_read(str(service), span) for scope in resource.scope_spans for span in scope.spans]


@asynccontextmanager
async def collecting_spans(*, keep: bool = True) -> AsyncIterator[Collector]:
    """A collector at a free port, until the block is left."""
    server, collector = grpc.aio.server(), Collector(keep=keep)
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Service(collector), server)  # type: ignore[no-untyped-call]
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)


class _Service(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def Export(  # noqa: N802  the name is the protocol's
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        self._collector.take(request)
        return trace_service_pb2.ExportTraceServiceResponse()


def _read(service: str, span: ProtoSpan) -> ReceivedSpan:
    return ReceivedSpan(
        service,
        span.name,
        ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == span.status.STATUS_CODE_ERROR,
        _attributes(span.attributes),
    )


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)
