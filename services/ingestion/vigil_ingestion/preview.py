"""A smooth picture of a source for people who look, encoded only while somebody does.

The gateway says every two seconds that somebody looks. Then the thread that decodes also encodes at most ten of its
pictures a second, and the newest is published. Otherwise a picture costs one comparison. All sessions of a worker share
a budget, so that looking never slows watching: with many viewers every preview gets fewer pictures.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import av

from vigil.contract import subjects
from vigil.contract.frames import Frame
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil_ingestion import metrics
from vigil_ingestion.geometry import Geometry
from vigil_ingestion.picture import PLAIN, NotConvertible, encode

log = get_log()

LOOKED_S = 5.0  # after so long without word from a gateway nobody looks any more
INTERVAL_S = 0.1
BUDGET_S = 40.0  # pictures a second for all sessions of a worker: a third of one core with pictures of 1920 x 1080
_SAVED_S = 0.25  # of a second's budget that may be used at once
MAX_SIDE = 960
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class PreviewShape:
    """The size and the quality of a preview: neither side above `MAX_SIDE`, both even; never scaled up."""

    jpeg_quality: int = 70

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size for a picture of that size, aspect kept."""
        shrink = max(1.0, width / MAX_SIDE, height / MAX_SIDE)
        return max(2, int(width / shrink) // 2 * 2), max(2, int(height / shrink) // 2 * 2)


SHAPE = PreviewShape()


class Budget:
    """At most `per_s` pictures a second, whoever encodes them, in whichever thread."""

    def __init__(self, per_s: float = BUDGET_S) -> None:
        self._each_s = 1.0 / per_s
        self._next_s = 0.0
        self._lock = threading.Lock()

    def take(self, now_s: float) -> bool:
        """Whether there is a picture left to encode, which is taken."""
        with self._lock:
            if now_s < self._next_s:
                return False
            self._next_s = max(self._next_s, now_s - _SAVED_S) + self._each_s
            return True


class Preview:
    """One session's preview. `wants` and `show` are for the thread that decodes, everything else for the event loop.

    `pictures` holds the newest one that was not published yet.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, budget: Budget, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.pictures: KeepLatest[Frame] = KeepLatest()
        self._loop = loop
        self._budget = budget
        self._monotonic = monotonic
        self._until_s = 0.0
        self._next_s = 0.0

    def ask(self) -> None:
        """Somebody looks now."""
        self._until_s = self._monotonic() + LOOKED_S

    def wants(self) -> bool:
        """Whether somebody looks and the next picture is due: then it is to be shown."""
        if not self._until_s:
            return False
        now_s = self._monotonic()
        return self._next_s <= now_s < self._until_s and self._budget.take(now_s)

    def show(self, picture: av.VideoFrame, time_us: int, geometry: Geometry = PLAIN) -> None:
        """Encode a picture that is wanted. One that cannot be shown is passed over: the session's status says so."""
        now_s = self._monotonic()
        is_on_time = now_s - self._next_s < INTERVAL_S
        self._next_s = (self._next_s if is_on_time else now_s) + INTERVAL_S
        with metrics.PREVIEW_SECONDS.time():
            try:
                frame = encode(picture, time_us, SHAPE, geometry)
            except NotConvertible:
                return
        self._loop.call_soon_threadsafe(self.pictures.offer, frame)


async def carry(bus: Bus, key: SessionKey, preview: Preview) -> NoReturn:
    """Hear whether somebody looks, and publish what is shown, until cancelled. NATS may be away meanwhile."""
    while True:
        try:
            async with bus.keep_latest(subjects.preview_asked(key)) as asked:
                await first_to_end(_hear(asked, preview), _publish(bus, key, preview))
        except BusError as error:
            log.debug("preview interrupted", reason=str(error))
        await asyncio.sleep(RETRY_S)


async def _hear(asked: KeepLatest[Message], preview: Preview) -> None:
    async for _ in asked:
        preview.ask()


async def _publish(bus: Bus, key: SessionKey, preview: Preview) -> None:
    async for frame, dropped in preview.pictures.counted():
        metrics.PREVIEW_DROPPED.inc(dropped)
        try:
            await bus.publish(subjects.preview_shown(key), frame.jpeg)
        except BusError as error:
            metrics.PREVIEW_DROPPED.inc()
            log.debug("preview not published", reason=str(error))
