"""Hears that nobody wants the answer of a task any more: it was withdrawn, its session closed it, or has ended.

A message that is missed costs no more than a heartbeat: the lease of a task whose session does not wait is not renewed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import NoReturn

import msgspec

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage, InvalidSubject
from vigil.contract.events.envelope import decode_event
from vigil.contract.subjects import (
    DelegationEvent,
    DelegationSubject,
    Kind,
    Lifecycle,
    LifecycleSubject,
    SessionSubject,
)
from vigil.core.delegation import TaskOutcome
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log

log = get_log()

_CAPACITY = 1_024
_RETRY_S = 0.5
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
    f"{subjects.PREFIX}.{Kind.TASK_CANCELLING}.>",
    f"{subjects.PREFIX}.session.{Lifecycle.ENDED}.>",
)


async def hear(bus: Bus, withdraw: Withdraw) -> NoReturn:
    """Withdraw what is said to be withdrawn, for ever."""
    while True:
        try:
            async with AsyncExitStack() as stack:
                channels = [await stack.enter_async_context(bus.subscribe(heard, _CAPACITY)) for heard in HEARD]
                await first_to_end(*(_follow(channel, withdraw) for channel in channels))
        except BusError as error:
            log.warning("subscription to withdrawals failed", reason=str(error))
        await asyncio.sleep(_RETRY_S)


async def _follow(channel: KeepLatest[Message], withdraw: Withdraw) -> None:
    messages: AsyncIterator[Message] = aiter(channel)
    async for message in messages:
        found = read(message.subject, message.payload)
        if found is not None:
            withdraw(*found)


def read(subject: str, payload: bytes) -> tuple[SessionKey, str | None, str] | None:
    """The session, the task (None: all of the session's) and why; None when the message withdraws nothing."""
    try:
        match subjects.parse(subject):
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
