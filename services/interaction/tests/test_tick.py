"""The tick, end to end over real NATS and Redis: what the camera shows becomes decisions, words and alerts."""

import asyncio
from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY

from vigil.core.command import Ask, Clear, Reset
from vigil.core.control import Action
from vigil.core.duplicate import DuplicateGuard
from vigil.core.session import ResponseMode, Speech, Window
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil.testing.script import Reply, in_order
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer

GREY_S, RED_S = 3, 4

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


async def test_an_event_becomes_one_alert_that_opens_and_closes(stage: Stage, red: bytes, grey: bytes) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * GREY_S, *[red] * RED_S, *[grey] * 3)
        decisions = await stage.decisions(10)
        opened, closed = await stage.alerts(2)
        words = await stage.utterances(1)
    assert [one.sequence for one in decisions] == list(range(10))
    assert [one.action for one in decisions] == [Action.SILENT] * 3 + [Action.SPEAK] * 4 + [Action.SILENT] * 3
    assert decisions[0].probabilities.silent == pytest.approx(0.9)
    assert [one.prefix_share for one in decisions] == [1.0] * 10
    assert (opened.type, closed.type) == ("vigil.alert.opened", "vigil.alert.closed")
    assert opened.subject == closed.subject == opened.data["alert_id"]
    assert opened.data["time_s"] == 3.0
    assert opened.data["text"] == "A fire has started."
    assert opened.data["severity"] == "critical"
    assert opened.data["p_speak"] == pytest.approx(0.9)
    assert opened.data["latency_ms"] >= 0
    assert closed.data["reason"] == "quiet for 2 s"
    assert closed.data["time_s"] == 8.0
    assert [one.data["text"] for one in words] == ["A fire has started."], "said once: the rest repeats it"
    assert [one.duplicate for one in decisions] == [False] * 4 + [True] * 3 + [False] * 3
    assert await stage.bus.get_snapshot(opened.data["snapshot"]["key"]) == red


async def test_only_the_new_picture_travels(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 12)
    requests = list(engine.seen)
    assert [len(one.fresh) for one in requests] == [1] * 12
    assert [len(one.uuids) for one in requests] == list(range(1, 13))
    first = requests[1].request_bytes
    assert requests[-1].request_bytes - first < 12 * 400  # text grows by a turn; pixels do not pile up


async def test_a_failed_turn_leaves_no_trace_and_loses_no_question(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    answers = [Reply("broken", status=500), Reply("</response> A grey wall.")]
    engine.script = in_order(answers)
    await stage.open(Ask("q-1", "What do you see?"))
    async with stage.worker():
        await stage.watch(grey)
        (decision,) = await stage.decisions(1)
        (said,) = await stage.utterances(1)
    failed, answered = list(engine.seen)[:2]
    assert "What do you see?" in failed.text
    assert "What do you see?" in answered.text
    assert (decision.sequence, said.data["text"]) == (0, "A grey wall.")
    state = await stage.store.history(stage.key)
    assert [turn.reply for turn in state.chunk.turns] == ["</response> A grey wall."]
    assert state.dialogue[0].answer == "A grey wall."


async def test_a_hanging_engine_costs_frames_and_not_the_session(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    stage.deadline_s = 0.3
    held = asyncio.Event()
    engine.script = lambda seen: Reply(hold=held) if seen.index == 0 and not held.is_set() else Reply()
    await stage.open()
    async with stage.worker():
        await eventually(lambda: _shown_until_asked(stage, engine, grey), what="the engine is asked")
        await stage.show(1, grey)
        await stage.show(2, grey)
        await engine.requests(2)
        held.set()
        await stage.watch(grey, start=3)
        decisions = await stage.decisions(1)
    assert decisions[-1].frames_skipped >= 1
    assert decisions[0].sequence == 0


async def test_commands_reach_the_model_in_the_next_turn_and_earlier_turns_stay(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, grey)
        await stage.store.submit(stage.key, Clear("w-fire"))
        await stage.nudge()
        await eventually(lambda: _shown_text(stage, engine, grey, "Stop watching: Alert me when a fire starts."))
        state = await stage.store.history(stage.key)
    before, after = engine.seen[1].body["messages"], engine.seen[-1].body["messages"]
    assert [one["role"] for one in after[: len(before)]] == [one["role"] for one in before]
    assert after[1]["content"][0] == before[1]["content"][0]
    assert state.instructions == ()


async def test_a_reset_forgets_the_history_and_keeps_the_watch(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, grey, grey)
        await stage.store.submit(stage.key, Reset())
        await stage.nudge()
        await eventually(lambda: _chunk(stage, grey), what="a new chunk begins")
        state = await stage.store.history(stage.key)
    assert state.instructions[0].id == "w-fire"
    assert state.next_sequence > 3
    assert "Alert me when a fire starts." in str(engine.seen[-1].body["messages"][1])


async def test_a_chunk_boundary_restates_the_watch_and_carries_the_tail(
    stage: Stage, engine: ScriptedEngine, grey: bytes, red: bytes
) -> None:
    await stage.open(window=Window(6, 2))
    async with stage.worker():
        await stage.watch(*[grey] * 8, red)
        decisions = await stage.decisions(9)
    boundary = engine.seen[6]
    assert len(boundary.uuids) == 3  # two carried turns and the new one
    assert "Alert me when a fire starts." in str(boundary.body["messages"][1])
    assert len(boundary.fresh) == 1  # the carried pictures are still named, not sent
    assert [one.sequence for one in decisions] == list(range(9))
    assert decisions[-1].action is Action.SPEAK
    assert len((await stage.store.history(stage.key)).chunk.turns) == 5


async def test_an_engine_that_forgot_its_pictures_gets_them_once(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 3)
        engine.forget()
        await stage.watch(grey, grey, start=3)
    refused = [one for one in engine.seen if one.refused]
    assert len(refused) == 1
    again = engine.seen[engine.seen.index(refused[0]) + 1]
    assert len(again.fresh) == 4
    assert len(engine.seen[-1].fresh) == 1


async def test_frames_that_are_lost_everywhere_cost_the_history_and_not_the_session(
    stage: Stage, engine: ScriptedEngine, grey: bytes, red: bytes
) -> None:
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 3)
        engine.forget()
        await stage.forget_frames()
        await stage.watch(red, start=3)
        decisions = await stage.decisions(4)
    assert decisions[-1].action is Action.SPEAK
    assert "Alert me when a fire starts." in str(engine.seen[-1].body["messages"][1])


async def test_a_prompt_that_outgrew_the_model_costs_the_history_and_not_the_session(
    stage: Stage, engine: ScriptedEngine, grey: bytes, red: bytes
) -> None:
    too_long = Reply("This model's maximum context length is 4096 tokens.", status=400)
    fits = engine.script
    engine.script = lambda seen: too_long if len(seen.uuids) > 3 else fits(seen)
    await stage.open()
    async with stage.worker():
        await stage.watch(*[grey] * 3, red)
        decisions = await stage.decisions(4)
    assert [one.sequence for one in decisions] == list(range(4))
    assert decisions[-1].action is Action.SPEAK
    assert "Alert me when a fire starts." in str(engine.seen[-1].body["messages"][1])


async def test_a_camera_may_change_its_picture_size_within_a_session(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    tall, wide = jpeg((230, 30, 20), (64, 96)), jpeg((90, 90, 90), (160, 64))
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, tall, wide)
        decisions = await stage.decisions(3)
        state = await stage.store.history(stage.key)
    assert [one.action for one in decisions] == [Action.SILENT, Action.SPEAK, Action.SILENT]
    sizes = [(frame.width, frame.height) for turn in state.chunk.turns for frame in turn.frames]
    assert sizes == [(96, 64), (64, 96), (160, 64)]
    assert list(engine.seen[-1].fresh.values()) == [wide]
    assert engine.seen[-1].uuids[:2] == engine.seen[-2].uuids, "earlier pictures are named as they were"


async def test_an_engine_that_refuses_for_good_costs_what_it_refuses_and_not_the_session(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    refusal = Reply("this text cannot be shown", status=400)
    fits = engine.script
    engine.script = lambda seen: refusal if "poison" in str(seen.body["messages"]) else fits(seen)
    await stage.open(Ask("q-1", "poison"))
    async with stage.worker():
        await stage.watch(grey, grey)
        decisions = await stage.decisions(2)
    assert [one.sequence for one in decisions] == [0, 1]


async def test_a_store_without_memory_keeps_what_the_engine_refuses_and_the_run(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    restarts, fits = _restarts(), engine.script
    refusal = Reply("this text cannot be shown", status=400)
    engine.script = lambda seen: refusal if "poison" in str(seen.body["messages"]) else fits(seen)
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        await stage.store.submit(stage.key, Ask("q-1", "poison"))
        await stage.nudge()
        await stage.redis.config_set("maxmemory", "1")
        for second in range(1, 9):
            await stage.show(second, grey)
            await engine.requests(second + 1)
        await stage.redis.config_set("maxmemory", "0")
        await stage.watch(grey, grey, start=9)
        decisions = await stage.decisions(3)
    assert [decision.sequence for decision in decisions] == [0, 1, 2]
    assert _restarts() == restarts, "the run went on"


async def test_what_is_committed_is_published_while_the_engine_is_down(
    stage: Stage, engine: ScriptedEngine, nats_server: NatsServer, grey: bytes, red: bytes
) -> None:
    held = asyncio.Event()
    engine.script = lambda seen: Reply("</response> A fire has started.", hold=held) if seen.index else Reply()
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        await stage.show(1, red)
        await engine.requests(2)
        await nats_server.kill()
        held.set()  # the turn is committed, and its alert cannot be published
        await eventually(lambda: _decided(stage, 2), what="the turn is committed without NATS")
        engine.script = lambda _: Reply("down", status=500)
        await nats_server.start()
        await stage.bus.connected()
        (opened,) = await stage.alerts(1)
    assert opened.data["decision_sequence"] == 1


async def test_the_response_mode_is_a_bias_on_the_control_token(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    await stage.open(speech=Speech(ResponseMode.TALKATIVE))
    async with stage.worker():
        await stage.watch(grey)
        (biases,) = [one.body["logit_bias"] for one in engine.seen]
    assert list(biases.values()) == [2.0]


async def test_the_duplicate_guard_can_be_turned_off(stage: Stage, red: bytes) -> None:
    await stage.open(speech=Speech(duplicate_guard=DuplicateGuard.OFF))
    async with stage.worker():
        await stage.watch(*[red] * 3)
        words = await stage.utterances(3)
    assert [one.data["decision_sequence"] for one in words] == [0, 1, 2]


async def test_words_without_a_control_token_are_never_spoken(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    engine.script = in_order([Reply("I think there might be something.")])
    await stage.open()
    async with stage.worker():
        await stage.watch(grey)
        (decision,) = await stage.decisions(1)
    assert decision.action is Action.SILENT
    assert decision.malformed == "no control token"
    assert (await SessionStore(stage.redis).history(stage.key)).malformed_total == 1


async def _decided(stage: Stage, count: int) -> bool:
    return bool((await stage.store.history(stage.key)).next_sequence == count)


async def _shown_until_asked(stage: Stage, engine: ScriptedEngine, picture: bytes) -> bool:
    await stage.show(0, picture)
    return bool(engine.seen)


async def _shown_text(stage: Stage, engine: ScriptedEngine, picture: bytes, text: str) -> bool:
    second = (await stage.store.history(stage.key)).last_time_ms // 1000 + 1
    await stage.watch(picture, start=second)
    return text in engine.seen[-1].text


async def _chunk(stage: Stage, picture: bytes) -> bool:
    state = await stage.store.history(stage.key)
    await stage.watch(picture, start=state.last_time_ms // 1000 + 1)
    return bool((await stage.store.history(stage.key)).chunk.number == 1)


def _refused_by_the_store() -> int:
    return int(REGISTRY.get_sample_value("vigil_ticks_failed_total", {"reason": "StoreFull"}) or 0)


def _is_refused(times: int) -> bool:
    return _refused_by_the_store() == times


async def test_a_store_without_memory_costs_turns_and_no_session(stage: Stage, grey: bytes, red: bytes) -> None:
    before = _refused_by_the_store()
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, grey)
        await stage.redis.config_set("maxmemory", "1")
        for count, second in enumerate((2, 3), start=1):
            await stage.show(second, red)
            await eventually(partial(_is_refused, before + count), what="the turn is dropped")
        await stage.redis.config_set("maxmemory", "0")
        await stage.watch(grey, red, start=4)
        decisions = await stage.decisions(4)
        alerts = await stage.alerts(1)
        claimed = await stage.claims()
    assert [one.sequence for one in decisions] == [0, 1, 2, 3]
    assert [one.time_ms // 1000 for one in decisions] == [0, 1, 4, 5]
    assert decisions[2].frames_skipped == 2
    assert [one.data["time_s"] for one in alerts] == [5.0], "what could not be kept was not told"
    assert claimed == 1, "the worker kept it"


async def test_a_boundary_that_the_store_refuses_may_come_out_differently(stage: Stage, grey: bytes) -> None:
    before, restarts = _refused_by_the_store(), _restarts()
    await stage.open(window=Window(3, 1))
    async with stage.worker():
        await stage.watch(grey, grey, grey)
        await stage.redis.config_set("maxmemory", "1")
        await stage.show(3)
        await eventually(partial(_is_refused, before + 1), what="the first turn of the next chunk is dropped")
        await stage.redis.config_set("maxmemory", "0")
        await stage.store.submit(stage.key, Clear("w-fire"))
        await stage.nudge()
        await stage.watch(grey, grey, start=4)
        decisions = await stage.decisions(5)
    assert [one.sequence for one in decisions] == list(range(5))
    assert _restarts() == restarts, "the run went on"


def _restarts() -> float:
    return REGISTRY.get_sample_value("vigil_session_restarts_total", {"role": "interaction"}) or 0.0
