"""Hears messages for as long as a worker lives, also after the connection to NATS was lost. What is said meanwhile is
missed: whoever hears must be able to do without."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import NoReturn

from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log

log = get_log()

CAPACITY = 1_024  # messages of each subject that wait to be heard; the oldest of more is let go
_RETRY_S = 0.5


async def hear(bus: Bus, subjects: Sequence[str], heard: Callable[[Message], None], what: str) -> NoReturn:
    """Call `heard` for each message on the subjects, for ever. `what` names them in the log."""
    while True:
        try:
            async with AsyncExitStack() as stack:
                channels = [await stack.enter_async_context(bus.subscribe(subject, CAPACITY)) for subject in subjects]
                await first_to_end(*(_follow(channel, heard) for channel in channels))
        except BusError as error:
            log.warning("subscription failed", heard=what, reason=str(error))
        await asyncio.sleep(_RETRY_S)


async def _follow(channel: KeepLatest[Message], heard: Callable[[Message], None]) -> None:
    messages: AsyncIterator[Message] = aiter(channel)
    async for message in messages:
        heard(message)
