"""Spans, and the W3C trace context that joins the spans of several processes: it travels as `traceparent` header."""

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
    """Inside the block, spans belong to the trace that these headers name, if they name any."""
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
