"""What was said to sessions and what they spoke aloud, as strangers receive it: CloudEvents (see `asyncapi.yaml`), read
into values."""

from dataclasses import dataclass, field
from datetime import datetime

from vigil_client.cloudevents import Json, envelope
from vigil_client.errors import BadMessage
from vigil_client.values import moment


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said to a session. `transcript` is the id of what was said: partial ones of it follow each other while
    it is said, then comes the final one.

    `became` says what became of a final one: query, watch, not_addressed, echo, noise, filler or refused; it is empty
    of a partial one. `command` is the id of the question or watch that it is. `confidence` is None and `language` empty
    where the recognizer tells none.
    """

    event_id: str
    transcript: str
    tenant: str
    source_id: str
    session: str
    text: str
    begin_time: datetime
    end_time: datetime
    confidence: float | None
    language: str
    origin: str
    engine: str
    became: str
    command: str
    emit_time: datetime
    raw: Json = field(default_factory=dict, repr=False)

    @property
    def is_final(self) -> bool:
        """Whether it changes no more."""
        return bool(self.became)


@dataclass(frozen=True, slots=True)
class SpeechNews:
    """What became of words that were to be spoken aloud: `event` is started, ended, interrupted or dropped.

    `utterance` is the id of the event that the words are from, `kind` is ordinary, answer, announcement or
    critical_alert. `heard` is the part of `text` that was spoken by then. `cause` is one word for why it was not all of
    it, `reason` a sentence.
    """

    event_id: str
    utterance: str
    event: str
    tenant: str
    source_id: str
    session: str
    kind: str
    text: str
    heard: str
    voice: str
    cause: str
    reason: str
    emit_time: datetime
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PastTranscript:
    """Something that was said to a session, as it was understood in the end; the fields are those of `Transcript`."""

    transcript: str
    text: str
    begin_time: datetime
    end_time: datetime
    confidence: float | None
    language: str
    origin: str
    engine: str
    became: str
    command: str
    emit_time: datetime


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """What was said to a session, newest first. `next`, where it is not None, is the `before` of what was said
    earlier."""

    session: str
    transcripts: tuple[PastTranscript, ...]
    next: str | None


def transcript(payload: bytes | str) -> Transcript:
    """Read a transcript event, partial or final. Raises `BadMessage`."""
    event, data = envelope(payload)
    try:
        return Transcript(
            event_id=event["id"],
            transcript=data["transcript"],
            tenant=data["tenant"],
            source_id=data["source_id"],
            session=data["session"],
            text=data["text"],
            begin_time=moment(data["begin_time"]),
            end_time=moment(data["end_time"]),
            confidence=None if data["confidence"] is None else float(data["confidence"]),
            language=data["language"],
            origin=data["origin"],
            engine=data["engine"],
            became=data["became"] or "",
            command=data["command"],
            emit_time=moment(data["emit_time"]),
            raw=event,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not a transcript event of Vigil ({error!r})") from None


def speech(payload: bytes | str) -> SpeechNews:
    """Read an event of what a session speaks aloud. Raises `BadMessage`."""
    event, data = envelope(payload)
    try:
        return SpeechNews(
            event_id=event["id"],
            utterance=data["utterance"],
            event=data["event"],
            tenant=data["tenant"],
            source_id=data["source_id"],
            session=data["session"],
            kind=data["kind"],
            text=data["text"],
            heard=data["heard"],
            voice=data["voice"],
            cause=data["cause"],
            reason=data["reason"],
            emit_time=moment(data["emit_time"]),
            raw=event,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not a speech event of Vigil ({error!r})") from None
