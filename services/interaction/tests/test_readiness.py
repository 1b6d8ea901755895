"""Warm-up: what the engines are asked before sessions come, and when it is given up."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.control import SILENCE
from vigil.core.profile import VIGIL_SMALL
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.process.startup import StartupError
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.script import Reply
from vigil.testing.scripted_engine import ScriptedEngine
from vigil_interaction.readiness import WarmUp, preparing, wait_for_model


async def warmed(*engines: ScriptedEngine, turns: int = 1, limit_s: float = DEADLINE_S) -> None:
    async with EnginePool([one.url for one in engines]) as pool:
        await asyncio.wait_for(wait_for_model(pool, "scripted", VIGIL_SMALL, WarmUp(turns, limit_s)), DEADLINE_S)


@given(st.integers(1, 1_000))
def test_sizes_grow_fourfold_up_to_a_whole_chunk(turns: int) -> None:
    sizes = WarmUp(turns, 1.0).sizes
    assert (sizes[-1] if sizes else 1) == turns
    assert sorted(set(sizes)) == list(sizes)
    assert len(sizes) <= 6


async def test_one_turn_is_one_tick(engine: ScriptedEngine) -> None:
    await warmed(engine)
    (first,) = engine.seen
    assert list(first.fresh) == ["warm-up"]
    assert first.body["max_tokens"] == 1


async def test_prompts_of_growing_size_with_one_picture(engine: ScriptedEngine) -> None:
    await warmed(engine, turns=100)
    assert [len(one.uuids) for one in engine.seen] == [1, 4, 16, 64, 100]
    assert [len(one.fresh) for one in engine.seen] == [1, 0, 0, 0, 0]
    assert engine.seen[-1].body["messages"][2] == {"role": "assistant", "content": SILENCE}


async def test_every_engine_that_is_up_is_warmed_and_one_is_enough(engine: ScriptedEngine) -> None:
    async with ScriptedEngine() as other, ScriptedEngine(lambda _: Reply("no", status=500)) as broken:
        await warmed(engine, other, broken, turns=4)
        assert [len(one.seen) for one in (engine, other, broken)] == [2, 2, 1]


async def test_an_engine_that_is_slow_on_long_prompts_is_used_all_the_same() -> None:
    """The time must suffice for the prompts that it answers: where the machine is too busy for that, it gets more."""
    for limit_s in (0.3, 1.0, 5.0, 20.0):
        async with ScriptedEngine(lambda seen: Reply(hang=len(seen.uuids) > 4)) as engine:
            await warmed(engine, turns=100, limit_s=limit_s)
        if len(engine.seen) == 3:
            break
    assert [len(one.uuids) for one in engine.seen] == [1, 4, 16]


async def test_an_engine_that_comes_later_is_warmed_before_anything_else() -> None:
    engine = ScriptedEngine(port=free_port())
    async with EnginePool([engine.url]) as pool:
        waiting = asyncio.create_task(wait_for_model(pool, "scripted", VIGIL_SMALL, WarmUp(1, DEADLINE_S)))
        await eventually(lambda: pool.serving("scripted") == (), what="it is known to be away")
        async with engine:
            await asyncio.wait_for(waiting, DEADLINE_S)
            assert [list(one.fresh) for one in engine.seen] == [["warm-up"]]


async def test_an_engine_that_joins_while_sessions_run_is_warm_before_they_go_to_it(engine: ScriptedEngine) -> None:
    late = ScriptedEngine(lambda seen: Reply(status=200 if seen.index else 503), port=free_port())
    async with EnginePool([engine.url, late.url]) as pool:
        await wait_for_model(pool, "scripted", VIGIL_SMALL, WarmUp(4, DEADLINE_S))
        pool.prepare_with(preparing("scripted", VIGIL_SMALL, WarmUp(4, DEADLINE_S)))
        async with late:
            await eventually(lambda: len(pool.serving("scripted")) == 2, what="it has joined")
            assert [len(one.uuids) for one in late.seen] == [1, 1, 4], "one check later, for it refused the first"


async def test_an_engine_of_another_model_is_not_warmed(engine: ScriptedEngine) -> None:
    prepare = preparing("another", VIGIL_SMALL, WarmUp(4, DEADLINE_S))
    async with EnginePool([engine.url]) as pool:
        await prepare(pool.serving("scripted")[0], ["scripted"])
    assert not list(engine.seen)


async def test_a_first_tick_that_fails_is_tried_again() -> None:
    async with ScriptedEngine(lambda seen: Reply(status=200 if seen.index else 500)) as engine:
        await warmed(engine)
        assert len(engine.seen) == 2


async def test_a_model_that_will_never_do_ends_the_process() -> None:
    async with ScriptedEngine(splits=frozenset({SILENCE})) as engine:
        with pytest.raises(StartupError, match=SILENCE):
            await warmed(engine)
