"""One source, opened, decoded and sampled in a thread of its own; its newest turn is handed to the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from vigil.contract.frames import Frame
from vigil.core.profile import PromptProfile
from vigil.core.session import Cadence
from vigil.core.source import SourceKind
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import PortError
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.redaction import redacted
from vigil_ingestion import metrics
from vigil_ingestion.address import Address, resolve
from vigil_ingestion.arrival_rate import ArrivalRate
from vigil_ingestion.camera_clock import ClockNotice
from vigil_ingestion.clock import WallClock
from vigil_ingestion.continuity import US_PER_S
from vigil_ingestion.conversion import Conversion
from vigil_ingestion.faults import Fault, SourceError, as_source_errors
from vigil_ingestion.media import Limits, Media, MediaInfo, opened
from vigil_ingestion.playback import Capture, Length, length, live, played
from vigil_ingestion.preview import Preview
from vigil_ingestion.sampler import Group, Sampler
from vigil_ingestion.sound.ear import Ear
from vigil_ingestion.timeline import UNSTATED_US, Timeline

log = get_log()

RECORDED_SLACK_US = US_PER_S // 2  # a recording that differs in length by more from one reading to the next is none

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

    def __init__(
        self,
        order: Order,
        origin: Origin,
        watched_us: int = 0,
        preview: Preview | None = None,
        ear: Ear | None = None,
        waiting_turns: int = 1,
    ) -> None:
        self.turns: KeepLatest[Group[Frame]] = KeepLatest(waiting_turns)
        self.info: MediaInfo | None = None
        self.complaint = ""
        self.ending = "the file has ended"
        self.clock: ClockNotice | None = None  # what is wrong with the source's time stamps now
        self._order = order
        self._origin = origin
        self._origin_us: int | None = None
        self._cadence = order.cadence
        self._is_asked = False
        self._clock = WallClock(watched_us)
        self._loop = asyncio.get_running_loop()
        self._rate = ArrivalRate()
        self._over = asyncio.Event()
        self._preview = preview
        self._ear = ear

    def retune(self, cadence: Cadence) -> None:
        """Sample at another cadence from the next picture on."""
        self._cadence = cadence

    def show_next(self) -> None:
        """Show the next picture at once: a question waits for a turn."""
        self._is_asked = True

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
        """End the thread; returns when it has closed its source: after a read timeout, of a slow source 20 s."""
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
            if self._is_asked:
                self._is_asked, sampler = False, sampler.asked()
            if sampler.wants(capture.time_us) and (picture := conversion.frame(capture)):
                metrics.SAMPLED.inc()
                sampler, turns = sampler.add(capture.time_us, picture)
                for turn in turns:
                    self._loop.call_soon_threadsafe(self.turns.offer, turn)
            if self._preview is not None and self._preview.wants():
                self._preview.show(capture.frame, capture.time_us, capture.geometry)
        conversion.finish()

    def _sampler(self, capture_us: int) -> Sampler[Frame]:
        return Sampler(self._cadence, self._since(capture_us))

    def _since(self, capture_us: int) -> int:
        if self._origin_us is None:
            self._origin_us = self._origin(capture_us)
        return self._origin_us

    def _captures(self, address: Address) -> Iterator[Capture]:
        limits = self._order.limits
        try:
            whole = yield from self._opened(address, limits)
        except SourceError as error:
            if error.fault is not Fault.TIMED_OUT or not self._rate.may_be_silent(int(limits.read_s * US_PER_S)):
                raise
            log.info("source found slow", pictures=self._rate.pictures, widest_s=self._rate.widest_us / US_PER_S)
            whole = yield from self._opened(address, limits.patient)
        if whole is not None:
            yield from self._played(address, whole)

    def _opened(self, address: Address, limits: Limits) -> Generator[Capture, None, Length | None]:
        """The pictures of a live source. Of any other none, but its length is returned."""
        self._rate = ArrivalRate(self._clock.now_us())
        with opened(address, limits, hears=self._ear is not None) as media:
            if self._ear is not None and media.sound is None:
                log.info("source found without sound")
            self.info = media.info()
            if not media.live:
                return self._length(media, address)
            try:
                for capture in live(media, self._clock, self._notice, self._ear):
                    self._rate = self._rate.step(capture.time_us)
                    yield capture
            except SourceError as error:
                if not self._is_recording(media, address, error):
                    raise
                return Length(media.shown_us, recorded=True)
        return None

    def _is_recording(self, media: Media, address: Address, error: SourceError) -> bool:
        """Whether a source that ended was a recording without a stated length, all of which came at once."""
        has_ended = error.fault is Fault.UNREACHABLE and address.kind is SourceKind.HTTP and not media.is_camera
        return has_ended and self._rate.is_recording(self._clock.now_us(), media.shown_us)

    def _length(self, media: Media, address: Address) -> Length:
        """How much can be played. Reading a whole local file is cheap and exact; a remote one would travel twice, which
        it only does where each round's length must be known."""
        if address.kind is SourceKind.FILE or (self._order.loop and not media.nominal_us):
            return length(media, address.shown)
        return Length(media.nominal_us or UNSTATED_US)

    def _played(self, address: Address, whole: Length) -> Iterator[Capture]:
        if self.info is not None and whole.duration_us < UNSTATED_US:
            self.info = replace(self.info, duration_s=whole.duration_us / US_PER_S)
        self.complaint, self.clock = whole.complaint, whole.notice
        timeline = Timeline.of(self._since(self._clock.now_us()), whole.duration_us, self._order.loop)
        seekable = whole.notice is None and not whole.recorded
        captures = played(address, self._order.limits, timeline, self._clock, seekable=seekable, ear=self._ear)
        once = whole.recorded and not self._order.loop
        yield from self._as_before(captures, address, timeline) if once else captures

    def _as_before(self, captures: Iterator[Capture], address: Address, timeline: Timeline) -> Iterator[Capture]:
        """A recording that is read again. It has the same length again, else it is a camera that comes and goes."""
        last_us = self._clock.now_us()
        for capture in captures:
            last_us = capture.time_us
            if timeline.excess_us(last_us) > RECORDED_SLACK_US:
                break
            yield capture
        if abs(timeline.excess_us(last_us)) > RECORDED_SLACK_US:
            raise SourceError(Fault.UNREACHABLE, f"{address.shown} is no recording: it is opened as a camera again")

    def _notice(self, notice: ClockNotice | None) -> None:
        self.clock = notice


@asynccontextmanager
async def streaming(
    order: Order,
    origin: Origin,
    watched_us: int = 0,
    preview: Preview | None = None,
    ear: Ear | None = None,
    waiting_turns: int = 1,
) -> AsyncIterator[Stream]:
    """A stream that runs inside the block. `origin` is called in its thread; `preview` is shown its pictures, and `ear`
    hears its sound. The newest `waiting_turns` wait to be taken: a session wants the newest alone."""
    stream = Stream(order, origin, watched_us, preview, ear, waiting_turns)
    threading.Thread(target=stream.run, name="source", daemon=True).start()
    try:
        yield stream
    finally:
        await stream.stop()
