"""The span of an HTTP request. It ends with the head of the answer: a stream of events may last for hours after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace

from vigil.contract import spans

_tracer = trace.get_tracer("vigil")
_FAILED = 500


class RequestSpan:
    """A request that is being answered."""

    def __init__(self, method: str, span: trace.Span) -> None:
        self._method = method
        self._span = span

    def answered(self, route: str, status: int) -> None:
        """The head of the answer goes out: the span ends."""
        self._span.update_name(f"{self._method} {route}")
        self._span.set_attributes({spans.HTTP_ROUTE: route, spans.HTTP_STATUS: status})
        if status >= _FAILED:
            self._span.set_attribute(spans.ERROR_TYPE, str(status))
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end()


@contextmanager
def request_span(method: str, scheme: str) -> Iterator[RequestSpan]:
    """The span of a request of this method: what the block does belongs to its trace. The caller says when it is
    answered; a request that the client leaves before has no span."""
    attributes = {spans.HTTP_METHOD: method, spans.URL_SCHEME: scheme}
    span = _tracer.start_span(method, kind=trace.SpanKind[spans.REQUEST.kind], attributes=attributes)
    with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield RequestSpan(method, span)
