"""Hears that a question waits for a turn: then the next picture is shown at once, and not at the next second.

    interaction: a question waits ─► frame.asked ─► sampler: the next picture makes a turn ─► codec ─► interaction

Interaction asks once it knows of the question, so the turn that comes of the picture shows both.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log

log = get_log()

RETRY_S = 1.0


async def hear_asked(bus: Bus, key: SessionKey, show_next: Callable[[], None]) -> NoReturn:
    """Call `show_next` each time that a picture is asked for, until cancelled. While NATS is away none is: questions
    wait for the next turn then."""
    while True:
        try:
            async with bus.keep_latest(subjects.frame_asked(key)) as asked:
                async for _ in asked:
                    show_next()
        except BusError as error:
            log.debug("listening interrupted", what="pictures that are asked for", reason=str(error))
        await asyncio.sleep(RETRY_S)
