"""What travels over gRPC and WebSockets, as values: statuses, problems, messages that are no messages."""

import base64
import json
import struct

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from vigil.contract.errors import InvalidMessage
from vigil.core.duplicate import DuplicateGuard
from vigil.core.ids import SessionKey
from vigil.core.instruction import Severity
from vigil.core.session import ResponseMode
from vigil.runtime.errors import StoreCorrupt
from vigil.v1 import gateway_pb2 as pb
from vigil_gateway.api import problems
from vigil_gateway.api.errors import CapacityFull, NoSuchSession
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.models.live import PictureIn
from vigil_gateway.api.problems import MAX_DETAIL_CHARS, Problem, Row, problem_of
from vigil_gateway.api.turn_errors import PictureRefused
from vigil_gateway.live.feed import EventKind, LiveEvent, event
from vigil_gateway.rpc import messages
from vigil_gateway.rpc.status import code_of, message_of, trailer_of
from vigil_gateway.websocket.messages import Ask, End, Shown, id_of, read_binary, read_text

ROWS = [
    *problems.TABLE.values(),
    *(row for row in vars(problems).values() if isinstance(row, Row) and row.status not in (404, 405)),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind)
def test_every_problem_has_a_status_and_a_trailer_in_ascii(row: Row) -> None:
    problem = Problem(row, "é" * 5_000, {"errors": ["a secret of HTTP"] * 1_000})
    assert code_of(problem) is not StatusCode.OK
    assert message_of(problem).endswith(row.next_step)
    ((name, value),) = trailer_of(problem)
    assert (name, value.isascii()) == ("vigil-problem", True)
    assert len(value) < 8_000
    told = json.loads(value)
    assert (told["type"], told["status"]) == (f"urn:vigil:problem:{row.kind}", row.status)
    assert told["detail"] == "é" * MAX_DETAIL_CHARS


@pytest.mark.parametrize(
    ("error", "level", "has_traceback"),
    [
        (RuntimeError("a bug"), "error", True),
        (StoreCorrupt(SessionKey("demo", "s-1"), "its spec cannot be read"), "warning", False),
        (CapacityFull(("codec",)), "warning", False),
        (NoSuchSession("s-1"), None, False),
    ],
)
def test_the_gateways_faults_are_logged_and_the_clients_are_not(
    error: Exception, level: str | None, has_traceback: bool
) -> None:
    with capture_logs() as logs:
        log_failure(problem_of(error), error, method="EndSession")
    assert [entry["log_level"] for entry in logs] == ([level] if level else [])
    assert [entry["method"] for entry in logs] == ["EndSession"] * len(logs)
    assert any("exc_info" in entry for entry in logs) is has_traceback


@pytest.mark.parametrize("message", [{"type": "dance" * 50_000}, {"type": "end", "dance" * 50_000: 1}])
def test_a_problem_quotes_only_the_beginning_of_a_message(message: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        read_text(json.dumps(message))
    problem = problem_of(refused.value)
    assert "dance" in problem.detail
    assert len(problem.detail) <= MAX_DETAIL_CHARS
    assert len(json.dumps(problem.as_json())) < 4 * MAX_DETAIL_CHARS


def test_the_same_error_is_the_same_problem_everywhere() -> None:
    unknown, full = problem_of(NoSuchSession("s-1")), problem_of(CapacityFull(("codec",)))
    assert (unknown.row.status, code_of(unknown)) == (404, StatusCode.NOT_FOUND)
    assert (full.row.status, code_of(full)) == (503, StatusCode.RESOURCE_EXHAUSTED)
    crash = problem_of(RuntimeError("a secret"))
    assert code_of(crash) is StatusCode.INTERNAL
    assert "secret" not in message_of(crash)


@pytest.mark.parametrize(
    ("enum", "words", "no_word"),
    [
        (pb.Severity, set(Severity), "unspecified"),
        (pb.ResponseMode, set(ResponseMode), "unspecified"),
        (pb.DuplicateGuard, set(DuplicateGuard), "unspecified"),
    ],
)
def test_enums_have_the_words_of_http(enum: object, words: set[str], no_word: str) -> None:
    descriptor = enum.DESCRIPTOR  # type: ignore[attr-defined]
    assert {messages.word(descriptor, number) for number in descriptor.values_by_number} == words | {no_word}
    assert messages.word(descriptor, 99) == "99"


def test_only_what_the_client_has_set_is_taken() -> None:
    request = pb.OpenSessionRequest(
        source=pb.SessionSource(url="rtsp://camera", loop=True),
        cadence=pb.Cadence(interval_ms=500),
        speech=pb.Speech(duplicate_guard=pb.DUPLICATE_GUARD_OFF),
        infer_when_idle=False,
        watches=[pb.SessionWatch(text="Fire?", severity=pb.SEVERITY_CRITICAL, hold_s=0.0)],
        instructions=["Greet."],
    )
    assert messages.given(request) == {
        "source": {"url": "rtsp://camera", "loop": True},
        "cadence": {"interval_ms": 500},
        "speech": {"duplicate_guard": "off"},
        "infer_when_idle": False,
        "watches": [{"text": "Fire?", "severity": "critical", "hold_s": 0.0}],
        "instructions": ["Greet."],
    }
    body = messages.session_in(request)
    assert (body.cadence.frames_per_turn, body.window.chunk_turns, body.watches[0].hold_s) == (1, 100, 0.0)


def test_status_and_end_are_messages_of_their_own() -> None:
    status = event(EventKind.STATUS, {"roles": {"codec": {"state": "coding"}}, "dropped": {"decision": 3}})
    sent = messages.event_message(status).status
    assert (MessageToDict(sent.roles), dict(sent.dropped)) == ({"codec": {"state": "coding"}}, {"decision": 3})
    away = messages.event_message(event(EventKind.STATUS, {"roles": None, "dropped": {}}))
    assert not away.status.HasField("roles")
    assert messages.event_message(event(EventKind.END, {"reason": "over"})).end.reason == "over"
    with pytest.raises(InvalidMessage):
        messages.event_message(LiveEvent(EventKind.DECISION, b"{}"))


def test_every_message_of_the_client_is_read() -> None:
    picture = base64.b64encode(b"a picture").decode()
    shown = read_text(json.dumps({"type": "push_frame", "id": 1, "jpeg": picture, "time_s": 2, "question": "?"}))
    assert shown == Shown(1, b"a picture", PictureIn(time_s=2.0, question="?"))
    assert read_text('{"type": "ask", "text": "Why?"}') == Ask(type="ask", text="Why?")
    assert read_text('{"type": "end", "id": "e"}') == End(type="end", id="e")
    header = b'{"type": "push_frame", "id": "b"}'
    assert read_binary(struct.pack(">I", len(header)) + header + b"xyz") == Shown("b", b"xyz", PictureIn())


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_text(text)
    except (ValidationError, PictureRefused):
        assert id_of(text) is None or isinstance(id_of(text), str | int)


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises((ValidationError, PictureRefused)):
        read_binary(data)


def test_a_number_that_is_newer_than_the_gateway_is_refused() -> None:
    request: Message = pb.OpenSessionRequest(source=pb.SessionSource(url="rtsp://camera"))
    request.speech.response_mode = 77  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="response_mode"):
        messages.session_in(request)  # type: ignore[arg-type]
