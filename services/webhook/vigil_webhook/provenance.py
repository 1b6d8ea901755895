"""Whether a stored message is what a service of ours stored there, and not a copy that somebody had made.

The bytes of a copied alert are those of the alert. A copy is told by its subject, its message id, and the headers that
a server adds when it copies a message.
"""

from typing import Any

from vigil.contract.errors import InvalidSubject
from vigil.contract.events.envelope import CloudEvent
from vigil.contract.subject_values import AlertSubject, LifecycleSubject, Subject, parse
from vigil.runtime.bus.consumer import Delivery

MESSAGE_ID = "Nats-Msg-Id"
# What a server adds to a message that it takes from another stream, or repeats on another subject.
_COPIED = ("Nats-Stream-Source", "Nats-Stream", "Nats-Last-Sequence")


def why_foreign(delivery: Delivery, event: CloudEvent) -> str:
    """Why this message is not one that a service of ours stored; empty when it is."""
    data: dict[str, Any] = event.data if isinstance(event.data, dict) else {}
    if copied := [name for name in _COPIED if name in delivery.headers]:
        return f"it was copied from another stream: it has the header {copied[0]}"
    if delivery.headers.get(MESSAGE_ID, "") != f"{data.get('tenant')}.{event.id}":
        return "its message id is not the one under which its event is stored"
    try:
        subject = parse(delivery.subject)
    except InvalidSubject as error:
        return str(error)
    return "" if _belongs(subject, event, data) else "its subject is not that of its event"


def _belongs(subject: Subject, event: CloudEvent, data: dict[str, Any]) -> bool:
    match subject:
        case AlertSubject(tenant, source, happened):
            has = (data.get("tenant"), data.get("source_id"), data.get("state"))
            return has == (tenant, source, happened) and event.type == f"vigil.alert.{happened}"
        case LifecycleSubject(change, key):
            return (data.get("tenant"), data.get("session")) == (key.tenant, key.session) and event.type == (
                f"vigil.session.{change}"
            )
    return False
