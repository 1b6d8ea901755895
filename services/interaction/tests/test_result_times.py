"""When a delegated question's result comes: while the model speaks, twice, after a reset, after its time."""

import asyncio
from typing import Any

from prometheus_client import REGISTRY

from vigil.core.command import Ask, Reset
from vigil.core.delegation import TASK_DEADLINE_S
from vigil.core.turn import Exchange, ExchangeState, Result
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import
QUESTION = Ask("q-1", "What flower is this?")
TOLD = "Result: Which flower is it? A rose."
SPEAKS = "</response> A man comes in."


def botanist(seen: Seen) -> Reply:
    """Delegates the question, and says what it is told of it."""
    if "What flower is this?" in seen.text:
        return Reply("</response> Let me see. </delegation> Which flower is it?")
    return Reply("</response> It is a rose." if TOLD in seen.text else "</silence>")


def dropped() -> float:
    return REGISTRY.get_sample_value("vigil_results_dropped_total", {"reason": "unknown"}) or 0.0


def asked_with_the_result(engine: ScriptedEngine) -> int:
    """In how many turns the model was told the result."""
    return sum(TOLD in seen.text for seen in engine.seen)


async def delegated(stage: Stage, engine: ScriptedEngine, grey: bytes) -> Result:
    """The result of a question that the model has delegated at second 0."""
    engine.script = botanist
    await stage.watch(grey)
    (exchange,) = (await stage.store.history(stage.key)).dialogue
    assert exchange.state is ExchangeState.DELEGATED
    return Result(exchange.task.id, "A rose.")


async def is_answered(stage: Stage, grey: bytes) -> bool:
    """Shows one more second; whether the question is answered."""
    state = await stage.store.history(stage.key)
    await stage.show(state.last_time_ms // 1_000 + 1, grey)
    return bool(state.dialogue[0].state is ExchangeState.ANSWERED)


async def is_dropped(stage: Stage, grey: bytes, count: float) -> bool:
    """Shows one more second; whether so many results were dropped."""
    state = await stage.store.history(stage.key)
    await stage.show(state.last_time_ms // 1_000 + 1, grey)
    return dropped() >= count


async def give(stage: Stage, *results: Result) -> None:
    """What a brain does with its results."""
    for result in results:
        await stage.store.submit_result(stage.key, result)
    await stage.nudge()


async def exchanges(stage: Stage) -> tuple[Exchange, ...]:
    dialogue: tuple[Exchange, ...] = (await stage.store.history(stage.key)).dialogue
    return dialogue


async def test_a_result_that_comes_while_the_model_speaks_is_told_in_the_next_turn(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    await stage.open(QUESTION)
    async with stage.worker():
        result = await delegated(stage, engine, grey)
        speaking = asyncio.Event()
        engine.script = lambda seen: Reply(SPEAKS, hold=speaking)
        before = len(engine.seen)
        await stage.show(1, grey)
        await engine.requests(before + 1)
        await give(stage, result)
        engine.script = botanist
        speaking.set()
        await stage.watch(grey, grey, start=1)
        decisions = await stage.decisions(3)
    assert [decision.text for decision in decisions] == ["Let me see.", "A man comes in.", "It is a rose."]
    (exchange,) = await exchanges(stage)
    assert (exchange.state, exchange.answer) == (ExchangeState.ANSWERED, "It is a rose.")
    assert asked_with_the_result(engine) == 1


async def test_a_result_that_comes_twice_is_told_once(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    before = dropped()
    await stage.open(QUESTION)
    async with stage.worker():
        result = await delegated(stage, engine, grey)
        await give(stage, result, result)
        await eventually(lambda: is_answered(stage, grey), what="the result is told")
        await give(stage, result, Result(result.task, "A tulip, after all."))
        await eventually(lambda: is_dropped(stage, grey, before + 2), what="what came again is dropped")
    (exchange,) = await exchanges(stage)
    assert exchange.answer == "It is a rose."
    assert asked_with_the_result(engine) == 1
    assert not any("tulip" in seen.text for seen in engine.seen)


async def test_a_result_that_comes_after_a_reset_is_not_told(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    before = dropped()
    await stage.open(QUESTION)
    async with stage.worker():
        result = await delegated(stage, engine, grey)
        await stage.store.submit(stage.key, Reset())
        await give(stage, result)
        await eventually(lambda: is_dropped(stage, grey, before + 1), what="the result is dropped")
        opened, closed = await stage.delegations(2)
    assert (opened.data["event"], closed.data["outcome"], closed.data["result"]) == ("opened", "forgotten", "")
    assert await exchanges(stage) == ()
    assert asked_with_the_result(engine) == 0


async def test_a_result_that_comes_after_its_time_is_not_told(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    before = dropped()
    late_s = round(TASK_DEADLINE_S) + 1
    await stage.open(QUESTION)
    async with stage.worker():
        result = await delegated(stage, engine, grey)
        await stage.watch(grey, start=late_s)
        await give(stage, result)
        await eventually(lambda: is_dropped(stage, grey, before + 1), what="the result is dropped")
        _, closed = await stage.delegations(2)
    assert closed.data["outcome"] == "expired"
    (exchange,) = await exchanges(stage)
    assert (exchange.state, exchange.answer) == (ExchangeState.UNANSWERED, "")
    assert asked_with_the_result(engine) == 0
