"""Spans, and the W3C trace context that joins the spans of several processes: it travels as `traceparent` header."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace

from vigil.contract.spans import ERROR_TYPE, SpanRow

TRACEPARENT = "traceparent"

AttributeValue = str | int | float | bool

_tracer = trace.get_tracer("vigil")
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")
_US = 1_000


@contextmanager
def span(
    row: SpanRow, attributes: Mapping[str, AttributeValue], *, began_us: int | None = None
) -> Iterator[trace.Span]:
    """A span that is current inside the block; an exception is recorded on it, with its kind as `error.type`.

    It begins now, or when it `began_us` (microseconds of the wall clock), which is never after now.
    """
    began = None if began_us is None else began_us * _US
    with _tracer.start_as_current_span(
        name_of(row, attributes), kind=trace.SpanKind[row.kind], attributes=attributes, start_time=began
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_attribute(ERROR_TYPE, type(error).__name__)
            raise


def name_of(row: SpanRow, attributes: Mapping[str, AttributeValue]) -> str:
    """The name of a span of this row: attributes in braces are replaced by their values."""
    if "{" not in row.name:
        return row.name
    return _PLACEHOLDER.sub(lambda found: str(attributes[found[1]]), row.name)


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
