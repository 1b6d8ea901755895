"""A watch over a real RTSP camera whose clock drifts and is set, which loses pictures, dies twice, and comes back
changed: with pictures of another size, turned at last.

The camera sends ten pictures a second, by UDP where `camera_udp` is set. The session is opened through the gateway, and
each second of it ought to be decided on. A second counts as alive when the camera served for all of it; those in which
ingestion waits to open the camera again count, too. An outage is told when the session's status says `reconnecting`.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.collector import Collector, collecting
from bench.front import ingestion_and_gateway
from bench.progress import say
from bench.settings import BenchSettings
from bench.stack import running
from vigil.testing.rtsp import RtspServer, Wrong, available
from vigil.testing.videos import write_turned, write_video

_SIZES = ((640, 384), (320, 192), (640, 480))
_WRONG = Wrong(speed=0.98, step_every_s=45.0, step_by_s=-3.0, loss=0.05)
_TURNED_DEGREES = 90  # of its last life
_AWAY_S = 20.0
_LOOK_S = 0.2
_FIRST_S = 30.0
_TOLD_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Watched:
    """`decided_share` is seconds decided of `alive_s`; `outages_told_s` how long each outage was not told; `clock` what
    the status said of the camera's clock, each word with how many looks saw it."""

    minutes: float
    alive_s: int
    decided_s: int
    decided_share: float
    longest_gap_s: float
    outages_told_s: list[float]
    back_after_s: list[float]
    clock: dict[str, int]


@dataclass(slots=True)
class Course:
    """What happened to the camera, in seconds of the wall clock."""

    away: list[tuple[float, float]] = field(default_factory=list)
    told_s: list[float] = field(default_factory=list)
    clock: dict[str, int] = field(default_factory=dict)

    def was_alive(self, from_s: float) -> bool:
        """Whether the camera served for all of the second from then."""
        return all(from_s + 1 <= gone_s or from_s >= back_s for gone_s, back_s in self.away)


async def measure(settings: BenchSettings) -> Watched:
    """Watch for `camera_minutes`. Raises `RuntimeError` where GStreamer's RTSP server is missing."""
    if not await asyncio.to_thread(available):
        raise RuntimeError("GStreamer's RTSP server is not installed (Debian: gir1.2-gst-rtsp-server-1.0)")
    async with (
        running(settings, "camera") as (stack, _),
        ingestion_and_gateway(stack) as client,
        collecting(stack.nats.url) as collector,
        _camera(stack.folder, settings.camera_udp) as (camera, videos),
    ):
        session = await _opened(client, camera.url)
        await collector.wait([session], bool, _FIRST_S, "the first decision")
        course = Course()
        say(f"camera: {settings.camera_minutes:g} minutes over {'UDP' if settings.camera_udp else 'TCP'}")
        await _live(settings.camera_minutes * 60, client, session, course, (camera, videos))
        return _result(settings, collector, session, course)


@asynccontextmanager
async def _camera(folder: Path, udp: bool) -> AsyncIterator[tuple[RtspServer, list[Path]]]:
    videos = [
        await asyncio.to_thread(write_video, folder / f"camera-{number}.mp4", 6, 10, size)
        for number, size in enumerate(_SIZES)
    ]
    videos[-1] = await asyncio.to_thread(write_turned, videos[-1], folder / "turned.mp4", _TURNED_DEGREES)
    camera = RtspServer(videos[0], udp=udp, wrong=_WRONG)
    await camera.start()
    try:
        yield camera, videos
    finally:
        await camera.kill()


async def _opened(client: aiohttp.ClientSession, url: str) -> str:
    async with client.post("/v1/sessions", json={"source": {"url": url, "id": "camera"}}) as answer:
        body = await answer.json()
    if answer.status != 201:
        raise RuntimeError(f"the session was not opened: {body}")
    return str(body["id"])


async def _live(
    seconds: float, client: aiohttp.ClientSession, session: str, course: Course, place: tuple[RtspServer, list[Path]]
) -> None:
    """The camera's life: it dies after a third and after two thirds, and comes back with other pictures."""
    camera, videos = place
    looking = asyncio.create_task(_looking(client, session, course))
    try:
        for video in (*videos[1:], None):
            await asyncio.sleep(max(seconds / 3, _AWAY_S) - (0 if video else _AWAY_S))
            if video is None:
                return
            gone_s = time.time()
            await camera.kill()
            say("  camera died")
            course.told_s.append(await _told_after(client, session, gone_s))
            await asyncio.sleep(max(_AWAY_S - (time.time() - gone_s), 0))
            camera.file = video
            await camera.start()
            course.away.append((gone_s, time.time()))
            say(f"  camera came back; its outage was told after {course.told_s[-1]:.1f} s")
    finally:
        looking.cancel()
        await asyncio.wait({looking})


async def _told_after(client: aiohttp.ClientSession, session: str, gone_s: float) -> float:
    """Seconds from then until the status says that the camera is away; a minute at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TOLD_MOST_S):
            while (await _status(client, session)).get("state") != "reconnecting":  # noqa: ASYNC110  a status is looked at
                await asyncio.sleep(_LOOK_S)
    return time.time() - gone_s


async def _looking(client: aiohttp.ClientSession, session: str, course: Course) -> None:
    """Note each second what the status says of the camera's clock."""
    while True:
        said = str((await _status(client, session)).get("fault", ""))
        if said.startswith("clock_"):
            course.clock[said] = course.clock.get(said, 0) + 1
        await asyncio.sleep(1.0)


async def _status(client: aiohttp.ClientSession, session: str) -> dict[str, Any]:
    async with client.get(f"/v1/sessions/{session}") as answer:
        found: dict[str, Any] = (await answer.json()).get("status", {}).get("ingestion", {})
        return found


def _result(settings: BenchSettings, collector: Collector, session: str, course: Course) -> Watched:
    turns = sorted(
        (found.decision.capture_time_us / 1e6, found.decision.time_ms) for found in collector.decided[session]
    )
    origin_s, decided = turns[0][0] - turns[0][1] / 1e3, {time_ms // 1000 for _, time_ms in turns}
    last = int(time.time() - origin_s) - 1
    alive = [second for second in range(last) if course.was_alive(origin_s + second)]
    captured_s = [captured_s for captured_s, _ in turns]
    gaps = [later_s - captured_s for captured_s, later_s in itertools.pairwise(captured_s)]
    back = [
        min((at_s for at_s in captured_s if at_s >= back_s), default=time.time()) - back_s for _, back_s in course.away
    ]
    decided_s = len(decided.intersection(alive))
    return Watched(
        minutes=settings.camera_minutes,
        alive_s=len(alive),
        decided_s=decided_s,
        decided_share=decided_s / len(alive),
        longest_gap_s=round(max(gaps), 2),
        outages_told_s=[round(told_s, 2) for told_s in course.told_s],
        back_after_s=[round(back_s, 2) for back_s in back],
        clock=course.clock,
    )
