"""Alert events: opened, updated, closed."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, Emission, event_outgoing, rfc3339
from vigil.contract.outgoing import Outgoing
from vigil.core.alert import AlertEvent
from vigil.core.session import SessionSpec


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
    `severities` are all that the alert has had; `news` says that people who want openings want this event too."""

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
    return event_outgoing(spec.tenant, subjects.alert(spec.tenant, spec.source.id, event.state), cloud_event)
