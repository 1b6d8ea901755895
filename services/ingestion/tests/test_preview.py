"""The smooth picture: encoded only while somebody looks, no faster than it should, and never large."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np
import pytest
from PIL import Image
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_ingestion.preview import INTERVAL_S, LOOKED_S, MAX_SIDE, SHAPE, Budget, Preview, carry

KEY = SessionKey("demo", "s-1")


class Clock:
    """Time by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def picture(width: int = 320, height: int = 192) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((height, width, 3), 90, np.uint8), "rgb24")


def encoded() -> float:
    return REGISTRY.get_sample_value("vigil_ingestion_preview_seconds_count") or 0.0


async def test_nothing_is_wanted_until_somebody_looks_and_after_they_left() -> None:
    clock = Clock()
    preview = Preview(asyncio.get_running_loop(), Budget(), clock)
    assert not preview.wants()
    preview.ask()
    assert preview.wants()
    clock.now_s += LOOKED_S - 0.01
    assert preview.wants()
    clock.now_s += 0.02
    assert not preview.wants()


@pytest.mark.parametrize(("rate", "expected"), [(60, 10), (25, 10), (12.5, 10), (5, 5)])
async def test_at_most_ten_pictures_a_second_are_shown(rate: float, expected: int) -> None:
    clock, shown = Clock(), 0
    preview = Preview(asyncio.get_running_loop(), Budget(), clock)
    for _ in range(round(rate * 4)):
        preview.ask()
        if preview.wants():
            preview.show(picture(32, 32), 0)
            shown += 1
        clock.now_s += 1 / rate
    assert abs(shown / 4 - expected) <= 0.5


async def test_all_previews_of_a_worker_share_a_budget() -> None:
    clock, budget, shown = Clock(), Budget(12.0), 0
    previews = [Preview(asyncio.get_running_loop(), budget, clock) for _ in range(5)]
    for _ in range(100):
        for preview in previews:
            preview.ask()
            if preview.wants():
                preview.show(picture(32, 32), 0)
                shown += 1
        clock.now_s += 0.04
    assert 45 <= shown <= 52, "twelve a second, and a quarter of that at once"


async def test_after_a_pause_it_does_not_catch_up() -> None:
    clock = Clock()
    preview = Preview(asyncio.get_running_loop(), Budget(), clock)
    preview.ask()
    preview.show(picture(32, 32), 0)
    clock.now_s += 3.0
    preview.show(picture(32, 32), 0)
    clock.now_s += INTERVAL_S / 2
    assert not preview.wants()


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((1920, 1080), (960, 540)),
        ((640, 384), (640, 384)),
        ((1080, 1920), (540, 960)),
        ((7680, 100), (960, 12)),
        ((33, 3), (32, 2)),
        ((1, 1), (2, 2)),
    ],
)
def test_the_size(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert SHAPE.fit(*size) == fitted
    assert max(fitted) <= MAX_SIDE


@asynccontextmanager
async def carried(bus: Bus) -> AsyncIterator[tuple[Preview, KeepLatest[Message]]]:
    """A preview that is carried, and what is published of it."""
    preview = Preview(asyncio.get_running_loop(), Budget())
    async with bus.keep_latest(subjects.preview_shown(KEY)) as shown:
        task = asyncio.create_task(carry(bus, KEY, preview))
        try:
            yield preview, shown
        finally:
            task.cancel()
            await asyncio.wait({task})


async def wanted(bus: Bus, preview: Preview) -> bool:
    await bus.publish(subjects.preview_asked(KEY), b"")
    return preview.wants()


async def test_what_is_shown_is_published_and_the_newest_wins(bus: Bus) -> None:
    async with carried(bus) as (preview, shown), asyncio.timeout(DEADLINE_S):
        await eventually(lambda: wanted(bus, preview), what="somebody looks")
        await asyncio.to_thread(preview.show, picture(1_920, 1_080), 0)
        message = await anext(shown)
        with Image.open(io.BytesIO(message.payload)) as jpeg:
            assert (jpeg.format, jpeg.size) == ("JPEG", (960, 540))
        for width in (100, 200, 300):
            preview.show(picture(width, 50), 0)
        newest = await anext(shown)
        with Image.open(io.BytesIO(newest.payload)) as jpeg:
            assert jpeg.size == (300, 50)


async def test_it_outlives_nats(bus: Bus, nats_server: NatsServer) -> None:
    async with carried(bus) as (preview, shown), asyncio.timeout(DEADLINE_S):
        await eventually(lambda: wanted(bus, preview), what="somebody looks")
        await nats_server.kill()
        await eventually(lambda: not bus.is_connected, what="the bus notices")
        preview.show(picture(), 0)
        await nats_server.start()
        await bus.connected()
        preview.show(picture(), 0)
        assert (await anext(shown)).payload.startswith(b"\xff\xd8")


async def test_a_picture_that_cannot_be_shown_is_passed_over() -> None:
    preview = Preview(asyncio.get_running_loop(), Budget())
    strange = picture()
    strange.colorspace = 15  # IPT-C2, which nobody converts
    preview.ask()
    preview.show(strange, 0)
    await asyncio.sleep(0)
    assert preview.pictures.statistics.offered == 0
