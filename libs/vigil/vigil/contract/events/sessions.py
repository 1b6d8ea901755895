"""Session events: requested, started, moved, changed, stalled, recovered, source_lost, source_back, ended."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.ids import SessionKey


@dataclass(frozen=True, slots=True)
class SessionData:
    """The `data` of a session event. `role` is the role that the event is about, empty for the whole session; `worker`
    the process that holds the session in that role, empty when there is none.

    `reason` is a sentence. `cause` is one word for programs: of `stalled` the stage behind which nothing is seen
    (`Cause`), of `source_lost` what is wrong with the source; empty for every other event.
    """

    tenant: str
    session: str
    source_id: str
    role: str
    worker: str
    reason: str
    cause: str = ""


def session_outgoing(
    event: Lifecycle, data: SessionData, *, created_us: int, number: int, emit_time_us: int, traceparent: str = ""
) -> Outgoing:
    """The stored message of an event in a session's life.

    `created_us` is when the session was created: it tells the session from an earlier one of the same id. `number`
    tells events of one kind and role apart: it is the fence for `started` and `moved`, the same for an outage's
    beginning and its end, and 0 for what happens once.
    """
    key = SessionKey(data.tenant, data.session)
    cloud_event = CloudEvent(
        id=".".join((data.session, data.role or "gateway", event, str(created_us), str(number))),
        source=session_source(key),
        type=f"vigil.session.{event}",
        subject=data.session,
        time=rfc3339(emit_time_us),
        data=data,
        traceparent=traceparent or None,
    )
    return event_outgoing(data.tenant, subjects.lifecycle(event, key), cloud_event)
