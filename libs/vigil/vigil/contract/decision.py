"""A decision on the bus: `vigil.v1.Decision` to and from the core's value."""

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.core.control import Action
from vigil.core.decide import Decision
from vigil.core.ids import SessionKey
from vigil.core.probability import Probabilities
from vigil.core.session import SessionSpec
from vigil.v1 import decision_pb2 as pb

_ACTIONS = {
    Action.SILENT: pb.ACTION_SILENT,
    Action.SPEAK: pb.ACTION_SPEAK,
    Action.DELEGATE: pb.ACTION_DELEGATE,
}


def decision_outgoing(spec: SessionSpec, decision: Decision, *, emit_time_us: int, traceparent: str = "") -> Outgoing:
    """The stored message of a decision. Its id is its sequence in this life of the session: a turn is decided once."""
    key = SessionKey(spec.tenant, spec.session)
    return Outgoing(
        subject=subjects.decision(key),
        message_id=f"{key.tenant}.{key.session}.decision.{spec.created_us}.{decision.sequence}",
        payload=decision_to_pb(key, decision, emit_time_us=emit_time_us).SerializeToString(),
        content_type=PROTOBUF,
        traceparent=traceparent,
    )


def decision_to_pb(key: SessionKey, decision: Decision, *, emit_time_us: int) -> pb.Decision:
    """The message of a decision."""
    output, completion = decision.output, decision.completion
    return pb.Decision(
        tenant=key.tenant,
        session=key.session,
        sequence=decision.sequence,
        time_ms=decision.time_ms,
        capture_time_us=decision.capture_time_us,
        emit_time_us=emit_time_us,
        action=_ACTIONS[output.action],
        text=output.text,
        question=output.question,
        probabilities=_probabilities(decision.probabilities),
        malformed=output.malformed,
        frames_skipped=decision.frames_skipped,
        engine_ms=completion.engine_ms,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        request_bytes=completion.request_bytes,
        prefix_share=decision.prefix_share,
        duplicate=decision.duplicate,
        completion_tokens=completion.completion_tokens,
    )


def decode_decision(data: bytes) -> pb.Decision:
    """Read a stored decision, or raise `InvalidMessage`."""
    try:
        return pb.Decision.FromString(data)
    except DecodeError:
        raise InvalidMessage("these bytes are not a Decision") from None


def action_of(message: pb.Decision) -> Action:
    """The action of a stored decision, or `InvalidMessage`."""
    for action, value in _ACTIONS.items():
        if value == message.action:
            return action
    raise InvalidMessage(f"a decision with unknown action {message.action}")


def _probabilities(values: Probabilities | None) -> pb.ActionProbabilities | None:
    if values is None:
        return None
    return pb.ActionProbabilities(silent=values.silent, speak=values.speak, delegate=values.delegate)
