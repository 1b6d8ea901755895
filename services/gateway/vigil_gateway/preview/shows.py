"""Sessions at whose smooth pictures somebody looks: each is asked for once, however many look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log

log = get_log()

ASK_S = 2.0  # ingestion stops 5 s after the last word that somebody looks
RETRY_S = 1.0


@dataclass(slots=True)
class _Show:
    """One session's pictures, given to every viewer; each viewer has the newest alone."""

    bus: Bus
    key: SessionKey
    viewers: set[KeepLatest[bytes]] = field(default_factory=set)

    async def run(self) -> None:
        """Ask and hand on, until cancelled. NATS may be away meanwhile."""
        while True:
            try:
                await first_to_end(self._hand_on(), self._ask())
            except BusError as error:
                log.debug("preview interrupted", reason=str(error))
            await asyncio.sleep(RETRY_S)

    async def _hand_on(self) -> None:
        async with self.bus.keep_latest(subjects.preview_shown(self.key)) as pictures:
            async for message in pictures:
                for viewer in self.viewers:
                    viewer.offer(message.payload)

    async def _ask(self) -> None:
        while True:
            await self.bus.publish(subjects.preview_asked(self.key), b"")
            await asyncio.sleep(ASK_S)


class Shows:
    """All sessions at which somebody looks through this gateway. A show lives as long as it has viewers."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._open: dict[SessionKey, tuple[_Show, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._open)

    @asynccontextmanager
    async def of(self, key: SessionKey) -> AsyncIterator[KeepLatest[bytes]]:
        """The session's newest picture, again and again (JPEG), while the block runs."""
        if key not in self._open:
            show = _Show(self._bus, key)
            self._open[key] = show, asyncio.create_task(show.run(), name=f"preview of {key}")
        show, task = self._open[key]
        viewer: KeepLatest[bytes] = KeepLatest()
        show.viewers.add(viewer)
        try:
            yield viewer
        finally:
            show.viewers.discard(viewer)
            if not show.viewers:
                del self._open[key]
                task.cancel()
                await asyncio.wait({task})
