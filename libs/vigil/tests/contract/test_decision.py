"""A decision as it is stored."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from vigil.contract.decision import action_of, decision_outgoing, decode_decision
from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import PROTOBUF
from vigil.core.control import Action
from vigil.core.decide import Decision
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
    stored = decode_decision(outgoing.payload)
    assert stored == pb.Decision(
        tenant="demo",
        session="s-1",
        sequence=7,
        time_ms=7_000,
        capture_time_us=CAPTURED_US,
        emit_time_us=CAPTURED_US + 90_000,
        action=pb.ACTION_SPEAK,
        text="A fire has started.",
        probabilities=pb.ActionProbabilities(silent=0.125, speak=0.875, delegate=0.0),
        frames_skipped=2,
        engine_ms=70.5,
        prompt_tokens=300,
        cached_tokens=280,
        request_bytes=9_000,
        prefix_share=1.0,
    )


@pytest.mark.parametrize("action", list(Action))
def test_every_action_reads_back(action: Action, spec: SessionSpec, make_decision: MakeDecision) -> None:
    payload = decision_outgoing(spec, make_decision(action), emit_time_us=CAPTURED_US).payload
    assert action_of(decode_decision(payload)) is action


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="unknown action"):
        action_of(pb.Decision())


def test_other_bytes_are_refused() -> None:
    with pytest.raises(InvalidMessage, match="not a Decision"):
        decode_decision(b"\xff\xff\xff")
