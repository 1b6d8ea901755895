"""Several scripted engines as one pool: where a session is asked, where it goes, when it comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from vigil.core.profile import HARNESS, VIGIL_SMALL
from vigil.runtime.engine.errors import (
    ControlTokensMissing,
    EngineRejected,
    EnginesDown,
    EngineTimeout,
    EngineUnreachable,
    ModelNotServed,
)
from vigil.runtime.engine.member import Pace
from vigil.runtime.engine.pool import EnginePool, PooledEngine
from vigil.runtime.engine.rendezvous import ranked
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.testing.prompts import Pixels, request
from vigil.testing.script import Reply, silent
from vigil.testing.scripted_engine import ScriptedEngine

FAST = Pace(check_s=0.1, recheck_s=0.1, steady_s=0.0, return_gap_s=0.0, trial_s=0.2)
SESSIONS = [f"demo/s-{number}" for number in range(12)]


@pytest.fixture
async def engines() -> AsyncIterator[list[ScriptedEngine]]:
    """Three engines of one model."""
    async with ScriptedEngine() as one, ScriptedEngine() as two, ScriptedEngine() as three:
        yield [one, two, three]


@asynccontextmanager
async def pooled(engines: list[ScriptedEngine], pace: Pace = FAST) -> AsyncIterator[EnginePool]:
    async with EnginePool([one.url for one in engines], pace=pace) as pool:
        yield pool


def home(engines: list[ScriptedEngine], session: str) -> list[ScriptedEngine]:
    """The engines in the order in which the session prefers them."""
    by_url = {one.url: one for one in engines}
    return [by_url[url] for url in ranked(session, by_url)]


async def stop(engine: ScriptedEngine) -> None:
    await engine.__aexit__(None, None, None)


def asked(engine: ScriptedEngine) -> int:
    return len(engine.seen)


async def turns(engine: PooledEngine, first: int, last: int) -> list[bool]:
    """Ask for these turns; whether each was sent again in full."""
    return [(await engine.complete(request(turn), Pixels(last))).resent for turn in range(first, last)]


async def test_a_session_stays_at_one_engine_and_the_sessions_spread(engines: list[ScriptedEngine]) -> None:
    async with pooled(engines) as pool:
        for session in SESSIONS:
            handle, before = pool.of(session, "scripted"), [asked(one) for one in home(engines, session)]
            assert not any(await turns(handle, 0, 4))
            assert [asked(one) for one in home(engines, session)] == [before[0] + 4, *before[1:]]
    assert all(asked(one) for one in engines)


async def test_another_process_sends_the_session_to_the_same_engine(engines: list[ScriptedEngine]) -> None:
    async with pooled(engines) as here, pooled(list(reversed(engines))) as there:
        await turns(here.of("demo/s-1", "scripted"), 0, 3)
        assert await turns(there.of("demo/s-1", "scripted"), 3, 4) == [False]


async def test_an_engine_that_dies_is_replaced_within_the_turn_and_its_pictures_are_sent_again(
    engines: list[ScriptedEngine],
) -> None:
    async with pooled(engines) as pool:
        session = pool.of("demo/s-1", "scripted")
        first, second, _ = home(engines, "demo/s-1")
        await turns(session, 0, 3)
        await stop(first)
        assert await turns(session, 3, 6) == [True, False, False]
        assert asked(second) == 1 + 1 + 2  # refused, in full, and two turns with one picture each
        first.forget()
        async with first:
            await eventually(lambda: len(pool.serving("scripted")) == 3, what="the engine is up again")
            assert await turns(session, 6, 8) == [True, False]
            assert (asked(first), asked(second)) == (3 + 2 + 1, 4)
            moves = {
                (one.url, why): REGISTRY.get_sample_value(
                    "vigil_engine_session_moves_total", {"engine": one.url.removeprefix("http://"), "why": why}
                )
                for one, why in ((second, "fail_over"), (first, "return"))
            }
    assert set(moves.values()) == {1.0}


async def test_two_that_are_down_leave_the_third(engines: list[ScriptedEngine]) -> None:
    async with pooled(engines) as pool:
        first, second, third = home(engines, "demo/s-1")
        await stop(first)
        await stop(second)
        assert await turns(pool.of("demo/s-1", "scripted"), 0, 2) == [False, False]
        assert asked(third) == 2
        await pool.ping()


async def test_sessions_return_one_after_the_other(engines: list[ScriptedEngine]) -> None:
    pair = engines[:2]
    async with pooled(pair, replace(FAST, return_gap_s=3600.0)) as pool:
        names = [name for name in SESSIONS if home(pair, name)[0] is pair[0]][:3]
        assert len(names) == 3
        handles = [pool.of(name, "scripted") for name in names]
        await stop(pair[0])
        for handle in handles:
            await turns(handle, 0, 1)
        async with pair[0]:
            await eventually(lambda: len(pool.serving("scripted")) == 2, what="the engine is up again")
            for handle in handles:
                await turns(handle, 1, 3)
            assert asked(pair[0]) == 3, "one session: refused, in full, and a turn"


async def test_an_engine_that_has_just_come_back_must_stay_before_sessions_return(
    engines: list[ScriptedEngine],
) -> None:
    pair = engines[:2]
    async with pooled(pair, replace(FAST, steady_s=3600.0)) as pool:
        first = home(pair, "demo/s-1")[0]
        session = pool.of("demo/s-1", "scripted")
        await stop(first)
        await turns(session, 0, 1)
        async with first:
            await eventually(lambda: len(pool.serving("scripted")) == 2, what="the engine is up again")
            await turns(session, 1, 3)
            assert asked(first) == 0


async def test_a_server_error_is_answered_by_the_next_engine_and_condemns_nobody(
    engines: list[ScriptedEngine],
) -> None:
    async with pooled(engines) as pool:
        first = home(engines, "demo/s-1")[0]
        first.script = lambda _: Reply("out of memory", status=500)
        await turns(pool.of("demo/s-1", "scripted"), 0, 1)
        assert len(pool.serving("scripted")) == 3


async def test_a_bad_request_is_nobody_elses(engines: list[ScriptedEngine]) -> None:
    async with pooled(engines) as pool:
        for one in engines:
            one.script = lambda _: Reply("too long", status=400)
        with pytest.raises(EngineRejected, match="400: too long"):
            await turns(pool.of("demo/s-1", "scripted"), 0, 1)
    assert sum(asked(one) for one in engines) == 1


async def test_an_engine_that_hangs_is_left_and_comes_back_when_it_completes_again(
    engines: list[ScriptedEngine],
) -> None:
    async with pooled(engines) as pool:
        first, second, _ = home(engines, "demo/s-1")
        first.script = lambda _: Reply(hang=True)
        session = pool.of("demo/s-1", "scripted")
        for _ in range(3):
            with pytest.raises(EngineTimeout):
                await session.complete(request(0, deadline_s=0.1), Pixels(0))
        assert await turns(session, 0, 1) == [False]
        assert asked(second) == 1
        trials = asked(first)
        await eventually(lambda: asked(first) >= trials + 2, what="it is tried, and still hangs")
        assert len(pool.serving("scripted")) == 2
        first.script = silent
        await eventually(lambda: len(pool.serving("scripted")) == 3, what="a trial completed")
        await turns(session, 1, 2)
        assert first.seen[-1].uuids


async def test_all_down_is_one_error_and_the_first_one_back_is_used_at_once(engines: list[ScriptedEngine]) -> None:
    pair = engines[:2]
    async with pooled(pair, replace(FAST, recheck_s=3600.0, check_s=3600.0)) as pool:
        session = pool.of("demo/s-1", "scripted")
        for one in pair:
            await stop(one)
        with pytest.raises(EngineUnreachable):
            await turns(session, 0, 1)
        with pytest.raises(EnginesDown, match="none of 2 engines is up"):
            await pool.ping()
        async with home(pair, "demo/s-1")[0]:
            await turns(session, 0, 1)
            await pool.ping()


async def test_one_engine_behaves_as_one(engines: list[ScriptedEngine]) -> None:
    only = engines[0]
    async with pooled([only, only]) as pool:
        await turns(pool.of("demo/s-1", "scripted"), 0, 1)
        only.script = lambda _: Reply("no", status=500)
        with pytest.raises(EngineRejected):
            await turns(pool.of("demo/s-1", "scripted"), 1, 2)
        assert asked(only) == 2
        await stop(only)
        with pytest.raises(EngineUnreachable, match="start it, or correct the engine's URL"):
            await pool.ping()


async def test_models_go_to_the_engines_that_serve_them(engines: list[ScriptedEngine]) -> None:
    async with ScriptedEngine(model="large") as large, pooled([*engines, large]) as pool:
        assert pool.models == ("large", "scripted")
        for session in SESSIONS:
            await turns(pool.of(session, "large"), 0, 1)
        assert asked(large) == len(SESSIONS)
        assert not any(asked(one) for one in engines)
        assert [one.config.root for one in pool.serving("large")] == [large.url]
        with pytest.raises(ModelNotServed, match=r"'huge' \(it serves: large, scripted\)"):
            await turns(pool.of("demo/s-1", "huge"), 0, 1)


async def test_the_context_of_a_model_is_the_shortest_that_an_engine_tells(engines: list[ScriptedEngine]) -> None:
    async with (
        ScriptedEngine(model="large", context_tokens=40_960) as first,
        ScriptedEngine(model="large", context_tokens=32_768) as second,
        ScriptedEngine(model="large") as silent,
        pooled([*engines, first, second, silent]) as pool,
    ):
        assert pool.contexts == {"large": 32_768}


async def test_a_model_is_known_while_its_engine_is_down(engines: list[ScriptedEngine]) -> None:
    async with ScriptedEngine(model="large") as large, pooled([*engines, large]) as pool:
        await stop(large)
        await eventually(lambda: not pool.serving("large"), what="the engine is down")
        assert "large" in pool.models
        with pytest.raises(EngineUnreachable, match=large.url):
            await turns(pool.of("demo/s-1", "large"), 0, 1)
        await large.__aenter__()


async def test_an_engine_that_was_never_there_is_used_once_it_is(engines: list[ScriptedEngine]) -> None:
    late = ScriptedEngine(model="large", port=free_port())
    async with pooled([engines[0], late]) as pool:
        assert pool.models == ("scripted",)
        async with late:
            await eventually(lambda: pool.serving("large"), what="the engine was found")
            await turns(pool.of("demo/s-1", "large"), 0, 1)


async def test_the_action_words_are_asked_for_once(engines: list[ScriptedEngine]) -> None:
    async with pooled(engines) as pool:
        session = pool.of("demo/s-1", "scripted")
        ids = await session.action_ids(VIGIL_SMALL)
        assert ids == {"</silence>": 7, "</response>": 8, "</delegation>": 9}
        assert await session.action_ids(HARNESS) == {}
        for one in engines:
            await stop(one)
        assert await session.action_ids(VIGIL_SMALL) == ids
        for one in engines:
            await one.__aenter__()


async def test_a_model_without_the_control_tokens_is_refused() -> None:
    async with ScriptedEngine(splits=frozenset({"</silence>"})) as engine, pooled([engine]) as pool:
        with pytest.raises(ControlTokensMissing):
            await pool.of("demo/s-1", "scripted").action_ids(VIGIL_SMALL)


async def test_full_requests_are_sent_a_few_at_a_time(engines: list[ScriptedEngine]) -> None:
    """Each is megabytes: twenty sessions whose engine forgot everything must not hold them all at once."""
    running = most = 0

    async def resend(uuids: set[str]) -> dict[str, bytes]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return dict(await Pixels(3)(uuids))

    async with pooled(engines[:1]) as pool:
        handles = [pool.of(f"demo/s-{number}", "scripted") for number in range(20)]
        engines[0].script = lambda _: Reply(delay_s=0.01)

        async def one(handle: PooledEngine) -> None:
            engines[0].forget()
            await handle.complete(request(3), resend)

        await asyncio.gather(*(one(handle) for handle in handles))
    assert 1 <= most <= 8
