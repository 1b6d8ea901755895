"""Sources over HTTP: a file, a camera that sends pictures without time stamps, and refusals."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.videos import jpegs_of, write_video
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits
from vigil_ingestion.stream import Order, Stream, streaming

PICTURES_PER_S = 8  # far from the 25 that the demuxer assumes


@dataclass(frozen=True)
class HttpCamera:
    """Serves a video under `/a.mp4` and its pictures, one by one, under `/live`."""

    video: Path
    pictures: list[bytearray]

    async def live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace;boundary=frame"})
        await response.prepare(request)
        for picture in self.pictures:
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            await response.write(head.encode() + picture + b"\r\n")
            await asyncio.sleep(1 / PICTURES_PER_S)  # the camera's own pace
        return response

    async def file(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(self.video)

    async def protected(self, _request: web.Request) -> web.Response:
        return web.Response(status=401)

    async def moved(self, _request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/a.mp4"})

    async def silent(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response


@pytest.fixture
async def root(tmp_path: Path) -> AsyncIterator[str]:
    """Root URL of a camera's web server."""
    pictures = jpegs_of(write_video(tmp_path / "a.mjpeg", seconds=4, rate=8, codec="mjpeg"))
    camera = HttpCamera(write_video(tmp_path / "a.mp4", seconds=1), pictures)
    app = web.Application()
    for path in ("live", "file", "protected", "moved", "silent"):
        app.router.add_get(f"/{path}", getattr(camera, path))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


ALL = 100  # turns that wait: none is lost where the event loop of a busy machine comes late


def order(url: str, limit_s: float = DEADLINE_S) -> Order:
    return Order(url, False, Cadence(250), VIGIL_SMALL, None, Limits(open_s=limit_s, read_s=limit_s))


async def watched(stream: Stream) -> tuple[list[int], SourceError | None]:
    """Times of all turns in milliseconds, and the fault that ended them, if one did."""
    times_ms: list[int] = []
    try:
        async for turn in stream.turns:
            times_ms.append(turn.time_ms)  # noqa: PERF401  what came before a fault counts
    except SourceError as error:
        return times_ms, error
    return times_ms, None


async def test_a_file_is_played_at_its_own_speed(root: str) -> None:
    async with streaming(order(f"{root}/file"), lambda capture_us: capture_us, waiting_turns=ALL) as stream:
        times_ms, error = await watched(stream)
    assert error is None
    assert times_ms == [0, 250, 500, 750]


async def test_a_camera_without_time_stamps_is_never_late(root: str) -> None:
    started_s = time.monotonic()
    async with streaming(order(f"{root}/live"), lambda capture_us: capture_us, waiting_turns=ALL) as stream:
        times_ms, error = await watched(stream)
        assert stream.info is not None
        assert (stream.info.codec, stream.info.duration_s) == ("mjpeg", 0.0)
    assert error is not None
    assert error.fault is Fault.UNREACHABLE
    assert len(times_ms) >= 8
    assert times_ms[-1] / 1_000 <= time.monotonic() - started_s


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("protected", Fault.WRONG_CREDENTIALS),
        ("nothing", Fault.NOT_FOUND),
        ("moved", Fault.UNREACHABLE),
        ("silent", Fault.TIMED_OUT),
    ],
)
async def test_refusals(root: str, path: str, fault: Fault) -> None:
    limit_s = 1.0 if fault is Fault.TIMED_OUT else DEADLINE_S
    async with streaming(order(f"{root}/{path}", limit_s), lambda capture_us: capture_us) as stream:
        times_ms, error = await watched(stream)
    assert times_ms == []
    assert error is not None
    assert error.fault is fault
