"""A delegated question, end to end: it stays open over turns and takeovers, and its result is told to the model."""

from typing import Any

from prometheus_client import REGISTRY

from vigil.core.command import Ask
from vigil.core.control import Action
from vigil.core.turn import ExchangeState, Result
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import
TOLD = "Result: Which flower is it? A rose."


def botanist(seen: Seen) -> Reply:
    """Delegates the question, and says what it is told of it."""
    last = str(seen.body["messages"][-1])
    if "What flower is this?" in last:
        return Reply("</response> Let me see. </delegation> Which flower is it?")
    return Reply("</response> It is a rose." if TOLD in last else "</silence>")


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_result_is_told_and_answers_the_question_that_another_worker_delegated(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    engine.script = botanist
    answered = counted("vigil_tasks_closed_total", outcome="answered")
    unknown = counted("vigil_results_dropped_total", reason="unknown")
    await stage.open(Ask("q-1", "What flower is this?"))
    async with stage.worker("worker-1"):
        await stage.watch(grey, grey)
    (exchange,) = (await stage.store.history(stage.key)).dialogue
    assert exchange.state is ExchangeState.DELEGATED
    assert exchange.task.note == "Let me see."
    async with stage.worker("worker-2"):
        await stage.watch(grey, start=2)
        await stage.store.submit_result(stage.key, Result("s-1-77", "A tulip."))
        await stage.store.submit_result(stage.key, Result(exchange.task.id, "A rose."))
        await stage.nudge()
        await eventually(lambda: is_answered(stage, grey), what="the model is told the result")
        opened, closed = await stage.delegations(2)  # the takeover in between published nothing twice
    state = await stage.store.history(stage.key)
    (exchange,) = state.dialogue
    decisions = await stage.decisions(state.next_sequence)
    assert (exchange.state, exchange.answer) == (ExchangeState.ANSWERED, "It is a rose.")
    assert [decision.text for decision in decisions if decision.action == Action.SPEAK] == ["It is a rose."]
    assert (await stage.store.look(stage.key)).waiting.results == ()
    assert counted("vigil_tasks_closed_total", outcome="answered") == answered + 1
    assert counted("vigil_results_dropped_total", reason="unknown") == unknown + 1
    assert (decisions[0].action, decisions[0].task) == (Action.DELEGATE, exchange.task.id)
    assert (opened.type, opened.data["note"], opened.data["outcome"]) == (
        "vigil.delegation.opened",
        "Let me see.",
        None,
    )
    assert (closed.type, closed.data["outcome"]) == ("vigil.delegation.closed", "answered")
    assert closed.data["result"] == "A rose."
    assert opened.subject == closed.subject == exchange.task.id


async def test_a_session_that_ends_closes_its_delegated_questions_and_counts_them(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    engine.script = botanist
    forgotten = counted("vigil_tasks_closed_total", outcome="forgotten")
    await stage.open(Ask("q-1", "What flower is this?"))
    async with stage.worker():
        await stage.watch(grey)
        await stage.store.end(stage.key, "the client ended it")
        await stage.nudge()
        opened, closed = await stage.delegations(2)
    assert (opened.data["event"], closed.data["event"], closed.data["outcome"]) == ("opened", "closed", "forgotten")
    assert (await stage.store.history(stage.key)).tasks == ()
    assert counted("vigil_tasks_closed_total", outcome="forgotten") == forgotten + 1


async def is_answered(stage: Stage, grey: bytes) -> bool:
    """Shows one more second."""
    state = await stage.store.history(stage.key)
    await stage.show(state.last_time_ms // 1000 + 1, grey)
    return bool(state.dialogue[0].state is ExchangeState.ANSWERED)
