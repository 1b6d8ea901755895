"""One session's live events as server-sent events: which subjects, and how each message is written. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from fastapi.sse import format_sse_event

from vigil.contract import subjects
from vigil.contract.decision import decision_json, decode_decision
from vigil.contract.events.envelope import decode_event
from vigil.contract.subjects import Lifecycle
from vigil.core.ids import SessionKey

ENDED = f"vigil.session.{Lifecycle.ENDED}"


class EventKind(StrEnum):
    """The `event:` field."""

    DECISION = "decision"
    UTTERANCE = "utterance"
    ALERT = "alert"
    SESSION = "session"
    STATUS = "status"
    END = "end"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event as written to the client. After the `last` one the stream ends."""

    kind: EventKind
    data: bytes
    last: bool = False

    def encoded(self) -> bytes:
        return format_sse_event(event=self.kind, data_str=self.data.decode())


Reader = Callable[[bytes], LiveEvent | None]


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject to listen to. At most `capacity` messages wait for a slow client, the newest ones.

    `read` returns None for a message that is not this session's, and raises `InvalidMessage`.
    """

    kind: EventKind
    subject: str
    capacity: int
    read: Reader


def topics(key: SessionKey, source_id: str) -> tuple[Topic, ...]:
    """All that one session's stream listens to."""
    return (
        Topic(EventKind.DECISION, subjects.decision(key), 64, read_decision),
        Topic(EventKind.UTTERANCE, subjects.utterance(key), 64, _cloudevent_reader(EventKind.UTTERANCE, key)),
        Topic(
            EventKind.ALERT, subjects.alerts_of(key.tenant, source_id), 256, _cloudevent_reader(EventKind.ALERT, key)
        ),
        Topic(EventKind.SESSION, subjects.lifecycle_of(key), 64, _cloudevent_reader(EventKind.SESSION, key)),
    )


def event(kind: EventKind, data: object, *, last: bool = False) -> LiveEvent:
    """An event of the gateway's own."""
    return LiveEvent(kind, msgspec.json.encode(data), last)


def read_decision(payload: bytes) -> LiveEvent:
    """A stored decision as JSON, or `InvalidMessage`."""
    return event(EventKind.DECISION, decision_json(decode_decision(payload)))


def _cloudevent_reader(kind: EventKind, key: SessionKey) -> Reader:
    """Pass a CloudEvent on as it is. One camera may feed several sessions: only this session's are let through."""

    def read(payload: bytes) -> LiveEvent | None:
        envelope = decode_event(payload)
        if not isinstance(envelope.data, dict) or envelope.data.get("session") != key.session:
            return None
        return LiveEvent(kind, payload, last=envelope.type == ENDED)

    return read
