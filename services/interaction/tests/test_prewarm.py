"""Pre-warm, end to end: the first turn of a chunk finds its prefix in the engine's cache, and no turn waits for it."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from vigil.core.command import Instruct
from vigil.core.instruction import Instruction
from vigil.core.session import Window
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

CHUNK, TAIL, LEAD = 12, 5, 4
INSTRUCTION = Instruct(Instruction("i-1", "Greet everyone who comes in. " * 20))


def is_warm(seen: Seen) -> bool:
    """Whether this request was a pre-warm: a tick asks for more than one token."""
    return bool(seen.body["max_tokens"] == 1)


def is_whole(seen: Seen) -> bool:
    """Whether this pre-warm showed all of the carried turns, as the last round does. Rounds before it may be left out
    where turns are quicker than the engine."""
    return is_warm(seen) and len(seen.uuids) == TAIL


async def boundary_tokens(stage: Stage, engine: ScriptedEngine, grey: bytes, warms: bool) -> tuple[int, int]:
    """Tokens of the boundary's prompt that were not cached, and those of the turn before it."""
    before = outcomes("ok")
    await stage.open(INSTRUCTION, window=Window(CHUNK, TAIL))
    async with stage.worker():
        await stage.watch(*[grey] * CHUNK)
        await eventually(lambda: any(map(is_whole, engine.seen)) is warms, what="the coming chunk is warm")
        await eventually(lambda: outcomes("ok") == before + sum(map(is_warm, engine.seen)), what="and answered")
        await stage.watch(grey, start=CHUNK)
        decisions = await stage.decisions(CHUNK + 1)
    assert all(len(one.fresh) == 0 for one in engine.seen if is_warm(one)), "pictures go by name"
    usual, boundary = (one.prompt_tokens - one.cached_tokens for one in decisions[-2:])
    return boundary, usual


def outcomes(outcome: str) -> float:
    return REGISTRY.get_sample_value("vigil_prewarms_total", {"outcome": outcome}) or 0.0


async def test_the_boundary_costs_as_much_as_any_turn(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    stage.prewarm_turns = LEAD
    boundary, usual = await boundary_tokens(stage, engine, grey, warms=True)
    print(f"uncached tokens: boundary {boundary}, usual {usual}")  # noqa: T201  the figures
    assert boundary <= usual * 1.5


async def test_without_it_the_boundary_computes_everything(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    boundary, usual = await boundary_tokens(stage, engine, grey, warms=False)
    print(f"uncached tokens: boundary {boundary}, usual {usual}")  # noqa: T201  the figures
    assert boundary > usual * 5


@pytest.mark.parametrize("trouble", [Reply("no", status=500), Reply(hang=True)])
async def test_a_pre_warm_in_trouble_delays_no_turn(
    stage: Stage, engine: ScriptedEngine, grey: bytes, trouble: Reply
) -> None:
    stage.prewarm_turns, stage.deadline_s = LEAD, 10 * DEADLINE_S
    engine.script = lambda seen: trouble if is_warm(seen) else Reply()
    await stage.open(INSTRUCTION, window=Window(CHUNK, TAIL))
    async with stage.worker():
        await stage.watch(*[grey] * (CHUNK + 3))  # a turn that waited for a pre-warm that hangs would have no end
        decisions = await stage.decisions(CHUNK + 3)
    assert [one.sequence for one in decisions] == list(range(CHUNK + 3))
    assert all(decision.engine_ms < DEADLINE_S * 1_000 for decision in decisions)
    assert any(map(is_warm, engine.seen))


async def test_pictures_that_the_engine_forgot_are_sent_ahead_of_the_boundary(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    stage.prewarm_turns = 1
    before = outcomes("ok")
    await stage.open(INSTRUCTION, window=Window(CHUNK, TAIL))
    async with stage.worker():
        await stage.watch(*[grey] * (CHUNK - 2))
        engine.script = lambda seen: forgetful(engine, seen)
        await stage.watch(grey, start=CHUNK - 2)
        await eventually(lambda: outcomes("ok") > before, what="it was warmed")
    asked = [one for one in engine.seen if is_warm(one)]
    assert [one.refused for one in asked] == [True, False]
    assert len(asked[-1].fresh) == len(asked[-1].uuids)


def forgetful(engine: ScriptedEngine, seen: Seen) -> Reply:
    """Forgets its pictures after each turn."""
    engine.forget()
    return Reply()
