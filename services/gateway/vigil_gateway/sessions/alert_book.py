"""Alerts as their events tell of them: one entry for each alert, however many events it has had. Pure."""

from dataclasses import dataclass, field
from typing import Any

from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import decode_event
from vigil.core.alert import AlertState
from vigil_gateway.api.models.alerts import AlertOut


@dataclass(slots=True)
class Entry:
    """One alert. `place` is the sequence of the first of its events that was read, `data` that of the newest."""

    place: int
    time: str
    data: dict[str, Any]
    snapshot: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the alert goes on."""
        return self.data.get("state") != AlertState.CLOSED

    def shown(self) -> AlertOut:
        """The alert for a client. Raises pydantic's `ValidationError` for data that are not an alert's."""
        known = {name: value for name, value in self.data.items() if name in AlertOut.model_fields}
        return AlertOut.model_validate(
            known
            | {
                "open": self.is_open,
                "updated_at": self.time,
                "closed_at": None if self.is_open else self.time,
                "snapshot_path": self.snapshot,
                "severities": self.data.get("severities") or [self.data.get("severity")],
            }
        )


@dataclass(slots=True)
class AlertBook:
    """All alerts of the events that were read, in the order in which they began."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def read(self, payload: bytes, place: int) -> None:
        """Take an event in. Raises `InvalidMessage`."""
        event = decode_event(payload)
        data = event.data
        if not isinstance(data, dict) or not isinstance(data.get("alert_id"), str):
            raise InvalidMessage("this event is not of an alert")
        entry = self.entries.setdefault(data["alert_id"], Entry(place, event.time, data))
        entry.time, entry.data = event.time, data
        if isinstance(found := data.get("snapshot"), dict):
            entry.snapshot = found.get("path")

    def found(self, *, is_open: bool | None, session: str | None, before: int | None) -> list[Entry]:
        """The entries that match, those that began last first; of those that began before a place, when given."""
        return [
            entry
            for entry in reversed(self.entries.values())
            if (is_open is None or entry.is_open is is_open)
            and (session is None or entry.data.get("session") == session)
            and (before is None or entry.place < before)
        ]
