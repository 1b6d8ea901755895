"""A turn that fails uses up nothing: its model time is free, and another picture under that time is judged anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from vigil.contract import subjects
from vigil.contract.turn_dropped import DropReason, TurnDropped, decode_dropped
from vigil.core.control import Action
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.script import Reply
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


async def test_another_picture_under_the_time_of_a_dropped_one_is_judged_itself(
    stage: Stage, engine: ScriptedEngine, grey: bytes, red: bytes
) -> None:
    sees = engine.script
    engine.script = lambda seen: Reply("no", status=500) if seen.newest == red else sees(seen)
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        await stage.show(1, red)
        await engine.requests(2)
        engine.script = sees
        await stage.watch(grey, start=1)
        decisions = await stage.decisions(2)
    assert [(decision.time_ms, decision.action) for decision in decisions] == [
        (0, Action.SILENT),
        (1_000, Action.SILENT),
    ]
    assert engine.seen[-1].newest == grey, "the engine kept the red one under its own name"


@asynccontextmanager
async def told(stage: Stage) -> AsyncIterator[asyncio.Queue[TurnDropped]]:
    """Every dropped turn of the session that is told while the block runs."""
    heard: asyncio.Queue[TurnDropped] = asyncio.Queue()
    async with stage.bus.subscribe(subjects.turn_dropped(stage.key), 100) as messages, asyncio.TaskGroup() as tasks:

        async def hear() -> None:
            async for message in messages:
                heard.put_nowait(decode_dropped(message.payload))

        hearing = tasks.create_task(hear())
        yield heard
        hearing.cancel()


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (Reply("CUDA error", status=500), DropReason.ENGINE_FAILED, "CUDA error"),
        (Reply("slow down", status=429), DropReason.ENGINE_FAILED, "slow down"),
        (Reply("this picture cannot be shown", status=400), DropReason.ENGINE_REFUSED, "cannot be shown"),
        (Reply("This model's maximum context length is 9.", status=400), DropReason.ENGINE_FAILED, "context length"),
        (Reply(body=b"{}"), DropReason.ENGINE_REFUSED, "not OpenAI-compatible"),
    ],
    ids=["failed", "overloaded", "refused", "too long", "unreadable"],
)
async def test_what_the_engine_said_is_told_to_whoever_waits(
    stage: Stage, engine: ScriptedEngine, grey: bytes, red: bytes, reply: Reply, reason: DropReason, words: str
) -> None:
    sees = engine.script
    engine.script = lambda seen: reply if seen.newest == red else sees(seen)
    await stage.open()
    async with stage.worker(), told(stage) as heard:
        await stage.watch(grey)
        await stage.show(1, red)
        async with asyncio.timeout(DEADLINE_S):
            dropped = await heard.get()
    assert (dropped.key, dropped.time_ms, dropped.reason) == (stage.key, 1_000, reason)
    assert dropped.capture_time_us > 0
    assert words in dropped.detail
    assert "http://" not in dropped.detail, "clients are not told where the engine is"


async def test_a_picture_that_no_turn_needs_is_told(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker(), told(stage) as heard:
        await stage.watch(grey, grey)
        await stage.show(1, grey)
        async with asyncio.timeout(DEADLINE_S):
            late = await heard.get()
    assert (late.time_ms, late.reason, late.detail) == (
        1_000,
        DropReason.NOT_NEWER,
        "the session has decided up to 1 s",
    )


async def test_a_full_store_is_told(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker(), told(stage) as heard:
        await stage.watch(grey)
        await stage.redis.config_set("maxmemory", "1")
        await stage.show(1, grey)
        async with asyncio.timeout(DEADLINE_S):
            dropped = await heard.get()
        await stage.redis.config_set("maxmemory", "0")
    assert (dropped.time_ms, dropped.reason) == (1_000, DropReason.STORE)
    assert "memory" in dropped.detail


async def test_a_picture_from_an_overtaken_codec_is_told(stage: Stage, grey: bytes) -> None:
    await stage.open()
    async with stage.worker(), told(stage) as heard:
        await stage.watch(grey)
        await stage.watch(grey, start=1, fence=3)
        await stage.show(2, grey, fence=2)
        async with asyncio.timeout(DEADLINE_S):
            while (dropped := await heard.get()).time_ms < 2_000:
                pass
    assert (dropped.time_ms, dropped.reason) == (2_000, DropReason.OVERTAKEN)


async def test_a_second_that_two_codecs_send_in_the_same_moment_is_decided(stage: Stage, grey: bytes) -> None:
    """So a codec hands a session over: what the fence refuses takes nobody's place."""
    await stage.open()
    async with stage.worker(), told(stage) as heard:
        await stage.watch(grey, fence=2)
        for second in range(1, 11):
            await stage.show(second, grey, fence=2)
            await stage.show(second, grey, fence=1)
            async with asyncio.timeout(DEADLINE_S):
                while (dropped := await heard.get()).time_ms < second * 1_000:
                    pass
            assert dropped.reason == DropReason.OVERTAKEN
            assert (await stage.decisions(second + 1))[-1].time_ms == second * 1_000
