"""Utterance events: words that the model spoke."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, Emission, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.core.control import Action
from vigil.core.decide import Decision
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec


@dataclass(frozen=True, slots=True)
class UtteranceData:
    """The `data` of an utterance event: words that the model spoke. `is_answer` says that they answer a question of the
    user, or say that it was delegated."""

    tenant: str
    session: str
    source_id: str
    text: str
    action: str
    p_speak: float | None
    capture_time: str
    emit_time: str
    latency_ms: float
    time_s: float
    decision_sequence: int
    is_answer: bool


def utterance_outgoing(spec: SessionSpec, decision: Decision, emission: Emission) -> Outgoing | None:
    """The stored message of what the model said in a turn; None when it said nothing, or nothing new."""
    if decision.output.action is Action.SILENT or not decision.output.text or decision.duplicate:
        return None
    key = SessionKey(spec.tenant, spec.session)
    data = UtteranceData(
        tenant=spec.tenant,
        session=spec.session,
        source_id=spec.source.id,
        text=decision.output.text,
        action=decision.output.action,
        p_speak=p_speak_of(decision),
        capture_time=rfc3339(emission.capture_time_us),
        emit_time=rfc3339(emission.emit_time_us),
        latency_ms=emission.latency_ms,
        time_s=decision.time_ms / 1000,
        decision_sequence=decision.sequence,
        is_answer=decision.is_answer,
    )
    cloud_event = CloudEvent(
        id=f"{spec.session}.utterance.{spec.created_us}.{decision.sequence}",
        source=session_source(key),
        type="vigil.utterance",
        subject=spec.session,
        time=rfc3339(emission.emit_time_us),
        data=data,
        traceparent=emission.traceparent or None,
    )
    return event_outgoing(spec.tenant, subjects.utterance(key), cloud_event)


def p_speak_of(decision: Decision) -> float | None:
    """The probability that the model speaks in this turn; None when the engine gave no probabilities."""
    return None if decision.probabilities is None else round(decision.probabilities.speak, 6)
