"""A stream's thread: real files, real RTSP, the newest turn on the event loop."""

import io
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vigil.contract.frames import Frame
from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence
from vigil.runtime.errors import StoreUnavailable
from vigil.testing.rtsp import Camera
from vigil.testing.videos import second_shown, write_video
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits
from vigil_ingestion.sampler import Group
from vigil_ingestion.stream import Order, Stream, streaming

LIMITS = Limits(open_s=5.0, read_s=2.0)
ALL = 100  # turns that wait: none is lost where the event loop of a busy machine comes late


class Origins:
    """The store's part: the first capture time stays."""

    def __init__(self, origin_us: int | None = None) -> None:
        self.origin_us = origin_us

    def __call__(self, capture_us: int) -> int:
        if self.origin_us is None:
            self.origin_us = capture_us
        return self.origin_us


def order(url: str, cadence: Cadence | None = None, loop: bool = False) -> Order:
    return Order(url, loop, cadence or Cadence(200), VIGIL_SMALL, None, LIMITS)


def second_of(frame: Frame) -> int:
    return second_shown(np.asarray(Image.open(io.BytesIO(frame.jpeg))))


async def some(stream: Stream, count: int) -> list[Group[Frame]]:
    turns: list[Group[Frame]] = []
    async for turn in stream.turns:
        turns.append(turn)
        if len(turns) == count:
            break
    return turns


async def fault_of(url: str) -> Fault:
    async with streaming(order(url), Origins()) as stream:
        with pytest.raises(SourceError) as caught:
            await some(stream, 1)
    return caught.value.fault


async def test_a_file_is_sampled_in_real_time_to_its_end(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=2)
    started_s = time.monotonic()
    async with streaming(order(f"file://{video}"), Origins(), waiting_turns=ALL) as stream:
        turns = await some(stream, 99)
    assert time.monotonic() - started_s > 1.7
    assert [turn.time_ms for turn in turns] == list(range(0, 2_000, 200))
    assert [second_of(turn.frames[0]) for turn in turns] == [0] * 5 + [1] * 5
    assert stream.complaint == ""
    assert stream.info is not None
    assert (stream.info.width, stream.info.height, stream.info.duration_s) == (320, 192, 2.0)


async def test_a_late_start_resumes_where_a_camera_would_be(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4)
    origin_us = time.time_ns() // 1_000 - 401_300_000
    async with streaming(order(f"file://{video}", loop=True), Origins(origin_us)) as stream:
        turns = await some(stream, 2)
    assert 401_000 <= turns[0].time_ms <= 403_000
    assert [second_of(turn.frames[0]) for turn in turns] == [turn.time_ms // 1_000 % 4 for turn in turns]


async def test_several_frames_make_one_turn_and_a_new_cadence_is_taken_up(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=4)
    async with streaming(order(f"file://{video}", Cadence(400, 2), loop=True), Origins()) as stream:
        first = await some(stream, 1)
        stream.retune(Cadence(300, 1))
        later = await some(stream, 3)
    assert [len(turn.frames) for turn in first] == [2]
    assert first[0].frames[0].capture_time_us < first[0].frames[1].capture_time_us
    assert len(later[-1].frames) == 1
    assert [turn.time_ms % 300 for turn in later[1:]] == [0, 0]


async def test_a_truncated_file_says_so(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=2, faststart=True)
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.75)])
    async with streaming(order(f"file://{video}"), Origins()) as stream:
        turns = await some(stream, 99)
    assert turns
    assert "truncated" in stream.complaint


async def test_a_file_that_vanishes_between_rounds_is_not_found(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    async with streaming(order(f"file://{video}", loop=True), Origins()) as stream:
        await some(stream, 1)
        video.unlink()
        with pytest.raises(SourceError) as caught:
            await some(stream, 99)
    assert caught.value.fault is Fault.NOT_FOUND


async def test_an_origin_that_cannot_be_had_reaches_the_owner(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)

    def failing(_capture_us: int) -> int:
        raise StoreUnavailable("the store is away")

    async with streaming(order(f"file://{video}"), failing) as stream:
        with pytest.raises(StoreUnavailable, match="the store is away"):
            await some(stream, 1)


async def test_leaving_the_block_ends_the_thread(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    async with streaming(order(f"file://{video}", loop=True), Origins()) as stream:
        await some(stream, 1)
        assert "source" in {thread.name for thread in threading.enumerate()}
    assert [turn async for turn in stream.turns] == []


async def test_nobody_there(free_port: int) -> None:
    assert await fault_of(f"rtsp://127.0.0.1:{free_port}/cam") is Fault.UNREACHABLE
    assert await fault_of(f"http://127.0.0.1:{free_port}/cam.mjpg") is Fault.UNREACHABLE


@pytest.mark.rtsp
async def test_a_camera_is_watched_over_rtsp(camera: Camera) -> None:
    server = await camera()
    async with streaming(order(server.url), Origins()) as stream:
        turns = await some(stream, 4)
    assert turns[0].time_ms == 0
    assert stream.info is not None
    assert stream.info.codec == "h264"
    assert stream.info.duration_s == 0
    assert abs(turns[-1].frames[0].capture_time_us / 1e6 - time.time()) < 20


@pytest.mark.rtsp
async def test_a_protected_camera(camera: Camera) -> None:
    server = await camera(user="viewer", password="s3cret")
    assert await fault_of(server.url) is Fault.WRONG_CREDENTIALS
    assert await fault_of(server.url.replace("//", "//viewer:wrong@")) is Fault.WRONG_CREDENTIALS
    async with streaming(order(server.url.replace("//", "//viewer:s3cret@")), Origins()) as stream:
        assert len(await some(stream, 1)) == 1


@pytest.mark.rtsp
async def test_a_path_that_the_camera_does_not_have(camera: Camera) -> None:
    server = await camera()
    assert await fault_of(server.url.replace("/cam", "/none")) is Fault.NOT_FOUND


@pytest.mark.rtsp
async def test_a_killed_camera_is_a_fault(camera: Camera) -> None:
    server = await camera()
    async with streaming(order(server.url), Origins()) as stream:
        await some(stream, 1)
        await server.kill()
        with pytest.raises(SourceError) as caught:
            await some(stream, 99)
    assert caught.value.fault in (Fault.UNREACHABLE, Fault.TIMED_OUT)
