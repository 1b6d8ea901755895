"""A decision as it is stored."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from vigil.contract.decision import StoredDecision, decision_json, decision_outgoing, decode_decision
from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import PROTOBUF
from vigil.core.control import Action
from vigil.core.decide import Decision
from vigil.core.ids import SessionKey
from vigil.core.probability import Probabilities
from vigil.core.session import SessionSpec
from vigil.v1 import decision_pb2 as pb

CAPTURED_US = 1_767_225_600_000_000
MakeDecision = Callable[..., Decision]


def test_a_decision_is_stored_under_its_sequence_and_the_creation_of_its_session(
    spec: SessionSpec, make_decision: MakeDecision
) -> None:
    spec = replace(spec, created_us=5)
    outgoing = decision_outgoing(spec, make_decision(), emit_time_us=CAPTURED_US + 90_000, traceparent="00-1-2-01")
    assert outgoing.subject == "vigil.v1.decision.demo.s-1"
    assert outgoing.message_id == "demo.s-1.decision.5.7"
    assert outgoing.content_type == PROTOBUF
    assert outgoing.traceparent == "00-1-2-01"
    assert decode_decision(outgoing.payload) == StoredDecision(
        key=SessionKey("demo", "s-1"),
        sequence=7,
        time_ms=7_000,
        capture_time_us=CAPTURED_US,
        emit_time_us=CAPTURED_US + 90_000,
        action=Action.SPEAK,
        text="A fire has started.",
        probabilities=Probabilities(0.125, 0.875, 0.0),
        frames_skipped=2,
        engine_ms=70.5,
        prompt_tokens=300,
        cached_tokens=280,
        request_bytes=9_000,
        prefix_share=1.0,
    )


def test_a_decision_has_one_json(spec: SessionSpec, make_decision: MakeDecision) -> None:
    payload = decision_outgoing(spec, make_decision(), emit_time_us=CAPTURED_US + 90_000).payload
    decision = decode_decision(payload)
    assert decision_json(decision) == {
        "session": "s-1",
        "sequence": 7,
        "time_s": 7.0,
        "capture_time": "2026-01-01T00:00:00.000Z",
        "emit_time": "2026-01-01T00:00:00.090Z",
        "latency_ms": 90.0,
        "action": "speak",
        "spoke": True,
        "text": "A fire has started.",
        "question": "",
        "p": {"silent": 0.125, "speak": 0.875, "delegate": 0.0},
        "malformed": "",
        "frames_skipped": 2,
        "engine_ms": 70.5,
        "prompt_tokens": 300,
        "cached_tokens": 280,
        "completion_tokens": 0,
        "request_bytes": 9_000,
        "prefix_share": 1.0,
        "duplicate": False,
        "task": "",
        "observed": [],
    }
    assert not replace(decision, duplicate=True).spoke, "what was just said is not said again"
    assert decision_json(replace(decision, probabilities=None))["p"] is None


def test_a_decision_tells_what_modules_noticed(spec: SessionSpec, make_decision: MakeDecision) -> None:
    lines = ("faces (face, 0.92): Anna is at the door", "mqtt (heat) at 3.0 seconds: 41 degrees")
    payload = decision_outgoing(spec, replace(make_decision(), observed=lines), emit_time_us=CAPTURED_US).payload
    decision = decode_decision(payload)
    assert decision.observed == lines
    assert decision_json(decision)["observed"] == list(lines)


@pytest.mark.parametrize("action", list(Action))
def test_every_action_reads_back(action: Action, spec: SessionSpec, make_decision: MakeDecision) -> None:
    payload = decision_outgoing(spec, make_decision(action), emit_time_us=CAPTURED_US).payload
    assert decode_decision(payload).action is action


def test_a_delegation_names_its_task(spec: SessionSpec, make_decision: MakeDecision) -> None:
    delegated = replace(make_decision(Action.DELEGATE), task="s-1-7")
    decision = decode_decision(decision_outgoing(spec, delegated, emit_time_us=CAPTURED_US).payload)
    assert (decision.task, decision_json(decision)["task"]) == ("s-1-7", "s-1-7")


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="unknown action"):
        decode_decision(pb.Decision(tenant="demo", session="s-1").SerializeToString())


def test_a_decision_of_no_session_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="names no session"):
        decode_decision(pb.Decision(tenant="demo", action=pb.ACTION_SPEAK).SerializeToString())


def test_other_bytes_are_refused() -> None:
    with pytest.raises(InvalidMessage, match="not a Decision"):
        decode_decision(b"\xff\xff\xff")
