"""Recordings over HTTP that state no length, and cameras that send a picture now and then."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
from aiohttp import ClientConnectionError, web
from PIL import Image

from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence
from vigil.testing.videos import write_video
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits
from vigil_ingestion.probe import probe
from vigil_ingestion.stream import Order, streaming

QUICK = Limits(open_s=2.0, read_s=0.5)
SECONDS = 2
ALL = 100  # turns that wait: none is lost where the event loop of a busy machine comes late


def remuxed(video: Path, name: str, container_format: str, **options: str) -> Path:
    """The same pictures in a container that does not state their length, as one that is written live."""
    out = video.with_name(name)
    with av.open(str(video)) as given, av.open(str(out), "w", format=container_format, options=options) as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    return out


class Server:
    """Serves `folder` with its sizes under `/sized`, in chunks under `/chunked`, at the pictures' own pace under
    `/paced`, and a JPEG every `period_s` under `/slow`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.period_s = 0.8
        self.jpegs: list[bytes] = []
        self.sent = 0

    async def sized(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self.folder / request.match_info["name"])

    async def chunked(self, request: web.Request) -> web.StreamResponse:
        return await self._parts(request, parts=1, pause_s=0)

    async def paced(self, request: web.Request) -> web.StreamResponse:
        return await self._parts(request, parts=20, pause_s=SECONDS / 20)

    async def changing(self, request: web.Request) -> web.StreamResponse:
        """All that a camera kept of the last seconds, and then the connection breaks: each time of another length."""
        data = (self.folder / "a.ts").read_bytes()
        self.sent += 1
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(data if self.sent % 2 else data[: len(data) // 2])
        return response

    async def slow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace;boundary=frame"})
        await response.prepare(request)
        with contextlib.suppress(ClientConnectionError):
            for jpeg in self.jpegs:
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                await response.write(head.encode() + jpeg + b"\r\n")
                self.sent += 1
                await asyncio.sleep(self.period_s)
        return response

    async def _parts(self, request: web.Request, parts: int, pause_s: float) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        data = (self.folder / request.match_info["name"]).read_bytes()
        size = -(-len(data) // parts)
        with contextlib.suppress(ClientConnectionError):
            for begin in range(0, len(data), size):
                await response.write(data[begin : begin + size])
                await asyncio.sleep(pause_s)
        return response


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


@pytest.fixture
async def root(server: Server) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/sized/{name}", server.sized)
    app.router.add_get("/chunked/{name}", server.chunked)
    app.router.add_get("/paced/{name}", server.paced)
    app.router.add_get("/changing", server.changing)
    app.router.add_get("/slow", server.slow)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def recordings(tmp_path: Path) -> None:
    """Videos of `SECONDS` whose header states no length."""
    video = write_video(tmp_path / "a.ts", seconds=SECONDS)
    remuxed(video, "live.webm", "matroska", live="1")
    remuxed(video, "fragments.mp4", "mp4", movflags="empty_moov+frag_keyframe+default_base_moof")
    write_video(tmp_path / "a.mjpeg", seconds=SECONDS, rate=25, codec="mjpeg")
    write_video(tmp_path / "a.h264", seconds=SECONDS, rate=25)


async def watched(url: str, limits: Limits = QUICK, *, loop: bool = False) -> AsyncIterator[int]:
    """The times of its turns in milliseconds, one a second of the picture."""
    order = Order(url, loop, Cadence(500), VIGIL_SMALL, None, limits)
    async with streaming(order, lambda at_us: at_us, waiting_turns=ALL) as stream:
        async for turn in stream.turns:
            yield turn.time_ms


async def until_fault(url: str, limits: Limits) -> tuple[list[int], SourceError]:
    """The times of its turns, and the fault that ended them."""
    times_ms: list[int] = []
    try:
        async for time_ms in watched(url, limits):
            times_ms.append(time_ms)  # noqa: PERF401  what came before a fault counts
    except SourceError as error:
        return times_ms, error
    raise AssertionError(f"the source ended without a fault after {times_ms}")


EVERY_HALF_SECOND = [0, 500, 1_000, 1_500]


async def all_turns(*urls: str) -> list[list[int]]:
    """The times of the turns of several sources that are watched at once."""

    async def of(url: str) -> list[int]:
        return [time_ms async for time_ms in watched(url)]

    return await asyncio.gather(*map(of, urls))


@pytest.mark.usefixtures("recordings")
async def test_a_recording_without_a_length_is_shown_whole_and_ends(root: str) -> None:
    names = ("a.ts", "live.webm", "fragments.mp4", "a.mjpeg", "a.h264")
    assert await all_turns(*(f"{root}/sized/{name}" for name in names)) == [EVERY_HALF_SECOND] * 5


@pytest.mark.usefixtures("recordings")
async def test_so_is_one_without_a_size(root: str) -> None:
    names = ("a.ts", "live.webm", "fragments.mp4", "a.mjpeg")
    assert await all_turns(*(f"{root}/chunked/{name}" for name in names)) == [EVERY_HALF_SECOND] * 4


@pytest.mark.usefixtures("recordings")
async def test_so_is_a_file(tmp_path: Path) -> None:
    names = ("live.webm", "fragments.mp4", "a.mjpeg")
    assert await all_turns(*(f"file://{tmp_path / name}" for name in names)) == [EVERY_HALF_SECOND] * 3


@pytest.mark.usefixtures("recordings")
async def test_a_looped_recording_without_a_length_goes_on(root: str) -> None:
    times_ms: list[int] = []
    async with contextlib.aclosing(watched(f"{root}/sized/live.webm", loop=True)) as turns:  # type: ignore[type-var]
        async for time_ms in turns:
            times_ms.append(time_ms)
            if len(times_ms) == 6:
                break
    assert times_ms == [*EVERY_HALF_SECOND, 2_000, 2_500]


@pytest.mark.usefixtures("recordings")
async def test_a_live_stream_that_ends_is_no_recording(root: str) -> None:
    times_ms, error = await until_fault(f"{root}/paced/a.ts", Limits(open_s=5.0, read_s=2.0))
    assert error.fault is Fault.UNREACHABLE
    assert "the stream ended" in error.message
    assert times_ms == sorted(set(times_ms))


@pytest.mark.usefixtures("recordings")
async def test_a_camera_that_comes_and_goes_is_no_recording(root: str) -> None:
    _, error = await until_fault(f"{root}/changing", QUICK)
    assert error.fault is Fault.UNREACHABLE
    assert "is no recording" in error.message


def noise(seed: int) -> bytes:
    """A JPEG of the size that cameras send."""
    pixels = np.random.default_rng(seed).integers(0, 255, (96, 128, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


async def test_a_slow_camera_gives_a_turn_for_each_picture(server: Server, root: str) -> None:
    server.jpegs = [noise(seed) for seed in range(4)]
    times_ms, error = await until_fault(f"{root}/slow", QUICK)
    assert "closed the connection" in error.message
    assert len(times_ms) == server.sent


@pytest.mark.slow
async def test_a_camera_that_sends_every_seven_seconds(server: Server, root: str) -> None:
    server.jpegs, server.period_s = [noise(seed) for seed in range(3)], 7
    assert await asyncio.get_running_loop().run_in_executor(None, probe, f"{root}/slow", None, Limits())
    server.sent = 0
    times_ms, error = await until_fault(f"{root}/slow", Limits())
    assert "closed the connection" in error.message
    assert len(times_ms) == server.sent
