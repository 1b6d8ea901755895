"""One alert with its events, as a client is shown it. Pure."""

from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.core.alert import AlertState
from vigil_gateway.alerts.reading import Life
from vigil_gateway.api.models.alerts import AlertDetail, AlertEventOut


def detail(life: Life) -> AlertDetail:
    """The alert for a client. Raises pydantic's `ValidationError` for data that are not an alert's."""
    events = [_event(payload) for payload in life.events]
    opened = events[0] if events[0].event == AlertState.OPENED else None
    return AlertDetail(
        **dict(life.entry.shown()),
        opened_sequence=None if opened is None else opened.decision_sequence,
        events=events,
        events_left_out=life.count - len(events),
    )


def _event(payload: bytes) -> AlertEventOut:
    event: CloudEvent = decode_event(payload)
    data = event.data
    if not isinstance(data, dict):
        raise InvalidMessage("this event is not of an alert")
    known = {name: value for name, value in data.items() if name in AlertEventOut.model_fields}
    return AlertEventOut.model_validate(known | {"id": event.id, "event": data.get("state"), "time": event.time})
