"""A forgotten picture: all pixels travel once more, and only once."""

import asyncio

import pytest

from vigil.runtime.engine.client import Engine
from vigil.runtime.engine.errors import ImagesMissing
from vigil.testing.prompts import Pixels, request
from vigil.testing.scripted_engine import ScriptedEngine


async def test_a_cache_miss_is_answered_with_one_full_request(scripted: ScriptedEngine, engine: Engine) -> None:
    pixels = Pixels(3)
    completion = await engine.complete(request(3), pixels)
    assert completion.resent
    assert pixels.asked == [{"frame-0", "frame-1", "frame-2"}]
    assert [seen.refused for seen in scripted.seen] == [True, False]
    assert set(scripted.seen[1].fresh) == {"frame-0", "frame-1", "frame-2", "frame-3"}
    assert completion.request_bytes == scripted.seen[1].request_bytes


async def test_the_turn_after_a_resend_sends_one_picture_again(scripted: ScriptedEngine, engine: Engine) -> None:
    await engine.complete(request(3), Pixels(3))
    completion = await engine.complete(request(4), Pixels(0))
    assert not completion.resent
    assert set(scripted.seen[-1].fresh) == {"frame-4"}


async def test_a_whole_chunk_may_be_sent_again(scripted: ScriptedEngine, engine: Engine) -> None:
    completion = await engine.complete(request(250), Pixels(250))
    assert completion.resent
    assert completion.request_bytes > 1_000_000
    assert scripted.seen[1].request_bytes == completion.request_bytes
    assert len(scripted.seen[1].fresh) == 251


async def test_an_engine_that_forgets_mid_session_is_told_everything_again(
    scripted: ScriptedEngine, engine: Engine
) -> None:
    for turn in range(3):
        await engine.complete(request(turn), Pixels(0))
    scripted.forget("frame-1")
    completion = await engine.complete(request(3), Pixels(3))
    assert completion.resent
    assert len(scripted.seen) == 5


async def test_pixels_that_nobody_has_are_an_error_that_names_them(engine: Engine) -> None:
    with pytest.raises(ImagesMissing, match=r"1 image\(s\) are missing \(frame-2\)") as caught:
        await engine.complete(request(3), Pixels(2))
    assert caught.value.uuids == ("frame-2",)
    assert not caught.value.retryable


async def test_what_the_callers_store_raises_comes_through(engine: Engine) -> None:
    async def broken(_: set[str]) -> dict[str, bytes]:
        raise TimeoutError("the store is slow")

    with pytest.raises(TimeoutError, match="the store is slow"):
        await engine.complete(request(1), broken)


async def test_cancelling_leaves_the_client_usable(scripted: ScriptedEngine, engine: Engine) -> None:
    waiting = asyncio.Event()

    async def never(_: set[str]) -> dict[str, bytes]:
        waiting.set()
        await asyncio.Event().wait()
        return {}

    call = asyncio.create_task(engine.complete(request(1), never))
    await waiting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await engine.complete(request(0), Pixels(0))).text == "</silence>"
