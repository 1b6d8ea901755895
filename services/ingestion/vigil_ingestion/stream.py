"""One source, opened, decoded and sampled in a thread of its own; its newest turn is handed to the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from vigil.contract.frames import Frame
from vigil.core.profile import PromptProfile
from vigil.core.session import Cadence
from vigil.core.source import SourceKind
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import PortError
from vigil.runtime.process.redaction import redacted
from vigil_ingestion import metrics
from vigil_ingestion.address import Address, resolve
from vigil_ingestion.camera_clock import ClockNotice
from vigil_ingestion.clock import WallClock
from vigil_ingestion.conversion import Conversion
from vigil_ingestion.faults import as_source_errors
from vigil_ingestion.media import US_PER_S, Limits, MediaInfo, opened
from vigil_ingestion.playback import Capture, Length, length, live, played
from vigil_ingestion.sampler import Group, Sampler
from vigil_ingestion.timeline import Timeline

# From the capture time of the first picture to the session's origin, which is the same for every worker that holds it.
Origin = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Order:
    """What to open and how to sample it."""

    url: str
    loop: bool
    cadence: Cadence
    profile: PromptProfile
    file_root: Path | None
    limits: Limits
    allow_local: bool = True


class Stream:
    """Iterate `turns`: it ends where a file ends and raises `SourceError` when the source fails."""

    def __init__(self, order: Order, origin: Origin, watched_us: int = 0) -> None:
        self.turns: KeepLatest[Group[Frame]] = KeepLatest()
        self.info: MediaInfo | None = None
        self.complaint = ""
        self.clock: ClockNotice | None = None  # what is wrong with the source's time stamps now
        self._order = order
        self._origin = origin
        self._origin_us: int | None = None
        self._cadence = order.cadence
        self._clock = WallClock(watched_us)
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()

    def retune(self, cadence: Cadence) -> None:
        """Sample at another cadence from the next picture on."""
        self._cadence = cadence

    def run(self) -> None:
        """What the thread runs. It hands everything over through the event loop."""
        cause: Exception | None = None
        try:
            with as_source_errors(redacted(self._order.url), PortError):
                self._watch()
        except Exception as error:  # noqa: BLE001  whatever ends the thread must reach the session that owns it
            cause = error
        self._loop.call_soon_threadsafe(self._end, cause)

    async def stop(self) -> None:
        """End the thread; returns when it has closed its source, which takes a read timeout at most."""
        self._clock.stop()
        await self._over.wait()

    def _end(self, cause: Exception | None) -> None:
        self.turns.close(cause)
        self._over.set()

    def _watch(self) -> None:
        sampler: Sampler[Frame] | None = None
        order = self._order
        conversion = Conversion(order.profile)
        for capture in self._captures(resolve(order.url, order.file_root, allow_local=order.allow_local)):
            sampler = (sampler or self._sampler(capture.time_us)).retuned(self._cadence)
            if sampler.wants(capture.time_us) and (picture := conversion.frame(capture)):
                metrics.SAMPLED.inc()
                sampler, turns = sampler.add(capture.time_us, picture)
                for turn in turns:
                    self._loop.call_soon_threadsafe(self.turns.offer, turn)
        conversion.finish()

    def _sampler(self, capture_us: int) -> Sampler[Frame]:
        return Sampler(self._cadence, self._since(capture_us))

    def _since(self, capture_us: int) -> int:
        if self._origin_us is None:
            self._origin_us = self._origin(capture_us)
        return self._origin_us

    def _captures(self, address: Address) -> Iterator[Capture]:
        with opened(address, self._order.limits) as media:
            self.info = media.info()
            if media.live:
                yield from live(media, self._clock, self._notice)
                return
            # Reading a whole local file is cheap and exact; a remote file would travel twice.
            whole = length(media, address.shown) if address.kind is SourceKind.FILE else Length(media.nominal_us)
        self.info = replace(self.info, duration_s=whole.duration_us / US_PER_S)
        self.complaint, self.clock = whole.complaint, whole.notice
        timeline = Timeline.of(self._since(self._clock.now_us()), whole.duration_us, self._order.loop)
        yield from played(address, self._order.limits, timeline, self._clock, seekable=whole.notice is None)

    def _notice(self, notice: ClockNotice | None) -> None:
        self.clock = notice


@asynccontextmanager
async def streaming(order: Order, origin: Origin, watched_us: int = 0) -> AsyncIterator[Stream]:
    """A stream that runs inside the block. `origin` is called in the stream's thread."""
    stream = Stream(order, origin, watched_us)
    threading.Thread(target=stream.run, name="source", daemon=True).start()
    try:
        yield stream
    finally:
        await stream.stop()
