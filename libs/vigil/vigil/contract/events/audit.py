"""The audit: who asked to change what, and what came of it. For the operator and the tenant's administrators.

A record names a request, never its body, and never a key: an actor is the name of a key, or the beginning of its
digest. Downstream systems of a tenant have no right to read it on NATS; administrators ask the gateway.
"""

from dataclasses import dataclass

import msgspec

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, decode_event, event_outgoing, rfc3339
from vigil.contract.outgoing import Outgoing
from vigil.contract.unreadable import UNREADABLE

RECORDED = "vigil.audit.recorded"


@dataclass(frozen=True, slots=True)
class AuditData:
    """The `data` of an audit event.

    `method` is that of HTTP, or `grpc` or `websocket`; `route` the path with its placeholders, the method of gRPC or
    the type of the message. `session` is what the request was about, empty for none. `status` is the HTTP status of the
    answer, also of what came otherwise; `address` the client's.
    """

    tenant: str
    actor: str
    role: str
    method: str
    route: str
    session: str
    status: int
    address: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A stored audit event: when it happened (RFC 3339), and what."""

    id: str
    time: str
    data: AuditData


def audit_outgoing(data: AuditData, *, event_id: str, time_us: int) -> Outgoing:
    """The stored message of an audit event."""
    event = CloudEvent(
        id=event_id,
        source=f"/tenants/{data.tenant}",
        type=RECORDED,
        subject=data.actor,
        time=rfc3339(time_us),
        data=data,
    )
    return event_outgoing(data.tenant, subjects.audit(data.tenant), event)


def decode_audit(payload: bytes) -> AuditRecord:
    """Read a stored audit event. Raises `InvalidMessage`."""
    event = decode_event(payload)
    try:
        return AuditRecord(event.id, event.time, msgspec.convert(event.data, AuditData))
    except UNREADABLE as error:
        raise InvalidMessage(f"this is no audit event: {error}") from None
