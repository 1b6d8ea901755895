"""NATS, Redis and the engine fail under real workers: all sessions go on, and no decision is missing or doubled.

The same code measures recovery times (`make bench BENCH=faults`); docs/faults.md says what an operator sees.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import NamedTuple

import pytest
import pytest_asyncio
from bench.breakages import BREAKAGES, redis_full, streams_full
from bench.collector import Collector, collecting, stored_alerts, stored_decisions
from bench.faults import RED_EVERY, ride_out, settle
from bench.generator import loading, now_ms
from bench.integrity import Integrity, inspect
from bench.load_plan import TENANT, LoadPlan
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running

from vigil.contract.decision import StoredDecision
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.errors import SessionEnded
from vigil.testing.eventually import eventually

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SLOW = pytest.mark.slow
COUNT = 3
FIRST = count(step=COUNT)  # every test has sessions of its own
# Longer than a lease (1.5 s) where leases are concerned, longer than the engine's deadline where that is.
LASTS_S = {"engine hung": 12.0}
USUALLY_LASTS_S = 3.0
# `make test` rides out one fault; `make test-slow` the others, too.
USUAL = "NATS restarted"
# From the moment that the broken thing answers again: a lease, a sweep or a back-off, and the next second's frame.
RECOVERS_S = 10.0


class System(NamedTuple):
    """What runs for all tests of this file, and who listens."""

    stack: Stack
    collector: Collector


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """NATS, Redis, an engine that sees fire, codec and interaction; each fault is mended before the next test."""
    settings = BenchSettings(out=tmp_path_factory.mktemp("faults"), sessions=COUNT)
    async with running(settings, "faults", engine="seeing") as (stack, _), collecting(stack.nats.url) as collector:
        yield System(stack, collector)


@pytest_asyncio.fixture(loop_scope="module")
async def sessions(system: System) -> AsyncIterator[tuple[str, ...]]:
    """Sessions that cameras are about to show something to; ended afterwards."""
    opened = names(COUNT, next(FIRST))
    await open_sessions(system.stack, system.collector.client, opened)
    yield opened
    for key in (SessionKey(TENANT, session) for session in opened):
        await system.stack.store.end(key, "the test is over")
        await system.stack.placement.close(key, (await system.stack.store.spec(key)).roles)


def cameras_of(stack: Stack, sessions: tuple[str, ...]) -> LoadPlan:
    """One picture a second; in one of three it burns."""
    return LoadPlan(stack.nats.url, sessions, now_ms(), red_every=RED_EVERY)


async def _inspected(system: System, sessions: tuple[str, ...]) -> Integrity:
    stored = await _stored(system, sessions)
    alerts = [alert for alert in await stored_alerts(system.collector.client) if alert.data["session"] in sessions]
    return await inspect(system.stack, sessions, stored, alerts)


async def _stored(system: System, sessions: tuple[str, ...]) -> dict[str, list[StoredDecision]]:
    """The stored decisions of these sessions."""
    stored = await stored_decisions(system.collector.client)
    return {session: list(stored.get(session, ())) for session in sessions}


@pytest.mark.parametrize("fault", [USUAL, *(pytest.param(name, marks=SLOW) for name in BREAKAGES if name != USUAL)])
async def test_every_session_goes_on_and_nothing_is_doubled_or_lost(
    system: System, sessions: tuple[str, ...], fault: str
) -> None:
    stack, collector = system
    async with loading(cameras_of(stack, sessions), stack.folder) as cameras:
        outage = await ride_out(stack, collector, sessions, fault, LASTS_S.get(fault, USUALLY_LASTS_S))
        await cameras.stop()
    await settle(stack, sessions)
    found = await _inspected(system, sessions)
    assert found.faults == ()
    assert found.decisions > 3 * len(sessions)
    assert found.alerts > len(sessions)
    assert outage.over_us - outage.mended_us < RECOVERS_S * 1e6


@SLOW
async def test_while_the_streams_are_full_decisions_go_on_and_are_stored_later(
    system: System, sessions: tuple[str, ...]
) -> None:
    stack, collector = system
    async with loading(cameras_of(stack, sessions), stack.folder) as cameras:
        await collector.wait(sessions, lambda decided: len(decided) >= 2, 30, "every session ticks")
        async with streams_full(stack):
            before = await _committed(stack, sessions)
            await eventually(lambda: _all_committed(stack, sessions, before + 3), what="turns are committed meanwhile")
            stored = await _stored(system, sessions)
        await cameras.stop()
    await settle(stack, sessions)
    found = await _inspected(system, sessions)
    assert max(map(len, stored.values())) <= before + 1, "the streams took nothing"
    assert found.faults == ()


@SLOW
async def test_while_redis_is_full_workers_keep_their_sessions_and_one_can_be_ended(
    system: System, sessions: tuple[str, ...]
) -> None:
    stack, collector = system
    async with loading(cameras_of(stack, sessions), stack.folder) as cameras:
        await collector.wait(sessions, lambda decided: len(decided) >= 2, 30, "every session ticks")
        fences = await _fences(stack)
        async with redis_full(stack):
            await asyncio.sleep(2 * stack.placement.lease_s)  # the fault lasts: long enough to lose every lease
            await stack.store.end(SessionKey(TENANT, sessions[0]), "to make room")
            alive = (await stack.placement.capacity(Role.INTERACTION)).workers
        kept = await _fences(stack)
        with pytest.raises(SessionEnded):
            await stack.store.set_origin(SessionKey(TENANT, sessions[0]), 1)
        await cameras.stop()
    assert alive == 1
    assert kept == fences, "nobody claimed anything anew"


async def _fences(stack: Stack) -> dict[bytes | str, bytes | str]:
    """How often each session was claimed for interaction."""
    return dict(await stack.redis.hgetall("vigil:v1:{placement}:interaction:fence"))


async def _committed(stack: Stack, sessions: tuple[str, ...]) -> int:
    """Turns of the session that has most."""
    return max([(await stack.store.history(SessionKey(TENANT, session))).next_sequence for session in sessions])


async def _all_committed(stack: Stack, sessions: tuple[str, ...], turns: int) -> bool:
    reached = [(await stack.store.history(SessionKey(TENANT, session))).next_sequence for session in sessions]
    return min(reached) >= turns
