"""The span of an HTTP request: its route, never its path, and an end with the head of the answer."""

from opentelemetry.trace import StatusCode

from vigil.contract import spans
from vigil.runtime.process.trace import current_traceparent
from vigil.testing.spans import recorded
from vigil_gateway.http.request_span import request_span


def test_a_request_ends_with_the_head_of_its_answer() -> None:
    with recorded() as exporter, request_span("GET", "http") as request:
        request.answered("/v1/sessions/{session}/events", 200)
        (found,) = exporter.get_finished_spans()  # the stream of events goes on
        assert current_traceparent(), "what the stream does belongs to the trace"
    assert found.name == "GET /v1/sessions/{session}/events"
    assert dict(found.attributes or {}) == {
        spans.HTTP_METHOD: "GET",
        spans.URL_SCHEME: "http",
        spans.HTTP_ROUTE: "/v1/sessions/{session}/events",
        spans.HTTP_STATUS: 200,
    }


def test_a_failure_of_the_gateway_is_an_error_and_a_refusal_is_none() -> None:
    with recorded() as exporter:
        for status in (404, 503):
            with request_span("POST", "http") as request:
                request.answered("/v1/sessions", status)
        refused, failed = exporter.get_finished_spans()
    assert refused.status.status_code is StatusCode.UNSET
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes is not None
    assert failed.attributes[spans.ERROR_TYPE] == "503"


def test_a_request_that_its_client_left_has_no_span() -> None:
    with recorded() as exporter:
        with request_span("GET", "http"):
            pass
        assert exporter.get_finished_spans() == ()
