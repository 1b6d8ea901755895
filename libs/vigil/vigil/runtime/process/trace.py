"""Spans, and the W3C trace context that joins those of several processes: it rides in the `traceparent` header."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace

TRACEPARENT = "traceparent"

_tracer = trace.get_tracer("vigil")


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[trace.Span]:
    """A span that is current inside the block; an exception is recorded on it."""
    with _tracer.start_as_current_span(name, attributes=attributes) as current:
        yield current


@contextmanager
def continued(headers: Mapping[str, str]) -> Iterator[None]:
    """What happens inside the block belongs to the trace of the message that has these headers, if it has one."""
    token = context.attach(propagate.extract(headers, context.get_current()))
    try:
        yield
    finally:
        context.detach(token)


def current_traceparent() -> str:
    """The `traceparent` of the current span; empty outside of one."""
    return with_trace({}).get(TRACEPARENT, "")


def with_trace(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` and the current trace context; a `traceparent` that is there already stays."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {**carrier, **headers}
