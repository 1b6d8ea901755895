"""A claimed session on real NATS and Redis: raw groups in, coded groups out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.frames import CodedFrameGroup, Frame, FrameGroup, decode_coded_group, encode_group
from vigil.contract.turn_dropped import DropReason, decode_dropped
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.keys import Part, part_key
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import busy_jpeg
from vigil.testing.servers import NatsServer
from vigil_codec.coder import Coder

KEY = SessionKey("demo", "s-1")


PICTURE = busy_jpeg(1, (160, 96))


def raw(time_ms: int, fence: int = 1, picture: bytes = PICTURE) -> bytes:
    return encode_group(FrameGroup(KEY, time_ms, time_ms // 1_000, (Frame(picture, 160, 96, 7),), fence))


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("vigil_codec_groups_dropped_total", {"reason": reason}) or 0.0


def has_dropped(reason: str, before: float) -> bool:
    return dropped(reason) > before


@pytest.fixture
async def placement(redis: Redis) -> Placement:
    """One open session, and where workers claim it."""
    await SessionStore(redis).create(
        SessionSpec(KEY.tenant, KEY.session, Source("cam", SourceKind.FILE, "file:///a.mp4"), "vigil-small", "m")
    )
    placement = Placement(redis, lease_s=30)
    await placement.open(KEY, (Role.CODEC,))
    return placement


@pytest.fixture
async def coded(bus: Bus) -> AsyncIterator[KeepLatest[Message]]:
    async with bus.subscribe(subjects.coded_frames(KEY), capacity=100) as messages:
        yield messages


@asynccontextmanager
async def worker(name: str, bus: Bus, redis: Redis, placement: Placement) -> AsyncIterator[Claimer]:
    run = Coder(WorkerPorts(SessionStore(redis), bus, placement)).run
    claimer = Claimer(placement, bus, role=Role.CODEC, worker=name, capacity=4, run=run)
    task = asyncio.create_task(claimer.run())
    try:
        yield claimer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def exchange(bus: Bus, coded: KeepLatest[Message], time_ms: int, fence: int = 1) -> CodedFrameGroup:
    """Publish a group, again until somebody listens, and return it as it comes back coded."""

    async def answered() -> bool:
        await bus.publish(subjects.raw_frames(KEY), raw(time_ms, fence))
        return coded.statistics.waiting > 0

    while True:
        await eventually(answered, what=f"the group at {time_ms} ms is coded")
        group = decode_coded_group((await anext(coded)).payload)
        if group.time_ms == time_ms:  # else it was published once too often before
            return group


async def test_groups_are_coded(bus: Bus, redis: Redis, placement: Placement, coded: KeepLatest[Message]) -> None:
    async with worker("one", bus, redis, placement):
        first = await exchange(bus, coded, 1_000)
        second = await exchange(bus, coded, 2_000)
    assert [(group.time_ms, group.sequence, group.fence) for group in (first, second)] == [(1_000, 1, 1), (2_000, 2, 1)]
    assert first.frames[0].frame == Frame(PICTURE, 160, 96, 7)
    assert first.frames[0].visual_tokens == 15


async def test_what_cannot_be_coded_is_counted_and_the_next_is_coded(
    bus: Bus, redis: Redis, placement: Placement, coded: KeepLatest[Message]
) -> None:
    async with worker("one", bus, redis, placement), bus.subscribe(subjects.turn_dropped(KEY), 100) as told:
        await exchange(bus, coded, 1_000, fence=3)
        for reason, payload in (
            ("invalid", b"\xff\xff"),
            ("overtaken", raw(2_000, fence=2)),
            ("damaged", raw(2_000, 3, PICTURE[: len(PICTURE) // 2])),
            ("damaged", raw(2_000, 3, b"garbage")),
        ):
            before = dropped(reason)
            await bus.publish(subjects.raw_frames(KEY), payload)
            await eventually(partial(has_dropped, reason, before), what=reason)
        assert (await exchange(bus, coded, 3_000, fence=3)).time_ms == 3_000
        dropped_turns = [decode_dropped((await anext(told)).payload) for _ in range(3)]
    assert {(turn.key, turn.time_ms, turn.capture_time_us) for turn in dropped_turns} == {(KEY, 2_000, 7)}
    assert [turn.reason for turn in dropped_turns] == [DropReason.OVERTAKEN, DropReason.DAMAGED, DropReason.DAMAGED]


async def test_a_second_that_two_workers_send_in_the_same_moment_is_coded(
    bus: Bus, redis: Redis, placement: Placement, coded: KeepLatest[Message]
) -> None:
    """So ingestion hands a session over: what the fence refuses takes nobody's place."""
    async with worker("one", bus, redis, placement):
        await exchange(bus, coded, 1_000, fence=2)
        for second in range(2, 22):
            await bus.publish(subjects.raw_frames(KEY), raw(second * 1_000, fence=2))
            await bus.publish(subjects.raw_frames(KEY), raw(second * 1_000, fence=1))
            seen_ms = 0
            async with asyncio.timeout(DEADLINE_S):
                while seen_ms < second * 1_000:
                    seen_ms = decode_coded_group((await anext(coded)).payload).time_ms
            assert seen_ms == second * 1_000


async def test_a_worker_says_that_it_listens(
    bus: Bus, redis: Redis, placement: Placement, coded: KeepLatest[Message]
) -> None:
    """The worker that drains goes on until then."""
    async with worker("one", bus, redis, placement):
        before = Claim(KEY, 0)
        await eventually(lambda: placement.is_taken_up(Role.CODEC, before), what="the one before may go")
        await bus.publish(subjects.raw_frames(KEY), raw(1_000))
        async with asyncio.timeout(DEADLINE_S):
            assert decode_coded_group((await anext(coded)).payload).time_ms == 1_000


async def test_another_worker_takes_over_with_a_higher_fence(
    bus: Bus, redis: Redis, placement: Placement, coded: KeepLatest[Message]
) -> None:
    async with worker("one", bus, redis, placement):
        before = await exchange(bus, coded, 1_000)
    async with worker("two", bus, redis, placement):
        after = await exchange(bus, coded, 2_000)
    assert (before.fence, after.fence) == (1, 2)


async def test_a_bus_that_restarts_does_not_end_the_coding(
    bus: Bus, nats_server: NatsServer, redis: Redis, placement: Placement, coded: KeepLatest[Message]
) -> None:
    async with worker("one", bus, redis, placement) as claimer:
        await exchange(bus, coded, 1_000)
        await nats_server.restart()
        await asyncio.wait_for(bus.connected(), DEADLINE_S)
        after = await exchange(bus, coded, 2_000)
        assert [claim.fence for claim in claimer.held] == [1]
    assert (after.time_ms, after.fence) == (2_000, 1)


async def is_closed(placement: Placement) -> bool:
    return (await placement.capacity(Role.CODEC)).open_sessions == 0


async def forget(redis: Redis) -> None:
    await redis.delete(*(part_key(KEY, part) for part in Part))


async def end(redis: Redis) -> None:
    await SessionStore(redis).end(KEY, "its gateway died right after this")


@pytest.mark.parametrize("over", [forget, end])
async def test_a_session_that_is_over_is_let_go(
    bus: Bus, redis: Redis, placement: Placement, coded: KeepLatest[Message], over: Callable[[Redis], Awaitable[None]]
) -> None:
    async with worker("one", bus, redis, placement) as claimer:
        await exchange(bus, coded, 1_000)
        await over(redis)
        await eventually(partial(is_closed, placement), what="the codec finds out by itself")
        await eventually(lambda: not claimer.held, what="and holds it no longer")


async def test_a_session_that_was_over_before_it_was_claimed_fails_nothing(
    bus: Bus, redis: Redis, placement: Placement
) -> None:
    await forget(redis)
    before = restarts()
    async with worker("one", bus, redis, placement):
        await eventually(partial(is_closed, placement), what="the session is let go")
    assert restarts() == before


def restarts() -> float:
    return REGISTRY.get_sample_value("vigil_session_restarts_total", {"role": "codec"}) or 0.0
