"""W3C trace context over the bus: it rides in the `traceparent` header."""

from collections.abc import Mapping

from opentelemetry import propagate
from opentelemetry.context import Context

TRACEPARENT = "traceparent"


def current_traceparent() -> str:
    """The `traceparent` of the current span; empty outside of one."""
    return with_trace({}).get(TRACEPARENT, "")


def with_trace(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` and the current trace context; a `traceparent` that is there already stays."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {**carrier, **headers}


def continued(headers: Mapping[str, str]) -> Context:
    """The context to start a span in, so that it belongs to the sender's trace."""
    return propagate.extract(headers)
