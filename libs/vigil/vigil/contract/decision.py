"""A decision on the bus: the value that readers get, its protobuf form in JetStream, and its one JSON form."""

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import rfc3339
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.core.control import Action
from vigil.core.decide import Decision
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil.core.probability import Probabilities
from vigil.core.session import SessionSpec
from vigil.v1 import decision_pb2 as pb

_ACTIONS = {
    Action.SILENT: pb.ACTION_SILENT,
    Action.SPEAK: pb.ACTION_SPEAK,
    Action.DELEGATE: pb.ACTION_DELEGATE,
}
_ACTION_OF = {number: action for action, number in _ACTIONS.items()}


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What one session decided in one turn, as readers of the bus get it.

    `time_ms` is model time; `capture_time_us` and `emit_time_us` are microseconds since the epoch. The words of a
    `duplicate` were uttered a moment ago: they are not uttered again. `probabilities` is None when the engine gave
    none. `task` is the id of the task that answers a delegated question, empty for every other action. `observed` is
    what modules noticed, as the model was told it in this turn.
    """

    key: SessionKey
    sequence: int
    time_ms: int
    capture_time_us: int
    emit_time_us: int
    action: Action
    text: str = ""
    question: str = ""
    malformed: str = ""
    probabilities: Probabilities | None = None
    frames_skipped: int = 0
    engine_ms: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    request_bytes: int = 0
    prefix_share: float = 0.0
    duplicate: bool = False
    task: str = ""
    observed: tuple[str, ...] = ()

    @property
    def spoke(self) -> bool:
        """Whether the turn has words for the user, and new ones."""
        return bool(self.text) and not self.duplicate

    @property
    def latency_ms(self) -> float:
        """From capture to emission."""
        return (self.emit_time_us - self.capture_time_us) / 1_000


def decision_outgoing(spec: SessionSpec, decision: Decision, *, emit_time_us: int, traceparent: str = "") -> Outgoing:
    """The stored message of a decision. Its id is its sequence in this life of the session: a turn is decided once."""
    key = SessionKey(spec.tenant, spec.session)
    return Outgoing(
        subject=subjects.decision(key),
        message_id=f"{key.tenant}.{key.session}.decision.{spec.created_us}.{decision.sequence}",
        payload=decision_to_pb(stored(key, decision, emit_time_us=emit_time_us)).SerializeToString(),
        content_type=PROTOBUF,
        traceparent=traceparent,
    )


def stored(key: SessionKey, decision: Decision, *, emit_time_us: int) -> StoredDecision:
    """The core's decision as readers of the bus will get it."""
    output, completion = decision.output, decision.completion
    return StoredDecision(
        key=key,
        sequence=decision.sequence,
        time_ms=decision.time_ms,
        capture_time_us=decision.capture_time_us,
        emit_time_us=emit_time_us,
        action=output.action,
        text=output.text,
        question=output.question,
        malformed=output.malformed,
        probabilities=decision.probabilities,
        frames_skipped=decision.frames_skipped,
        engine_ms=completion.engine_ms,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        completion_tokens=completion.completion_tokens,
        request_bytes=completion.request_bytes,
        prefix_share=decision.prefix_share,
        duplicate=decision.duplicate,
        task=decision.task,
        observed=decision.observed,
    )


def decode_decision(data: bytes) -> StoredDecision:
    """Read a stored decision, or raise `InvalidMessage`."""
    try:
        message = pb.Decision.FromString(data)
    except DecodeError:
        raise InvalidMessage("these bytes are not a Decision") from None
    action = _ACTION_OF.get(message.action)
    if action is None:
        raise InvalidMessage(f"a decision with unknown action {message.action}")
    try:
        key = SessionKey(message.tenant, message.session)
    except InvalidToken as error:
        raise InvalidMessage(f"a decision that names no session: {error}") from None
    return _of_pb(message, key, action)


def decision_json(decision: StoredDecision) -> dict[str, object]:
    """What clients see of a decision, the same over every interface. `latency_ms` is from capture to emission; `p` is
    null when the engine gave no probabilities; `spoke` says whether there are new words for the user."""
    p = decision.probabilities
    return {
        "session": decision.key.session,
        "sequence": decision.sequence,
        "time_s": decision.time_ms / 1_000,
        "capture_time": rfc3339(decision.capture_time_us),
        "emit_time": rfc3339(decision.emit_time_us),
        "latency_ms": decision.latency_ms,
        "action": decision.action,
        "spoke": decision.spoke,
        "text": decision.text,
        "question": decision.question,
        "p": None if p is None else {"silent": p.silent, "speak": p.speak, "delegate": p.delegate},
        "malformed": decision.malformed,
        "frames_skipped": decision.frames_skipped,
        "engine_ms": decision.engine_ms,
        "prompt_tokens": decision.prompt_tokens,
        "cached_tokens": decision.cached_tokens,
        "completion_tokens": decision.completion_tokens,
        "request_bytes": decision.request_bytes,
        "prefix_share": decision.prefix_share,
        "duplicate": decision.duplicate,
        "task": decision.task,
        "observed": list(decision.observed),
    }


def decision_to_pb(decision: StoredDecision) -> pb.Decision:
    """The protobuf message of a decision: what JetStream stores and the gateway's gRPC service answers."""
    p = decision.probabilities
    return pb.Decision(
        tenant=decision.key.tenant,
        session=decision.key.session,
        sequence=decision.sequence,
        time_ms=decision.time_ms,
        capture_time_us=decision.capture_time_us,
        emit_time_us=decision.emit_time_us,
        action=_ACTIONS[decision.action],
        text=decision.text,
        question=decision.question,
        probabilities=None
        if p is None
        else pb.ActionProbabilities(silent=p.silent, speak=p.speak, delegate=p.delegate),
        malformed=decision.malformed,
        frames_skipped=decision.frames_skipped,
        engine_ms=decision.engine_ms,
        prompt_tokens=decision.prompt_tokens,
        cached_tokens=decision.cached_tokens,
        request_bytes=decision.request_bytes,
        prefix_share=decision.prefix_share,
        duplicate=decision.duplicate,
        completion_tokens=decision.completion_tokens,
        task=decision.task,
        observed=decision.observed,
    )


def _of_pb(message: pb.Decision, key: SessionKey, action: Action) -> StoredDecision:
    p = message.probabilities
    return StoredDecision(
        key=key,
        sequence=message.sequence,
        time_ms=message.time_ms,
        capture_time_us=message.capture_time_us,
        emit_time_us=message.emit_time_us,
        action=action,
        text=message.text,
        question=message.question,
        malformed=message.malformed,
        probabilities=Probabilities(p.silent, p.speak, p.delegate) if message.HasField("probabilities") else None,
        frames_skipped=message.frames_skipped,
        engine_ms=message.engine_ms,
        prompt_tokens=message.prompt_tokens,
        cached_tokens=message.cached_tokens,
        completion_tokens=message.completion_tokens,
        request_bytes=message.request_bytes,
        prefix_share=message.prefix_share,
        duplicate=message.duplicate,
        task=message.task,
        observed=tuple(message.observed),
    )
