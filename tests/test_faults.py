"""NATS, Redis and the engine fail under real workers: all sessions go on, and no decision is missing or doubled.

The same code measures recovery times (`make bench BENCH=faults`); docs/faults.md says what an operator sees.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bench.breakages import BREAKAGES, redis_full, streams_full
from bench.collector import Collector, collecting, stored_alerts, stored_decisions
from bench.faults import RED_EVERY, ride_out, settle
from bench.generator import loading, now_ms
from bench.integrity import Integrity, inspect
from bench.load_plan import TENANT, LoadPlan
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.errors import SessionEnded
from vigil.testing.eventually import eventually

pytestmark = pytest.mark.timeout(180)

SESSIONS = names(3)
# Longer than a lease (1.5 s) where leases are concerned, longer than the engine's deadline where that is.
LASTS_S = {"engine hung": 12.0}
USUALLY_LASTS_S = 3.0
# From the moment that the broken thing answers again: a lease, a sweep or a back-off, and the next second's frame.
RECOVERS_S = 10.0


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Stack, Collector]]:
    """A running system with sessions that cameras are about to show something to."""
    settings = BenchSettings(out=folder, sessions=len(SESSIONS))
    async with running(settings, "faults", engine="seeing") as (stack, _), collecting(stack.nats.url) as collector:
        await open_sessions(stack, collector.client, SESSIONS)
        yield stack, collector


def cameras_of(stack: Stack) -> LoadPlan:
    """One picture a second; in one of three it burns."""
    return LoadPlan(stack.nats.url, SESSIONS, now_ms(), red_every=RED_EVERY)


async def _inspected(stack: Stack, collector: Collector) -> Integrity:
    stored = await stored_decisions(collector.client)
    return await inspect(stack, SESSIONS, stored, await stored_alerts(collector.client))


@pytest.mark.parametrize("fault", BREAKAGES)
async def test_every_session_goes_on_and_nothing_is_doubled_or_lost(tmp_path: Path, fault: str) -> None:
    async with watched(tmp_path) as (stack, collector):
        async with loading(cameras_of(stack), stack.folder) as cameras:
            outage = await ride_out(stack, collector, SESSIONS, fault, LASTS_S.get(fault, USUALLY_LASTS_S))
            await cameras.stop()
        await settle(stack, SESSIONS)
        found = await _inspected(stack, collector)
    assert found.faults == ()
    assert found.decisions > 3 * len(SESSIONS)
    assert found.alerts > len(SESSIONS)
    assert outage.over_us - outage.mended_us < RECOVERS_S * 1e6


async def test_while_the_streams_are_full_decisions_go_on_and_are_stored_later(tmp_path: Path) -> None:
    async with watched(tmp_path) as (stack, collector):
        async with loading(cameras_of(stack), stack.folder) as cameras:
            await collector.wait(SESSIONS, lambda one: len(one) >= 2, 30, "every session ticks")
            async with streams_full(stack):
                before = await _committed(stack)
                await eventually(lambda: _all_committed(stack, before + 3), 20, "turns are committed meanwhile")
                stored = await stored_decisions(collector.client)
            await cameras.stop()
        await settle(stack, SESSIONS)
        found = await _inspected(stack, collector)
    assert max(map(len, stored.values())) <= before + 1, "the streams took nothing"
    assert found.faults == ()


async def test_while_redis_is_full_workers_keep_their_sessions_and_one_can_be_ended(tmp_path: Path) -> None:
    async with watched(tmp_path) as (stack, collector):
        plan = cameras_of(stack)
        async with loading(plan, stack.folder) as cameras:
            await collector.wait(SESSIONS, lambda one: len(one) >= 2, 30, "every session ticks")
            fences = await _fences(stack)
            async with redis_full(stack):
                await asyncio.sleep(2 * stack.placement.lease_s)  # the fault lasts: long enough to lose every lease
                await stack.store.end(SessionKey(TENANT, SESSIONS[0]), "to make room")
                alive = (await stack.placement.capacity(Role.INTERACTION)).workers
            kept = await _fences(stack)
            with pytest.raises(SessionEnded):
                await stack.store.set_origin(SessionKey(TENANT, SESSIONS[0]), 1)
            await cameras.stop()
    assert alive == 1
    assert kept == fences, "nobody claimed anything anew"


async def _fences(stack: Stack) -> dict[bytes | str, bytes | str]:
    """How often each session was claimed for interaction."""
    return dict(await stack.redis.hgetall("vigil:v1:{placement}:interaction:fence"))


async def _committed(stack: Stack) -> int:
    """Turns of the session that has most."""
    return max([(await stack.store.history(SessionKey(TENANT, one))).next_sequence for one in SESSIONS])


async def _all_committed(stack: Stack, turns: int) -> bool:
    return all([(await stack.store.history(SessionKey(TENANT, one))).next_sequence >= turns for one in SESSIONS])
