"""The CloudEvents that strangers get, by value and against the published schema."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from vigil.contract.errors import InvalidMessage
from vigil.contract.events.alerts import SnapshotRef, alert_outgoing
from vigil.contract.events.delegations import TaskMoment, closed_outgoing, delegations_outgoing
from vigil.contract.events.envelope import Emission, decode_event, rfc3339
from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.events.utterances import p_speak_of, utterance_outgoing
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.subject_tokens import AlertAction, ApprovalEvent, DelegationEvent, Lifecycle, SpeechEvent
from vigil.core.alert import AlertEvent, AlertState
from vigil.core.control import Action
from vigil.core.decide import Decision, Settled
from vigil.core.delegation import TaskEnd, TaskOutcome
from vigil.core.session import SessionSpec, SessionState
from vigil.core.turn import Result, Task

CAPTURED_US = 1_767_225_600_000_000
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EMISSION = Emission(CAPTURED_US, CAPTURED_US + 312_400, TRACE)
SNAPSHOT = SnapshotRef("VIGIL_SNAPSHOTS", "demo.s-1-fire-7.0", "/v1/alerts/s-1-fire-7/snapshot")
SESSION = SessionData("demo", "s-1", "lobby", role="codec", worker="host-1", reason="claimed")
TASK = Task("s-1-7", "Which flower is it?", "Let me see.", 7_000, 127_000)
ASYNCAPI = Path(__file__).parents[4] / "proto" / "asyncapi.yaml"

MakeDecision = Callable[..., Decision]
MakeAlertEvent = Callable[[AlertState, int], AlertEvent]


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(ASYNCAPI.read_text("utf-8"))
    return document


def check(asyncapi: dict[str, Any], message: str, outgoing: Outgoing) -> None:
    """Validate a real payload against the schema of the AsyncAPI message of that name."""
    schema = {"$ref": f"#/components/schemas/{message}", "components": asyncapi["components"]}
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(msgspec.json.decode(outgoing.payload))


def test_an_alert_by_value(spec: SessionSpec, make_alert_event: MakeAlertEvent) -> None:
    outgoing = alert_outgoing(spec, make_alert_event(AlertState.OPENED, 0), 0.875, EMISSION, SNAPSHOT)
    assert outgoing.subject == "vigil.v1.alert.demo.lobby.opened"
    assert outgoing.message_id == "demo.s-1-fire-7.0"
    assert outgoing.content_type == CLOUDEVENT
    assert outgoing.traceparent == TRACE
    assert msgspec.json.decode(outgoing.payload) == {
        "specversion": "1.0",
        "id": "s-1-fire-7.0",
        "source": "/tenants/demo/sources/lobby",
        "type": "vigil.alert.opened",
        "subject": "s-1-fire-7",
        "time": "2026-01-01T00:00:00.312Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": {
            "alert_id": "s-1-fire-7",
            "watch": "fire",
            "severity": "critical",
            "state": "opened",
            "reason": "the model spoke",
            "tenant": "demo",
            "source_id": "lobby",
            "source_name": "Lobby, north door",
            "session": "s-1",
            "instruction_id": "watch-1",
            "text": "A fire has started.",
            "p_speak": 0.875,
            "capture_time": "2026-01-01T00:00:00.000Z",
            "emit_time": "2026-01-01T00:00:00.312Z",
            "latency_ms": 312.4,
            "opened_at": "2026-01-01T00:00:00.000Z",
            "time_s": 7.0,
            "decision_sequence": 7,
            "updates": 0,
            "news": False,
            "severities": ["critical"],
            "snapshot": {
                "bucket": "VIGIL_SNAPSHOTS",
                "key": "demo.s-1-fire-7.0",
                "path": "/v1/alerts/s-1-fire-7/snapshot",
                "media_type": "image/jpeg",
            },
        },
    }


@pytest.mark.parametrize("state", list(AlertState))
def test_every_alert_event_keeps_to_the_published_schema(
    asyncapi: dict[str, Any],
    spec: SessionSpec,
    make_alert_event: MakeAlertEvent,
    state: AlertState,
) -> None:
    snapshot = None if state is AlertState.CLOSED else SNAPSHOT
    outgoing = alert_outgoing(spec, make_alert_event(state, 3), None, EMISSION, snapshot)
    check(asyncapi, "AlertEvent", outgoing)
    assert decode_event(outgoing.payload).type == f"vigil.alert.{state}"
    assert outgoing.subject.endswith(f".{state}")


def test_an_alert_without_trace_or_probability_keeps_to_the_schema(
    asyncapi: dict[str, Any], spec: SessionSpec, make_alert_event: MakeAlertEvent
) -> None:
    event = make_alert_event(AlertState.OPENED, 0)
    outgoing = alert_outgoing(spec, event, None, Emission(CAPTURED_US, CAPTURED_US))
    check(asyncapi, "AlertEvent", outgoing)
    value = msgspec.json.decode(outgoing.payload)
    assert "traceparent" not in value
    assert value["data"]["p_speak"] is None


def test_events_of_one_alert_have_ids_of_their_own(spec: SessionSpec, make_alert_event: MakeAlertEvent) -> None:
    sent = [
        alert_outgoing(spec, make_alert_event(state, number), 0.875, EMISSION)
        for number, state in enumerate(AlertState)
    ]
    assert [one.message_id for one in sent] == ["demo.s-1-fire-7.0", "demo.s-1-fire-7.1", "demo.s-1-fire-7.2"]
    assert {decode_event(one.payload).subject for one in sent} == {"s-1-fire-7"}


def test_an_utterance_keeps_to_the_schema(
    asyncapi: dict[str, Any], spec: SessionSpec, make_decision: MakeDecision
) -> None:
    outgoing = utterance_outgoing(spec, make_decision(), EMISSION)
    assert outgoing is not None
    check(asyncapi, "UtteranceEvent", outgoing)
    assert outgoing.subject == "vigil.v1.utterance.demo.s-1"
    assert decode_event(outgoing.payload).data["text"] == "A fire has started."
    assert decode_event(outgoing.payload).data["is_answer"] is False
    answer = utterance_outgoing(spec, replace(make_decision(), is_answer=True), EMISSION)
    assert answer is not None
    assert decode_event(answer.payload).data["is_answer"] is True


def test_the_probability_of_a_turn_may_be_unknown(make_decision: MakeDecision) -> None:
    decision = make_decision()
    assert p_speak_of(decision) == 0.875
    assert p_speak_of(replace(decision, probabilities=None)) is None


def test_silence_is_no_utterance(spec: SessionSpec, make_decision: MakeDecision) -> None:
    assert utterance_outgoing(spec, make_decision(Action.SILENT, ""), EMISSION) is None
    assert utterance_outgoing(spec, make_decision(Action.DELEGATE, ""), EMISSION) is None


def turn(decision: Decision, *ends: TaskEnd, opened: Task | None = None) -> Settled:
    """A settled turn in which these tasks closed, and one opened."""
    tasks = () if opened is None else (opened,)
    return Settled(
        SessionState(tasks=tasks), decision, (), restart=False, consumed=0, consumed_results=0, task_ends=ends
    )


def test_an_opened_delegation_by_value(
    asyncapi: dict[str, Any], spec: SessionSpec, make_decision: MakeDecision
) -> None:
    (outgoing,) = delegations_outgoing(spec, turn(make_decision(Action.DELEGATE), opened=TASK), EMISSION)
    check(asyncapi, "DelegationEvent", outgoing)
    assert outgoing.subject == "vigil.v1.delegation.opened.demo.s-1"
    assert outgoing.message_id == "demo.s-1-7.delegation.0.opened"
    assert msgspec.json.decode(outgoing.payload) == {
        "specversion": "1.0",
        "id": "s-1-7.delegation.0.opened",
        "source": "/tenants/demo/sessions/s-1",
        "type": "vigil.delegation.opened",
        "subject": "s-1-7",
        "time": "2026-01-01T00:00:00.312Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": {
            "tenant": "demo",
            "session": "s-1",
            "source_id": "lobby",
            "task": "s-1-7",
            "event": "opened",
            "question": "Which flower is it?",
            "note": "Let me see.",
            "outcome": None,
            "result": "",
            "capture_time": "2026-01-01T00:00:00.000Z",
            "emit_time": "2026-01-01T00:00:00.312Z",
            "time_s": 7.0,
            "opened_s": 7.0,
            "deadline_s": 127.0,
            "decision_sequence": 7,
        },
    }


@pytest.mark.parametrize("outcome", list(TaskOutcome))
def test_every_closed_delegation_keeps_to_the_schema(
    asyncapi: dict[str, Any], spec: SessionSpec, outcome: TaskOutcome
) -> None:
    has_result = outcome in (TaskOutcome.ANSWERED, TaskOutcome.FAILED)
    end = TaskEnd(TASK, outcome, Result(TASK.id, "A rose.") if has_result else None)
    outgoing = closed_outgoing(spec, end, TaskMoment(9_000, 9, EMISSION))
    check(asyncapi, "DelegationEvent", outgoing)
    assert outgoing.subject == "vigil.v1.delegation.closed.demo.s-1"
    data = decode_event(outgoing.payload).data
    assert (data["outcome"], data["result"]) == (outcome, "A rose." if has_result else "")
    assert (data["opened_s"], data["time_s"]) == (7.0, 9.0)


def test_a_turn_tells_what_closed_before_what_it_opened(spec: SessionSpec, make_decision: MakeDecision) -> None:
    old = replace(TASK, id="s-1-2", opened_ms=2_000)
    settled = turn(make_decision(Action.DELEGATE), TaskEnd(old, TaskOutcome.EXPIRED), opened=TASK)
    sent = [message.message_id for message in delegations_outgoing(spec, settled, EMISSION)]
    assert sent == ["demo.s-1-2.delegation.0.closed", "demo.s-1-7.delegation.0.opened"]


def test_a_question_that_was_on_its_way_opens_no_second_task(spec: SessionSpec, make_decision: MakeDecision) -> None:
    joined = replace(make_decision(Action.DELEGATE), task="s-1-2")
    settled = turn(joined, opened=replace(TASK, id="s-1-2", opened_ms=2_000))
    assert delegations_outgoing(spec, settled, EMISSION) == ()


@pytest.mark.parametrize("event", list(Lifecycle))
def test_every_session_event_keeps_to_the_schema(asyncapi: dict[str, Any], event: Lifecycle) -> None:
    outgoing = session_outgoing(event, SESSION, created_us=9, number=3, emit_time_us=CAPTURED_US, traceparent=TRACE)
    check(asyncapi, "SessionEvent", outgoing)
    assert outgoing.subject == f"vigil.v1.session.{event}.demo.s-1"
    assert outgoing.message_id == f"demo.s-1.codec.{event}.9.3"


def test_the_schema_refuses_an_alert_without_its_id(
    asyncapi: dict[str, Any], spec: SessionSpec, make_alert_event: MakeAlertEvent
) -> None:
    outgoing = alert_outgoing(spec, make_alert_event(AlertState.OPENED, 0), 0.875, EMISSION)
    value = msgspec.json.decode(outgoing.payload)
    del value["data"]["alert_id"]
    broken = Outgoing(outgoing.subject, "x", msgspec.json.encode(value), CLOUDEVENT)
    with pytest.raises(jsonschema.ValidationError, match="alert_id"):
        check(asyncapi, "AlertEvent", broken)


def test_the_published_channels_are_the_subjects_that_are_used(asyncapi: dict[str, Any]) -> None:
    addresses = {channel["address"] for channel in asyncapi["channels"].values()}
    assert addresses == {
        "vigil.v1.alert.{tenant}.{source}.{state}",
        "vigil.v1.utterance.{tenant}.{session}",
        "vigil.v1.session.{event}.{tenant}.{session}",
        "vigil.v1.delegation.{event}.{tenant}.{session}",
        "vigil.v1.approval.{event}.{tenant}.{session}",
        "vigil.v1.memory.{event}.{tenant}.{session}",
        "vigil.v1.transcript.final.{tenant}.{session}",
        "vigil.v1.speech.{event}.{tenant}.{session}",
        "vigil.v1.frame.raw.{tenant}.{session}",
        "vigil.v1.observation.{tenant}.{session}.{module}",
        "vigil.v1.history.ask.{tenant}",
        "vigil.v1.history.answer.{tenant}.{asker}",
        "/v1/sessions/{session}/ws",
        "/v1/sessions/{session}/audio",
    }
    states = asyncapi["channels"]["alerts"]["parameters"]["state"]["enum"]
    assert states == [*AlertState, *AlertAction]
    assert asyncapi["channels"]["sessions"]["parameters"]["event"]["enum"] == [event.value for event in Lifecycle]
    events = asyncapi["channels"]["delegations"]["parameters"]["event"]["enum"]
    assert events == [event.value for event in DelegationEvent]
    assert asyncapi["channels"]["approvals"]["parameters"]["event"]["enum"] == [event.value for event in ApprovalEvent]
    assert asyncapi["channels"]["speech"]["parameters"]["event"]["enum"] == [event.value for event in SpeechEvent]


def test_a_time_is_rfc3339_in_utc() -> None:
    assert rfc3339(CAPTURED_US + 1_500) == "2026-01-01T00:00:00.001Z"


@pytest.mark.parametrize(
    "payload",
    [b"", b'{"id": "1"}', b'{"specversion": "\x8f"}', b'{"data": ' + b"[" * 10_000],
    ids=["nothing", "members missing", "not UTF-8", "nested without end"],
)
def test_other_bytes_are_no_event(payload: bytes) -> None:
    with pytest.raises(InvalidMessage, match="not a CloudEvent"):
        decode_event(payload)
