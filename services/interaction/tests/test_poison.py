"""An engine that refuses one picture for good costs a few turns and the history that shows it, not the session."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from vigil.core.command import Ask
from vigil.testing.script import Reply
from vigil.testing.scripted_engine import MAX_IMAGES, ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

REFUSALS = [
    Reply("CUDA error: device-side assert triggered (request 8f3a21bc)", status=500),
    Reply("EngineCore encountered an issue.", status=503),
    Reply("the image cannot be processed", status=400),
    Reply("the image cannot be processed", status=422),
    Reply(body=b'{"object": "error"}'),
]


def left_out(what: str) -> float:
    """How often a session went on without this."""
    return REGISTRY.get_sample_value("vigil_prompts_cut_total", {"left_out": what}) or 0.0


@pytest.mark.parametrize("reply", REFUSALS, ids=["500", "503", "400", "422", "unreadable"])
async def test_a_poisoned_picture_costs_a_few_turns_whatever_the_status_code(
    stage: Stage, engine: ScriptedEngine, grey: bytes, reply: Reply
) -> None:
    before = left_out("turns")
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 3)
        engine.poison(engine.seen[1].uuids[-1], reply)
        asked = len(engine.seen)
        await stage.watch(*[grey] * 3, start=3)
        state = await stage.store.history(stage.key)
        decisions = await stage.decisions(6)
    assert [decision.sequence for decision in decisions] == list(range(6))
    assert decisions[3].frames_skipped <= 4
    assert len(engine.seen) - asked <= 4 + 3, "a few refusals, then the new chunk"
    assert len(state.chunk.turns) == 3, "the turns that showed it are not shown again"
    assert "Alert me when a fire starts." in str(engine.seen[-1].body["messages"][1])
    assert left_out("turns") == before + 1


async def test_an_engine_that_fails_whatever_it_is_asked_costs_no_history_and_no_question(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    sees = engine.script
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 3)
        engine.script = lambda _: Reply("CUDA error", status=500)
        await stage.store.submit(stage.key, Ask("q-1", "Who is there?"))
        await stage.nudge()
        for second in range(3, 11):
            await stage.show(second, grey)
            await engine.requests(second + 1)
        engine.script = sees
        await stage.watch(*[grey] * 2, start=11)
        state = await stage.store.history(stage.key)
    assert [turn.time_ms for turn in state.chunk.turns] == [0, 1_000, 2_000, 11_000, 12_000]
    assert [exchange.query for exchange in state.dialogue] == ["Who is there?"]


async def test_thirty_four_turns_of_eight_pictures_are_all_decided(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    stage.pictures, stage.prewarm_turns = 8, 10
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 34)
        decisions = await stage.decisions(34)
    assert [decision.time_ms for decision in decisions] == [second * 1_000 for second in range(34)]
    assert {decision.frames_skipped for decision in decisions} == {0}, "no prompt was refused"
    assert max(len(seen.uuids) for seen in engine.seen) <= MAX_IMAGES
