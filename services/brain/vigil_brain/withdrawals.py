"""Hears that nobody wants the answer of a task any more: it was withdrawn, its session closed it, or has ended.

A message that is missed costs no more than a heartbeat: the lease of a task whose session does not wait is not renewed.
"""

from collections.abc import Callable
from typing import NoReturn

import msgspec

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage, InvalidSubject
from vigil.contract.events.envelope import decode_event
from vigil.contract.subject_tokens import PREFIX, DelegationEvent, Kind, Lifecycle
from vigil.contract.subject_values import DelegationSubject, LifecycleSubject, SessionSubject, parse
from vigil.core.delegation import TaskOutcome
from vigil.core.ids import SessionKey
from vigil.runtime.bus import hearing
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.process.logs import get_log

log = get_log()

_HAS_RESULT = frozenset({TaskOutcome.ANSWERED, TaskOutcome.FAILED})
_WHY = {
    TaskOutcome.EXPIRED: "its time was up",
    TaskOutcome.DISPLACED: "newer questions took its place",
    TaskOutcome.FORGOTTEN: "the session was reset, or has ended",
}

# Called with the session, the task (None: all of the session's) and why.
Withdraw = Callable[[SessionKey, str | None, str], None]

HEARD = (
    *subjects.all_delegations(DelegationEvent.CLOSED),
    f"{PREFIX}.{Kind.TASK_CANCELLING}.>",
    f"{PREFIX}.session.{Lifecycle.ENDED}.>",
)


async def hear(bus: Bus, withdraw: Withdraw) -> NoReturn:
    """Withdraw what is said to be withdrawn, for ever."""

    def heard(message: Message) -> None:
        found = read(message.subject, message.payload)
        if found is not None:
            withdraw(*found)

    await hearing.hear(bus, HEARD, heard, "withdrawals")


def read(subject: str, payload: bytes) -> tuple[SessionKey, str | None, str] | None:
    """The session, the task (None: all of the session's) and why; None when the message withdraws nothing."""
    try:
        match parse(subject):
            case LifecycleSubject(event=Lifecycle.ENDED, key=key):
                return key, None, "the session has ended"
            case SessionSubject(kind=Kind.TASK_CANCELLING, key=key):
                return key, payload.decode(), "it was cancelled"
            case DelegationSubject(event=DelegationEvent.CLOSED, key=key):
                return _closed(key, payload)
    except (InvalidSubject, InvalidMessage, UnicodeDecodeError, msgspec.ValidationError, ValueError) as error:
        log.warning("withdrawal not read", subject=subject, reason=str(error))
    return None


def _closed(key: SessionKey, payload: bytes) -> tuple[SessionKey, str | None, str] | None:
    event = decode_event(payload)
    data = event.data if isinstance(event.data, dict) else {}
    outcome = TaskOutcome(str(data.get("outcome")))
    return None if outcome in _HAS_RESULT else (key, event.subject, _WHY[outcome])
