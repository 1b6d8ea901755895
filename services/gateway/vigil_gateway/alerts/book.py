"""Alerts as their events tell of them: one entry for each alert, however many events it has had. Pure."""

from dataclasses import dataclass, field
from typing import Any

from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.subject_tokens import AlertAction
from vigil.core.alert import AlertState
from vigil_gateway.api.models.alerts import AlertOut

_ACTIONS = frozenset(AlertAction)


@dataclass(slots=True)
class Actions:
    """What people did about one alert. Times are as the events have them; `mutes` counts the mutes, `places` are the
    sequences of the events that were taken in."""

    acknowledged_by: str | None = None
    acknowledged_at: str | None = None
    acknowledged_note: str | None = None
    muted_until: str | None = None
    mutes: int = 0
    places: set[int] = field(default_factory=set)

    @property
    def shown(self) -> dict[str, str | None]:
        """What a client is shown of them, by its names."""
        return {
            "acknowledged_by": self.acknowledged_by,
            "acknowledged_at": self.acknowledged_at,
            "acknowledged_note": self.acknowledged_note,
            "muted_until": self.muted_until,
        }

    def take(self, event: CloudEvent, place: int) -> None:
        """Take in one of them, once; an alert is acknowledged once, and the newest mute holds."""
        if place in self.places:
            return
        self.places.add(place)
        if event.data["state"] == AlertAction.MUTED:
            self.muted_until, self.mutes = event.data.get("until"), self.mutes + 1
        elif self.acknowledged_at is None:
            self.acknowledged_at = event.time
            self.acknowledged_by, self.acknowledged_note = event.data.get("by"), event.data.get("note")


@dataclass(slots=True)
class Entry:
    """One alert. `place` is the sequence of the first of its events that was read, `payload` the newest of them.

    Of the events themselves no more is kept: thousands of alerts may be read at once.
    """

    place: int
    payload: bytes
    state: str
    session: str
    watch: str
    severity: str
    source: str
    snapshot: str | None
    actions: Actions | None

    @property
    def is_open(self) -> bool:
        """Whether the alert goes on. What people do about an alert stands before its closing, never behind it."""
        return self.state != AlertState.CLOSED

    @property
    def newest(self) -> CloudEvent:
        """The newest of its events."""
        return decode_event(self.payload)

    def shown(self) -> AlertOut:
        """The alert for a client. Raises pydantic's `ValidationError` for data that are not an alert's."""
        event = self.newest
        known = {name: value for name, value in event.data.items() if name in AlertOut.model_fields}
        return AlertOut.model_validate(
            known
            | {
                "open": self.is_open,
                "updated_at": event.time,
                "closed_at": None if self.is_open else event.time,
                "snapshot_path": self.snapshot,
                "severities": event.data.get("severities") or [event.data.get("severity")],
            }
            | (self.actions or Actions()).shown
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for; None lets everything through."""

    is_open: bool | None = None
    session: str | None = None
    watch: str | None = None
    severity: str | None = None
    source: str | None = None
    acknowledged: bool | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether an alert is one of these."""
        is_acknowledged = entry.actions is not None and entry.actions.acknowledged_at is not None
        asked = (
            (self.is_open, entry.is_open),
            (self.session, entry.session),
            (self.watch, entry.watch),
            (self.severity, entry.severity),
            (self.source, entry.source),
            (self.acknowledged, is_acknowledged),
        )
        return all(wanted is None or wanted == has for wanted, has in asked)


@dataclass(slots=True)
class AlertBook:
    """All alerts of the events that were read, in the order in which they began, and what people did about them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    actions: dict[str, Actions] = field(default_factory=dict)

    def read(self, payload: bytes, place: int) -> None:
        """Take an event in. Raises `InvalidMessage`."""
        event, data = _alert_event(payload)
        alert_id = data["alert_id"]
        if data["state"] in _ACTIONS:
            self._take_action(alert_id, event, place)
        before = self.entries.get(alert_id)
        found = data.get("snapshot")
        self.entries[alert_id] = Entry(
            place=before.place if before else place,
            payload=payload,
            state=data["state"],
            session=str(data.get("session", "")),
            watch=str(data.get("watch", "")),
            severity=str(data.get("severity", "")),
            source=str(data.get("source_id", "")),
            snapshot=found.get("path") if isinstance(found, dict) else (before.snapshot if before else None),
            actions=self.actions.get(alert_id),
        )

    def read_action(self, payload: bytes, place: int) -> None:
        """Take in only what somebody did about an alert, so that it is known where the alert itself is not of the time
        that is read. Raises `InvalidMessage`."""
        event, data = _alert_event(payload)
        self._take_action(data["alert_id"], event, place)

    def found(self, wanted: Wanted, before: int | None = None) -> list[Entry]:
        """The entries that match, those that began last first; of those that began before a place, when given."""
        return [
            entry
            for entry in reversed(self.entries.values())
            if wanted.fits(entry) and (before is None or entry.place < before)
        ]

    def _take_action(self, alert_id: str, event: CloudEvent, place: int) -> None:
        self.actions.setdefault(alert_id, Actions()).take(event, place)


def _alert_event(payload: bytes) -> tuple[CloudEvent, dict[str, Any]]:
    event = decode_event(payload)
    data = event.data
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in ("alert_id", "state")):
        raise InvalidMessage("this event is not of an alert")
    return event, data
