"""What strangers subscribe to: CloudEvents 1.0 in structured JSON, as `proto/asyncapi.yaml` publishes them.

Times are RFC 3339 in UTC with milliseconds. An event's `id` is unique within its `source`, and the same event always
has the same one, so that whoever gets it twice can tell.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.subjects import Lifecycle
from vigil.core.alert import AlertEvent
from vigil.core.control import Action
from vigil.core.decide import Decision
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec


@dataclass(frozen=True, slots=True)
class Emission:
    """When a turn's events were captured and emitted (microseconds since the epoch), and the trace they belong to."""

    capture_time_us: int
    emit_time_us: int
    traceparent: str = ""

    @property
    def latency_ms(self) -> float:
        """From the camera to the event."""
        return round((self.emit_time_us - self.capture_time_us) / 1000, 3)


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """Where the frame of an alert is: an object in JetStream, and a path on the gateway."""

    bucket: str
    key: str
    path: str
    media_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class AlertData:
    """The `data` of an alert event. `time_s` is model time; `updates` counts the events of this alert before it;
    `severities` are all that the alert has had; `news` says that it is to be noticed as an opening is."""

    alert_id: str
    watch: str
    severity: str
    state: str
    reason: str
    tenant: str
    source_id: str
    source_name: str
    session: str
    instruction_id: str
    text: str
    p_speak: float | None
    capture_time: str
    emit_time: str
    latency_ms: float
    opened_at: str
    time_s: float
    decision_sequence: int
    updates: int
    news: bool
    severities: tuple[str, ...]
    snapshot: SnapshotRef | None


@dataclass(frozen=True, slots=True)
class UtteranceData:
    """The `data` of an utterance event: words that the model spoke."""

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


@dataclass(frozen=True, slots=True)
class SessionData:
    """The `data` of a session event. `role` and `worker` are empty when the gateway tells it."""

    tenant: str
    session: str
    source_id: str
    role: str
    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """A CloudEvent in its JSON format. `data` is one of the data classes above, or what they read as."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Any
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str | None = None


def rfc3339(time_us: int) -> str:
    """Microseconds since the epoch as `2026-01-31T12:00:00.000Z`."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alert_outgoing(
    spec: SessionSpec,
    event: AlertEvent,
    p_speak: float | None,
    emission: Emission,
    snapshot: SnapshotRef | None = None,
) -> Outgoing:
    """The stored message of an alert event; `p_speak` is that of the turn that caused it, if one did."""
    alert = event.alert
    data = AlertData(
        alert_id=alert.id,
        watch=alert.watch.name,
        severity=event.severity,
        state=event.state,
        reason=event.reason,
        tenant=spec.tenant,
        source_id=spec.source.id,
        source_name=spec.source.name,
        session=spec.session,
        instruction_id=alert.instruction_id,
        text=event.text,
        p_speak=p_speak,
        capture_time=rfc3339(emission.capture_time_us),
        emit_time=rfc3339(emission.emit_time_us),
        latency_ms=emission.latency_ms,
        opened_at=rfc3339(alert.opened_capture_us),
        time_s=event.moment.time_ms / 1000,
        decision_sequence=event.moment.sequence,
        updates=event.number,
        news=event.is_news,
        severities=tuple(dict.fromkeys((*alert.severities, event.severity))),
        snapshot=snapshot,
    )
    cloud_event = CloudEvent(
        id=f"{alert.id}.{event.number}",
        source=f"/tenants/{spec.tenant}/sources/{spec.source.id}",
        type=f"vigil.alert.{event.state}",
        subject=alert.id,
        time=rfc3339(emission.emit_time_us),
        data=data,
        traceparent=emission.traceparent or None,
    )
    return _outgoing(spec.tenant, subjects.alert(spec.tenant, spec.source.id, event.state), cloud_event)


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
    )
    cloud_event = CloudEvent(
        id=f"{spec.session}.utterance.{spec.created_us}.{decision.sequence}",
        source=_session_source(key),
        type="vigil.utterance",
        subject=spec.session,
        time=rfc3339(emission.emit_time_us),
        data=data,
        traceparent=emission.traceparent or None,
    )
    return _outgoing(spec.tenant, subjects.utterance(key), cloud_event)


def session_outgoing(
    event: Lifecycle, data: SessionData, *, created_us: int, number: int, emit_time_us: int, traceparent: str = ""
) -> Outgoing:
    """The stored message of an event in a session's life, which is told from an earlier one of the same id by when it
    was created. `number` tells events of one kind and role apart: the fence for `started` and `moved`, 0 for what
    happens once."""
    key = SessionKey(data.tenant, data.session)
    cloud_event = CloudEvent(
        id=".".join((data.session, data.role or "gateway", event, str(created_us), str(number))),
        source=_session_source(key),
        type=f"vigil.session.{event}",
        subject=data.session,
        time=rfc3339(emit_time_us),
        data=data,
        traceparent=traceparent or None,
    )
    return _outgoing(data.tenant, subjects.lifecycle(event, key), cloud_event)


def decode_event(payload: bytes) -> CloudEvent:
    """Read a CloudEvent, its `data` as plain JSON, or raise `InvalidMessage`."""
    try:
        return msgspec.json.decode(payload, type=CloudEvent)
    except msgspec.MsgspecError as error:
        raise InvalidMessage(f"these bytes are not a CloudEvent: {error}") from None


def _outgoing(tenant: str, subject: str, event: CloudEvent) -> Outgoing:
    value = {name: part for name, part in msgspec.to_builtins(event).items() if part is not None}
    return Outgoing(subject, f"{tenant}.{event.id}", msgspec.json.encode(value), CLOUDEVENT, event.traceparent or "")


def _session_source(key: SessionKey) -> str:
    return f"/tenants/{key.tenant}/sessions/{key.session}"


def p_speak_of(decision: Decision) -> float | None:
    """How likely the model found it to speak in this turn; None when the engine gave no probabilities."""
    return None if decision.probabilities is None else round(decision.probabilities.speak, 6)
