"""The envelope of every event: CloudEvents 1.0 in structured JSON, as `proto/asyncapi.yaml` publishes them.

Times are RFC 3339 in UTC with milliseconds. An event's `id` is unique within its `source`. A repeated event keeps
its `id`, so a reader can recognise a repetition.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.unreadable import UNREADABLE
from vigil.core.ids import SessionKey


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
class CloudEvent:
    """A CloudEvent in its JSON format. `data` is the data class of its family, or the plain JSON that it reads as."""

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


def decode_event(payload: bytes) -> CloudEvent:
    """Read a CloudEvent, its `data` as plain JSON, or raise `InvalidMessage`."""
    try:
        return msgspec.json.decode(payload, type=CloudEvent)
    except UNREADABLE as error:
        raise InvalidMessage(f"these bytes are not a CloudEvent: {error}") from None


def event_outgoing(tenant: str, subject: str, event: CloudEvent) -> Outgoing:
    """The stored message of an event; parts of the envelope that are None are left out."""
    value = {name: part for name, part in msgspec.to_builtins(event).items() if part is not None}
    return Outgoing(subject, f"{tenant}.{event.id}", msgspec.json.encode(value), CLOUDEVENT, event.traceparent or "")


def session_source(key: SessionKey) -> str:
    """The `source` of events that a session causes."""
    return f"/tenants/{key.tenant}/sessions/{key.session}"
