"""Announcements: what an operator has a session say aloud. They are published and not stored: what nobody spoke in time
is not spoken later. What became of one is told by the events of speech, under its id."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.core.ids import SessionKey


@dataclass(frozen=True, slots=True)
class AnnouncementData:
    """The `data` of an announcement."""

    tenant: str
    session: str
    text: str
    emit_time: str


def announcement_outgoing(key: SessionKey, announcement: str, text: str, emit_time_us: int) -> Outgoing:
    """The message of the announcement with that id. It is only published."""
    emit_time = rfc3339(emit_time_us)
    event = CloudEvent(
        id=f"{key.session}.announcement.{announcement}",
        source=session_source(key),
        type="vigil.announcement",
        subject=announcement,
        time=emit_time,
        data=AnnouncementData(key.tenant, key.session, text, emit_time),
    )
    return event_outgoing(key.tenant, subjects.announcement(key), event)
