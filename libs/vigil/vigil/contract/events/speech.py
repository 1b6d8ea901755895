"""Speech events: what a session spoke aloud, how far, and what of it stayed text only."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core.ids import SessionKey
from vigil.core.voice import SpeechCause, SpeechKind

MAX_SPEECH_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words that were to be spoken aloud. `utterance` is their id: that of the event that they are from. `heard` is the
    part of `text` that was spoken by now. `cause` and `reason`, in a sentence, say why it was not all of it."""

    key: SessionKey
    source_id: str
    utterance: str
    kind: SpeechKind
    text: str
    heard: str = ""
    voice: str = ""
    cause: SpeechCause = SpeechCause.NONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SpeechData:
    """The `data` of a speech event."""

    tenant: str
    session: str
    source_id: str
    utterance: str
    event: str
    kind: str
    text: str
    heard: str
    voice: str
    cause: str
    reason: str
    emit_time: str


def speech_outgoing(event: SpeechEvent, spoken: Spoken, emit_time_us: int, traceparent: str = "") -> Outgoing:
    """The stored message of what happened to the words. Each event happens once to them: a worker that tells it again
    uses the same id."""
    emit_time = rfc3339(emit_time_us)
    data = SpeechData(
        tenant=spoken.key.tenant,
        session=spoken.key.session,
        source_id=spoken.source_id,
        utterance=spoken.utterance,
        event=event,
        kind=spoken.kind,
        text=spoken.text,
        heard=spoken.heard,
        voice=spoken.voice,
        cause=spoken.cause,
        reason=spoken.reason[:MAX_SPEECH_REASON_CHARS],
        emit_time=emit_time,
    )
    cloud_event = CloudEvent(
        id=f"{spoken.key.session}.speech.{spoken.utterance}.{event}",
        source=session_source(spoken.key),
        type=f"vigil.speech.{event}",
        subject=spoken.utterance,
        time=emit_time,
        data=data,
        traceparent=traceparent or None,
    )
    return event_outgoing(spoken.key.tenant, subjects.speech(event, spoken.key), cloud_event)
