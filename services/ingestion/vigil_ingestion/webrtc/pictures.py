"""The pictures of one session's client, sampled and converted: turns, with the interface of `stream.Stream`."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import av

from vigil.contract.frames import Frame
from vigil.core.profile import PromptProfile
from vigil.core.session import Cadence
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import PortError
from vigil_ingestion import metrics
from vigil_ingestion.camera_clock import ClockNotice
from vigil_ingestion.conversion import Conversion
from vigil_ingestion.faults import Fault, SourceError, as_source_errors
from vigil_ingestion.media import MediaInfo
from vigil_ingestion.playback import Capture
from vigil_ingestion.preview import Preview
from vigil_ingestion.sampler import Group, Sampler
from vigil_ingestion.webrtc.presence import Presence, State
from vigil_ingestion.webrtc.rate import Rate

LOOK_S = 5.0

Origin = Callable[[int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A picture, when it came (by the session's clock), and its codec."""

    time_us: int
    picture: av.VideoFrame
    codec: str


@dataclass(slots=True)
class Sampling:
    """What stays while a session's client comes and goes: so no turn is taken twice."""

    cadence: Cadence
    profile: PromptProfile
    presence: Presence
    preview: Preview
    sampler: Sampler[Frame] | None = None
    is_asked: bool = False


class Pictures:
    """Iterate `turns`: it ends when the client is not waited for any longer, and raises `SourceError` when it is lost.

    `offer` takes a picture, `lose` says that the connection ended.
    """

    def __init__(self, sampling: Sampling, origin: Origin) -> None:
        self.turns: KeepLatest[Group[Frame]] = KeepLatest()
        self.info: MediaInfo | None = None
        self.complaint = ""
        self.clock: ClockNotice | None = None
        self.ending = ""
        self._arrivals: KeepLatest[Arrival] = KeepLatest()
        self._sampling = sampling
        self._origin = origin
        self._conversion = Conversion(sampling.profile)
        self._rate = Rate()

    def retune(self, cadence: Cadence) -> None:
        """Sample at another cadence from the next picture on."""
        self._sampling.cadence = cadence

    def show_next(self) -> None:
        """Show the next picture at once: a question waits for a turn."""
        self._sampling.is_asked = True

    def offer(self, arrival: Arrival) -> None:
        """A picture came."""
        self._sampling.presence = self._sampling.presence.seen(time.monotonic())
        self._arrivals.offer(arrival)

    def lose(self, why: str) -> None:
        """The client's connection ended. One that never sent a picture is waited for as before."""
        presence = self._sampling.presence
        self._sampling.presence = presence.gone(time.monotonic())
        if presence.seen_s is not None:
            self._arrivals.close(SourceError(Fault.UNREACHABLE, f"the client is away: {why}"))

    async def run(self) -> None:
        """Sample until `turns` is over."""
        cause: Exception | None = None
        try:
            with as_source_errors("what the client sends", PortError):
                while (arrival := await self._next()) is not None:
                    await self._sample(arrival)
                    if self._sampling.preview.wants():
                        await asyncio.to_thread(self._sampling.preview.show, arrival.picture, arrival.time_us)
        except (SourceError, PortError) as error:
            cause = error
        finally:
            self.turns.close(cause)

    async def _next(self) -> Arrival | None:
        """The next picture; None when none is waited for any longer. Raises `SourceError` when the client is lost.

        It looks now and then: an offer may change for how long its client is waited for.
        """
        while True:
            try:
                async with asyncio.timeout(min(self._sampling.presence.due_in_s(time.monotonic()), LOOK_S)):
                    return await anext(self._arrivals)
            except TimeoutError:
                self._look()
            if self.ending:
                return None

    def _look(self) -> None:
        presence = self._sampling.presence
        match presence.state(time.monotonic()):
            case State.SILENT:
                self._sampling.presence = presence.silent()
                raise SourceError(
                    Fault.TIMED_OUT,
                    f"no picture of the client came for {presence.silent_s:g} s: is its camera on, and its page open?",
                )
            case State.OVER:
                self.ending = "the client sent no pictures in time"

    async def _sample(self, arrival: Arrival) -> None:
        sampling = self._sampling
        sampler = sampling.sampler or Sampler(sampling.cadence, await self._origin(arrival.time_us))
        sampler = sampler.retuned(sampling.cadence)
        if sampling.is_asked:
            sampling.is_asked, sampler = False, sampler.asked()
        sampling.sampler = sampler
        self._describe(arrival)
        if not sampler.wants(arrival.time_us):
            return
        capture = Capture(arrival.time_us, arrival.picture)
        if (picture := await asyncio.to_thread(self._conversion.frame, capture)) is None:
            return
        metrics.SAMPLED.inc()
        sampling.sampler, turns = sampler.add(arrival.time_us, picture)
        for turn in turns:
            self.turns.offer(turn)

    def _describe(self, arrival: Arrival) -> None:
        """Say what comes; again when its size changes or its rate is known better."""
        self._rate = self._rate.step(arrival.time_us)
        size, known = (arrival.picture.width, arrival.picture.height), self.info
        if known is None or (known.width, known.height) != size or known.frames_per_second != self._rate.per_s:
            self.info = MediaInfo(*size, self._rate.per_s, arrival.codec, 0.0)


@asynccontextmanager
async def sampled(pictures: Pictures) -> AsyncIterator[Pictures]:
    """Pictures that are sampled inside the block."""
    task = asyncio.create_task(pictures.run(), name="webrtc pictures")
    try:
        yield pictures
    finally:
        task.cancel()
        await asyncio.wait({task})
