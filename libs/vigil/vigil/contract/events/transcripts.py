"""Transcript events: what was said to a session, while it is said (not stored), and as it was understood in the end."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.core.hearing import Became, Origin
from vigil.core.ids import SessionKey


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `id` is the same for all partial transcripts of it and for the final one, and no other's in the
    session. Times are by the clock of the pictures, in microseconds since the epoch. `confidence` (0 to 1) and
    `language` (BCP 47) are None and empty where the engine tells none. `revision` counts the partial ones from 0;
    the first `stable_chars` characters of a partial one's text are not expected to change any more.

    Of a final one, `became` says what became of it, and `command` is the id of the question or watch that it is; empty
    where it is none.
    """

    key: SessionKey
    source_id: str
    id: str
    text: str
    begin_us: int
    end_us: int
    confidence: float | None
    language: str
    origin: Origin
    engine: str
    became: Became | None = None
    command: str = ""
    revision: int = 0
    stable_chars: int = 0

    @property
    def is_final(self) -> bool:
        """Whether it changes no more."""
        return self.became is not None


@dataclass(frozen=True, slots=True)
class TranscriptData:
    """The `data` of a transcript event. `became` is null of a partial one."""

    tenant: str
    session: str
    source_id: str
    transcript: str
    text: str
    stable_chars: int
    begin_time: str
    end_time: str
    confidence: float | None
    language: str
    origin: str
    engine: str
    became: str | None
    command: str
    emit_time: str


def transcript_outgoing(transcript: Transcript, emit_time_us: int, traceparent: str = "") -> Outgoing:
    """The message of a transcript: a final one is to be stored, a partial one only published."""
    kind = "final" if transcript.is_final else "partial"
    emit_time = rfc3339(emit_time_us)
    data = TranscriptData(
        tenant=transcript.key.tenant,
        session=transcript.key.session,
        source_id=transcript.source_id,
        transcript=transcript.id,
        text=transcript.text,
        stable_chars=len(transcript.text) if transcript.is_final else transcript.stable_chars,
        begin_time=rfc3339(transcript.begin_us),
        end_time=rfc3339(transcript.end_us),
        confidence=transcript.confidence,
        language=transcript.language,
        origin=transcript.origin,
        engine=transcript.engine,
        became=transcript.became,
        command=transcript.command,
        emit_time=emit_time,
    )
    number = "" if transcript.is_final else f".{transcript.revision}"
    cloud_event = CloudEvent(
        id=f"{transcript.key.session}.transcript.{transcript.id}.{kind}{number}",
        source=session_source(transcript.key),
        type=f"vigil.transcript.{kind}",
        subject=transcript.id,
        time=emit_time,
        data=data,
        traceparent=traceparent or None,
    )
    subject = subjects.transcript if transcript.is_final else subjects.transcript_partial
    return event_outgoing(transcript.key.tenant, subject(transcript.key), cloud_event)
