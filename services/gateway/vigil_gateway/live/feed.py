"""One session's live events: which subjects they come from, and how each message is read. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decision_json, decode_decision
from vigil.contract.events.envelope import decode_event
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.ids import SessionKey

ENDED = f"vigil.session.{Lifecycle.ENDED}"


class EventKind(StrEnum):
    """What kind of event it is: the `event` field of server-sent events, the `type` of a WebSocket message."""

    DECISION = "decision"
    UTTERANCE = "utterance"
    ALERT = "alert"
    SESSION = "session"
    DELEGATION = "delegation"
    APPROVAL = "approval"
    MEMORY = "memory"
    TRANSCRIPT = "transcript"
    SPEECH = "speech"
    STATUS = "status"
    END = "end"
    TILE = "tile"  # of a tenant's wall alone


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event for the client; `data` is its JSON. After the `last` one the stream ends.

    `sequence` is its place in its stream, 0 for an event of the gateway's own; `id` names the places in all streams, so
    that the client can go on from there.
    """

    kind: EventKind
    data: bytes
    last: bool = False
    decision: StoredDecision | None = None  # of a decision event, for doors that send it in another form
    sequence: int = 0
    id: str = ""

    def at(self, sequence: int) -> "LiveEvent":
        """The same event with its place in the stream."""
        return replace(self, sequence=sequence)


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
        Topic(EventKind.DELEGATION, subjects.delegations_of(key), 64, _cloudevent_reader(EventKind.DELEGATION, key)),
        Topic(EventKind.APPROVAL, subjects.approvals_of(key), 64, _cloudevent_reader(EventKind.APPROVAL, key)),
        Topic(EventKind.MEMORY, subjects.memory_of(key), 64, _cloudevent_reader(EventKind.MEMORY, key)),
        *speech_topics(key),
    )


def speech_topics(key: SessionKey) -> tuple[Topic, ...]:
    """What is told of a session's speech, and of its life."""
    return (
        Topic(EventKind.SESSION, subjects.lifecycle_of(key), 64, _cloudevent_reader(EventKind.SESSION, key)),
        Topic(EventKind.TRANSCRIPT, subjects.transcript(key), 64, _cloudevent_reader(EventKind.TRANSCRIPT, key)),
        Topic(EventKind.SPEECH, subjects.speech_of(key), 64, _cloudevent_reader(EventKind.SPEECH, key)),
    )


def wall_topics(tenant: str) -> tuple[Topic, ...]:
    """What a tenant's wall listens to, but for decisions, which it needs only the newest of."""
    return (
        Topic(EventKind.ALERT, subjects.alerts_of(tenant), 256, _as_it_is(EventKind.ALERT)),
        Topic(EventKind.SESSION, subjects.lifecycles_of(tenant), 256, _as_it_is(EventKind.SESSION)),
        Topic(EventKind.APPROVAL, subjects.approvals_of_tenant(tenant), 256, _as_it_is(EventKind.APPROVAL)),
    )


def event(kind: EventKind, data: object) -> LiveEvent:
    """An event of the gateway's own."""
    return LiveEvent(kind, msgspec.json.encode(data))


def read_decision(payload: bytes) -> LiveEvent:
    """A stored decision as JSON, or `InvalidMessage`."""
    decision = decode_decision(payload)
    return LiveEvent(EventKind.DECISION, msgspec.json.encode(decision_json(decision)), decision=decision)


def _as_it_is(kind: EventKind) -> Reader:
    """Pass every CloudEvent on."""

    def read(payload: bytes) -> LiveEvent:
        decode_event(payload)
        return LiveEvent(kind, payload)

    return read


def _cloudevent_reader(kind: EventKind, key: SessionKey) -> Reader:
    """Pass a CloudEvent on as it is. One camera may feed several sessions: only this session's are let through."""

    def read(payload: bytes) -> LiveEvent | None:
        envelope = decode_event(payload)
        if not isinstance(envelope.data, dict) or envelope.data.get("session") != key.session:
            return None
        return LiveEvent(kind, payload, last=envelope.type == ENDED)

    return read
