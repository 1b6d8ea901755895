"""Hears that sessions have ended: nobody reads their memory any more.

A message that is missed costs one summary at most: the store takes no block of a session that is over.
"""

from collections.abc import Callable
from typing import NoReturn

from vigil.contract.errors import InvalidSubject
from vigil.contract.subject_tokens import PREFIX, Lifecycle
from vigil.contract.subject_values import LifecycleSubject, parse
from vigil.core.ids import SessionKey
from vigil.runtime.bus import hearing
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.process.logs import get_log

log = get_log()

HEARD = f"{PREFIX}.session.{Lifecycle.ENDED}.>"


async def hear(bus: Bus, ended: Callable[[SessionKey], None]) -> NoReturn:
    """Call `ended` for each session that ends, for ever."""

    def heard(message: Message) -> None:
        if (key := read(message.subject)) is not None:
            ended(key)

    await hearing.hear(bus, (HEARD,), heard, "session ends")


def read(subject: str) -> SessionKey | None:
    """The session that has ended; None when the subject says something else."""
    try:
        match parse(subject):
            case LifecycleSubject(event=Lifecycle.ENDED, key=key):
                return key
    except InvalidSubject as error:
        log.warning("session end not read", subject=subject, reason=str(error))
    return None
