"""A session that is followed: what changes is handed on, whatever is away meanwhile, and its end is found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from vigil.core.command import Reset
from vigil.core.session import Cadence
from vigil.runtime.errors import StoreUnavailable, UnknownSession
from vigil.runtime.session.follow import follow
from vigil.runtime.session.inbox import submit
from vigil.runtime.session.lifecycle import announce_change, announce_end
from vigil.runtime.store.sessions import Ended, Look
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.opened_session import Opened
from vigil.testing.servers import NatsServer, RedisServer

NEVER_S = 3_600.0  # who looks so rarely learns only what he is told
OFTEN_S = 0.2


class Following:
    """Follows a session, and keeps what was handed on."""

    def __init__(self, opened: Opened, look_s: float, turn: asyncio.Lock | None) -> None:
        self.looks: list[Look] = []
        following = follow(opened.ports, opened.key, self.looks.append, commands=True, turn=turn, look_s=look_s)
        self.ended = asyncio.create_task(following)

    async def sees(self, interval_ms: int) -> None:
        """Wait until the session is seen with that cadence."""
        await eventually(
            lambda: bool(self.looks) and self.looks[-1].spec.cadence.interval_ms == interval_ms,
            what=f"a cadence of {interval_ms} ms",
        )

    async def end(self) -> Ended:
        """How the session ended."""
        async with asyncio.timeout(DEADLINE_S):
            return await asyncio.shield(self.ended)


@asynccontextmanager
async def following(
    opened: Opened, *, look_s: float = NEVER_S, turn: asyncio.Lock | None = None
) -> AsyncIterator[Following]:
    followed = Following(opened, look_s, turn)
    try:
        yield followed
    finally:
        followed.ended.cancel()
        await asyncio.wait({followed.ended})


async def change(opened: Opened, interval_ms: int) -> None:
    """What a client changes, told to nobody."""
    await opened.ports.store.change_spec(opened.spec.key, lambda spec: replace(spec, cadence=Cadence(interval_ms)))


async def test_a_change_and_the_end_are_seen_when_they_are_announced(opened: Opened) -> None:
    async with following(opened) as followed:
        await followed.sees(1_000)  # what is there before anything changes
        await change(opened, 500)
        await announce_change(opened.ports.bus, opened.spec, "the client changed it")
        await followed.sees(500)
        await opened.ports.store.end(opened.key, "the client ended it")
        await announce_end(opened.ports, opened.spec)
        assert (await followed.end()).reason == "the client ended it"


async def test_a_command_is_seen_when_its_worker_is_nudged(opened: Opened) -> None:
    async with following(opened) as followed:
        await followed.sees(1_000)
        await submit(opened.ports, opened.key, Reset())
        await eventually(lambda: followed.looks[-1].waiting.commands == (Reset(),), what="the command")


async def test_a_change_that_nobody_announced_is_seen_all_the_same(opened: Opened) -> None:
    async with following(opened, look_s=OFTEN_S) as followed:
        await followed.sees(1_000)
        await change(opened, 500)
        await followed.sees(500)


async def test_changes_are_seen_while_the_bus_is_away_and_announced_ones_after_it_came_back(
    opened: Opened, nats_server: NatsServer
) -> None:
    async with following(opened, look_s=OFTEN_S) as followed:
        await followed.sees(1_000)
        await nats_server.kill()
        await change(opened, 500)
        await followed.sees(500)
        await nats_server.start()
        async with asyncio.timeout(DEADLINE_S):
            await opened.ports.bus.connected()
        for interval_ms in (600, 700):
            await change(opened, interval_ms)
            await announce_change(opened.ports.bus, opened.spec, "the client changed it")
            await followed.sees(interval_ms)


async def test_an_end_while_nobody_could_be_told_is_found(opened: Opened, nats_server: NatsServer) -> None:
    async with following(opened, look_s=OFTEN_S) as followed:
        await followed.sees(1_000)
        await nats_server.kill()
        await opened.ports.store.end(opened.key, "its gateway died right after this")
        assert (await followed.end()).reason == "its gateway died right after this"


async def test_an_end_before_the_session_was_followed_is_found(opened: Opened) -> None:
    await opened.ports.store.end(opened.key, "it ended early")
    async with following(opened) as followed:
        assert (await followed.end()).reason == "it ended early"


async def test_a_store_that_does_not_answer_is_asked_until_it_does(opened: Opened, redis_server: RedisServer) -> None:
    async with following(opened) as followed:
        await followed.sees(1_000)
        await change(opened, 500)
        redis_server.freeze()
        try:
            await announce_change(opened.ports.bus, opened.spec, "the client changed it")
            with pytest.raises(StoreUnavailable):
                await opened.ports.store.look(opened.key)
            assert not followed.ended.done()
        finally:
            redis_server.thaw()
        await followed.sees(500)  # without being told again


async def test_a_session_that_the_store_has_forgotten_is_an_error(opened: Opened) -> None:
    async with following(opened, look_s=OFTEN_S) as followed:
        await followed.sees(1_000)
        await opened.forget()
        with pytest.raises(UnknownSession):
            await followed.end()


async def test_nothing_that_holds_the_lock_happens_between_reading_and_taking_up(opened: Opened) -> None:
    lock = asyncio.Lock()
    async with lock, following(opened, turn=lock) as followed:
        await submit(opened.ports, opened.key, Reset())
        await eventually(lambda: bool(lock._waiters), what="the reader waits for the lock")
        assert followed.looks == []
        lock.release()
        await eventually(lambda: bool(followed.looks), what="it reads when the lock is free")
        await lock.acquire()
    assert followed.looks[0].waiting.commands == (Reset(),)


async def test_following_ends_with_its_task_and_leaves_nothing_running(opened: Opened) -> None:
    before = asyncio.all_tasks()
    async with following(opened) as followed:
        await followed.sees(1_000)
    assert followed.ended.cancelled()
    assert asyncio.all_tasks() <= before
