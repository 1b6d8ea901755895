"""What a session's events give to speak, and what a user's own speech means for the voice."""

from datetime import datetime
from typing import TypeVar

from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.core.alert import AlertState
from vigil.core.hearing import ASKED, Became
from vigil.core.instruction import Severity
from vigil.core.speech import Words
from vigil.core.voice import SpeechKind

T = TypeVar("T")

MAX_TEXT_CHARS = 2_000  # of one text; a minute or two of speech


def utterance_words(payload: bytes) -> Words:
    """The words of an utterance event. Raises `InvalidMessage`."""
    event = decode_event(payload)
    is_answer = _field(event, "is_answer", bool)
    return _words(event, SpeechKind.ANSWER if is_answer else SpeechKind.ORDINARY)


def alert_words(payload: bytes, session: str) -> Words | None:
    """The words of an alert event that interrupts; None for another one, and for that of another session of the same
    source. Other alerts are heard as what the model says. Raises `InvalidMessage`."""
    event = decode_event(payload)
    if _field(event, "session", str) != session or _field(event, "severity", str) != Severity.CRITICAL:
        return None
    state = _field(event, "state", str)
    opens = state == AlertState.OPENED or (state == AlertState.UPDATED and _field(event, "news", bool))
    return _words(event, SpeechKind.CRITICAL_ALERT) if opens else None


def announcement_words(payload: bytes) -> Words:
    """The words of an operator's announcement. Raises `InvalidMessage`."""
    event = decode_event(payload)
    return Words(
        event.id,
        _field(event, "text", str)[:MAX_TEXT_CHARS],
        SpeechKind.ANNOUNCEMENT,
        _microseconds(_field(event, "emit_time", str)),
    )


def is_to_session(payload: bytes) -> bool:
    """Whether a final transcript was said to the session, and not to somebody else or by nobody at all. Raises
    `InvalidMessage`."""
    return _field(decode_event(payload), "became", str) in (*ASKED, Became.REFUSED)


def _words(event: CloudEvent, kind: SpeechKind) -> Words:
    return Words(
        event.id,
        _field(event, "text", str)[:MAX_TEXT_CHARS],
        kind,
        _microseconds(_field(event, "emit_time", str)),
        _field(event, "decision_sequence", int),
        event.traceparent or "",
    )


def _field(event: CloudEvent, name: str, kind: type[T]) -> T:
    value = event.data.get(name) if isinstance(event.data, dict) else None
    if not isinstance(value, kind):
        raise InvalidMessage(f"the event {event.id!r} has no {name}")
    return value


def _microseconds(time: str) -> int:
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1_000_000)
    except ValueError:
        raise InvalidMessage(f"{time[:40]!r} is no time") from None
