"""Asks ingestion for the newest picture when somebody asks the session something: the answer does not wait for the next
second.

It is asked for once the question is in the turn's reach, so the turn that comes of the picture shows the question. A
session whose pictures a client pushes has nobody who hears this: its question waits for the client's next picture.
"""

import asyncio
from collections.abc import Iterable
from typing import NoReturn

from vigil.contract import subjects
from vigil.core.command import Ask, Command
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log

log = get_log()


class PictureWish:
    """`known` are the commands that wait when the session is taken: its first picture comes anyway."""

    def __init__(self, bus: Bus, key: SessionKey, known: Iterable[Command]) -> None:
        self._bus = bus
        self._key = key
        self._questions = _questions(known)
        self._is_due = asyncio.Event()

    def waiting(self, commands: Iterable[Command]) -> None:
        """These wait for a turn now. A new question among them wants a picture."""
        questions = _questions(commands)
        if questions - self._questions:
            self._is_due.set()
        self._questions = questions

    async def run(self) -> NoReturn:
        """Ask for what is wanted, until cancelled. Without NATS the question waits for the next picture."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            try:
                await self._bus.publish(subjects.frame_asked(self._key), b"")
            except BusError as error:
                log.info("picture not asked for", reason=str(error))


def _questions(commands: Iterable[Command]) -> frozenset[str]:
    return frozenset(command.id for command in commands if isinstance(command, Ask))
