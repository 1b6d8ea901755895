"""What a client changes about a session while a worker works on it, and the session's end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import NoReturn

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusUnavailable, StoreUnavailable
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.ports import SessionPorts
from vigil.runtime.store.sessions import Ended, Look

log = get_log()

LOOK_S = 5.0  # how often a session is read though nobody told of a change: word of it may have been lost
RETRY_S = 1.0  # after NATS or Redis did not answer

TakeUp = Callable[[Look], None]
Turn = AbstractAsyncContextManager[object]


def _ignore(_: Look) -> None:
    """For a worker that only wants to know of the end."""


async def follow(
    ports: SessionPorts,
    key: SessionKey,
    take_up: TakeUp = _ignore,
    *,
    commands: bool = False,
    turn: Turn | None = None,
    look_s: float = LOOK_S,
) -> Ended:
    """Read the session whenever something about it may have changed, and hand what was read to `take_up`; returns how
    the session ended. Raises `UnknownSession` when the store has forgotten it.

    The session is read when an event of its life is announced, with `commands` also when it is nudged, each time the
    bus can be heard again, and every `look_s` seconds in any case. While Redis does not answer it is tried again.
    Reading and `take_up` happen within `turn`, a lock for example: nothing else that holds it happens between the two.
    """
    told = asyncio.Event()

    async def read() -> Ended | None:
        async with turn or nullcontext():
            look = await ports.store.look(key)
            take_up(look)
        return look.ended

    heard = [subjects.lifecycle_of(key), *([subjects.command(key)] if commands else [])]
    return await first_to_end(
        _until_ended(read, told, look_s), *(_listen(ports.bus, subject, told) for subject in heard)
    )


async def _until_ended(read: Callable[[], Awaitable[Ended | None]], told: asyncio.Event, look_s: float) -> Ended:
    is_away = False
    while True:
        await _told_or_due(told, look_s)
        try:
            ended = await read()
        except StoreUnavailable as error:
            if not is_away:  # once for each time that Redis is away
                log.warning("session not read", reason=str(error))
            is_away = True
            await asyncio.sleep(RETRY_S)
            told.set()
            continue
        is_away = False
        if ended is not None:
            return ended


async def _told_or_due(told: asyncio.Event, look_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(look_s):
            await told.wait()
    told.clear()


async def _listen(bus: Bus, subject: str, told: asyncio.Event) -> NoReturn:
    """Set `told` at every message, and whenever the subject is listened to again: messages may have been missed."""
    while True:
        await bus.connected()
        try:
            async with bus.keep_latest(subject) as messages:
                told.set()
                async for _ in messages:
                    told.set()
        except BusUnavailable as error:
            log.info("change notices lost", reason=str(error))
        await asyncio.sleep(RETRY_S)  # the bus may call itself connected for a moment longer
