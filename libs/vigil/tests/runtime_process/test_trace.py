"""Spans by registered rows: their names, their kinds, and what an exception leaves on them."""

import time

import pytest
from opentelemetry.trace import SpanKind as OtelKind
from opentelemetry.trace import StatusCode, get_current_span

from vigil.contract import spans
from vigil.contract.spans import SpanKind, SpanRow
from vigil.runtime.process.trace import continued, current_traceparent, name_of, span, with_trace
from vigil.testing.spans import recorded

STEP = SpanRow("step {trial.kind}", ("trial",), SpanKind.CONSUMER, "A step", ("",), ("trial.kind",))


def test_a_name_is_filled_with_attributes() -> None:
    assert name_of(STEP, {"trial.kind": "first", "trial.other": 3}) == "step first"
    assert name_of(spans.TICK, {}) == "tick"
    with pytest.raises(KeyError):
        name_of(STEP, {})


def test_a_span_has_its_rows_kind_and_begins_when_it_is_told() -> None:
    began_us = time.time_ns() // 1_000 - 2_000_000
    with recorded() as exporter, span(STEP, {"trial.kind": "late"}, began_us=began_us):
        pass
    (found,) = exporter.get_finished_spans()
    assert (found.name, found.kind) == ("step late", OtelKind.CONSUMER)
    assert found.start_time == began_us * 1_000
    assert found.end_time is not None
    assert found.end_time - found.start_time >= 2_000_000_000


def test_an_exception_is_recorded_with_its_kind_and_goes_on() -> None:
    with recorded() as exporter:
        with pytest.raises(ZeroDivisionError), span(STEP, {"trial.kind": "broken"}):
            raise ZeroDivisionError
        (found,) = exporter.get_finished_spans()
    assert found.attributes is not None
    assert found.attributes["error.type"] == "ZeroDivisionError"
    assert found.status.status_code is StatusCode.ERROR


def test_a_trace_goes_on_from_headers_and_into_headers() -> None:
    given = {"traceparent": f"00-{7:032x}-{9:016x}-01"}
    with recorded() as exporter, continued(given), span(STEP, {"trial.kind": "inner"}):
        sent = with_trace({"Other": "kept"})
        assert sent["traceparent"] == current_traceparent()
    (found,) = exporter.get_finished_spans()
    assert found.parent is not None
    assert (found.parent.trace_id, found.parent.span_id) == (7, 9)
    assert sent["traceparent"].split("-")[1] == f"{7:032x}"
    assert sent["Other"] == "kept"
    assert not get_current_span().get_span_context().is_valid


def test_headers_without_a_trace_begin_none() -> None:
    with continued({"traceparent": ""}):
        assert current_traceparent() == ""
