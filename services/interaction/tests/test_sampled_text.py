"""Sampled text: the decision stays greedy, its words are asked for again, and no failure costs the decision."""

from typing import Any

from prometheus_client import REGISTRY

from vigil.core.command import Ask
from vigil.core.control import Action
from vigil.core.session import Speech
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import
SAID = "</response> A fire has started."


def is_going_on(seen: Seen) -> bool:
    """Whether this is the second request of a turn, which goes on with a reply."""
    return bool(seen.body.get("continue_final_message"))


async def test_the_words_of_a_turn_that_speaks_are_drawn_again(
    stage: Stage, engine: ScriptedEngine, grey: bytes, red: bytes
) -> None:
    quiet = engine.script
    engine.script = lambda seen: Reply(" Something burns.") if is_going_on(seen) else quiet(seen)
    await stage.open(speech=Speech(text_temperature=0.8))
    async with stage.worker():
        await stage.watch(grey, red)
        _, spoken = await stage.decisions(2)
        (words,) = await stage.utterances(1)
        (opened,) = await stage.alerts(1)
    assert [is_going_on(seen) for seen in engine.seen] == [False, False, True], "silence costs one request"
    again = engine.seen[-1].body
    assert (again["temperature"], again["seed"], again["stop"]) == (0.8, spoken.sequence, ["</delegation>"])
    assert again["messages"][-1] == {"role": "assistant", "content": "</response>"}
    assert again["messages"][:-1] == [*engine.seen[1].body["messages"][:-1], again["messages"][-2]]
    assert engine.seen[-1].fresh == {}, "the picture does not travel twice"
    assert words.data["text"] == opened.data["text"] == "Something burns."
    assert spoken.probabilities.speak > spoken.probabilities.silent
    history = await stage.store.history(stage.key)
    assert [turn.reply for turn in history.chunk.turns] == ["</silence>", "</response> Something burns."]


async def test_a_delegated_question_is_never_drawn(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    engine.script = lambda _: Reply("</response> Let me check. </delegation> Who won?")
    await stage.open(Ask("q-1", "Who won?"), speech=Speech(text_temperature=0.8))
    async with stage.worker():
        await stage.watch(grey)
        (decision,) = await stage.decisions(1)
    assert decision.action is Action.DELEGATE
    assert len(engine.seen) == 1


async def test_an_engine_that_fails_the_draw_leaves_the_words_that_were_decided(
    stage: Stage, engine: ScriptedEngine, red: bytes
) -> None:
    engine.script = lambda seen: Reply("broken", status=500) if is_going_on(seen) else Reply(SAID)
    before = not_sampled("EngineRejected")
    await stage.open(speech=Speech(text_temperature=0.8))
    async with stage.worker():
        await stage.watch(red)
        (decision,) = await stage.decisions(1)
        (words,) = await stage.utterances(1)
    assert decision.action is Action.SPEAK
    assert words.data["text"] == "A fire has started."
    assert sum(is_going_on(seen) for seen in engine.seen) == 1
    assert not_sampled("EngineRejected") == before + 1


def not_sampled(reason: str) -> float:
    return REGISTRY.get_sample_value("vigil_words_not_sampled_total", {"reason": reason}) or 0.0
