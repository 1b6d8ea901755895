"""A session that is held speaks: one voice, in time, interrupted by alerts and by the user."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import VoiceState
from vigil.contract.events.announcements import announcement_outgoing
from vigil.contract.services import TTS
from vigil.contract.subject_tokens import SpeechEvent
from vigil.contract.subject_values import is_within
from vigil.core.alert import AlertState
from vigil.core.hearing import Became
from vigil.core.ids import SessionKey
from vigil.core.instruction import Severity
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Claim
from vigil.runtime.session.lifecycle import announce_change
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_tts.ports import Ports
from vigil_tts.session_voice import session_voice
from vigil_tts.speaker import subscriptions

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

SESSION = SessionKey("demo", "s-1")
LONG = "This is a long sentence that goes on for a while."


@pytest.fixture(autouse=True)
def long_sentence(stage: Stage) -> None:
    stage.engine.seconds = {LONG: 3.0}


async def test_what_the_model_says_is_spoken_and_told(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        said = await stage.says("A man is here. He waits.")
        started, ended = await stage.tells("started: A man is here. He waits.", "ended: A man is here. He waits.")
    assert (started["utterance"], started["heard"], started["kind"]) == (said, "", "ordinary")
    assert (ended["heard"], ended["cause"], ended["voice"]) == ("A man is here. He waits.", "", "anna")
    assert [chunk.sequence for chunk in stage.chunks] == list(range(len(stage.chunks)))
    assert {chunk.utterance for chunk in stage.chunks} == {said}
    assert [chunk.is_last for chunk in stage.chunks] == [False] * (len(stage.chunks) - 1) + [True]
    words = [word for chunk in stage.chunks for word in chunk.words]
    text = "A man is here. He waits."
    assert [text[word.begin_char : word.end_char] for word in words] == text.split()
    assert stage.heard_s == pytest.approx(0.6)
    assert stage.engine.tasks[0].voice == "anna"


async def test_a_worker_says_that_it_listens(stage: Stage) -> None:
    """The worker that drains goes on until then."""
    async with stage.worker():
        before = Claim(SESSION, 0)
        await eventually(lambda: stage.placement.is_taken_up(Role.TTS, before), what="the one before may go")


async def test_a_model_that_talks_all_the_time_gets_one_voice_and_no_backlog(stage: Stage) -> None:
    stage.engine.usual_s = 0.6
    async with stage.worker():
        await stage.listens()
        ids = []
        for number in range(8):
            ids.append(await stage.says(f"Second {number}."))
            await asyncio.sleep(0.2)  # the model's cadence
        await eventually(lambda: stage.chunks and stage.chunks[-1].is_last, what="the last one ends")

        async def are_told() -> bool:
            data = await stage.told()
            return sum(event["event"] in ("ended", "dropped") for event in data) == len(ids)

        await eventually(are_told, what="every one came to an end")
        data = await stage.told()
    spoken = [event["utterance"] for event in data if event["event"] == "started"]
    ended = [event["utterance"] for event in data if event["event"] == "ended"]
    dropped = [event for event in data if event["event"] == "dropped"]
    assert spoken == ended == list(dict.fromkeys(chunk.utterance for chunk in stage.chunks))
    assert 2 <= len(spoken) < len(ids)
    assert {event["cause"] for event in dropped} == {"speaking"}
    assert stage.engine.closed == len(spoken), "nothing else was even made"


async def test_an_answer_waits_for_its_turn(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.says("A man is here.")
        await eventually(lambda: stage.chunks, what="it speaks")
        await stage.says("It is red.", is_answer=True)
        data = await stage.tells(
            "started: A man is here.", "ended: A man is here.", "started: It is red.", "ended: It is red."
        )
    assert data[-1]["kind"] == "answer"


async def test_an_announcement_of_an_operator_is_spoken_and_told_as_one(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        outgoing = announcement_outgoing(SESSION, "say-1", "Leave the building.", time.time_ns() // 1_000)
        await stage.bus.publish(outgoing.subject, outgoing.payload)
        started, ended = await stage.tells("started: Leave the building.", "ended: Leave the building.")
    assert (started["kind"], started["utterance"]) == ("announcement", f"{SESSION.session}.announcement.say-1")
    assert ended["heard"] == "Leave the building."


async def test_a_critical_alert_interrupts_at_once(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.says(LONG)
        await eventually(lambda: stage.heard_s >= 0.5, what="it speaks")
        begun = time.monotonic()
        alert = await stage.alerts("Fire!")
        await eventually(lambda: stage.chunks[-1].utterance == alert, what="the alert is heard")
        first = next(at for at, chunk in zip(stage.at, stage.chunks, strict=False) if chunk.utterance == alert)
        assert first - begun < 0.3
        data = await stage.tells(f"started: {LONG}", f"interrupted: {LONG}", "started: Fire!", "ended: Fire!")
    assert (data[1]["cause"], data[2]["kind"]) == ("critical_alert", "critical_alert")
    heard = str(data[1]["heard"])
    assert LONG.startswith(heard)
    assert 0 < len(heard) < len(LONG) / 2


async def test_only_critical_alerts_of_this_session_that_open_interrupt(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.alerts("A door.", Severity.WARNING)
        await stage.alerts("Elsewhere.", session="s-2")
        await stage.alerts("It burns on.", state=AlertState.UPDATED, turn=1_001)
        await stage.alerts("It is over.", state=AlertState.CLOSED, turn=1_002)
        await stage.says("Fire!", turn=7)
        await stage.alerts("Fire!", turn=7)  # the same words
        await stage.says("The end.", is_answer=True)
        await stage.tells("started: Fire!", "ended: Fire!", "started: The end.", "ended: The end.")


@pytest.mark.parametrize("became", [Became.QUERY, Became.WATCH])
async def test_a_user_who_speaks_stops_it_and_what_was_heard_is_told(stage: Stage, became: Became) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.says(LONG)
        await eventually(lambda: stage.heard_s >= 0.5, what="it speaks")
        begun = time.monotonic()
        await stage.user(VoiceState.STARTED)
        await asyncio.sleep(0.6)  # so long nothing more may come
        last = stage.at[-1]
        assert last - begun < 0.3
        heard_s = stage.heard_s
        await stage.user(VoiceState.STOPPED)
        await stage.transcript(became)
        _, interrupted = await stage.tells(f"started: {LONG}", f"interrupted: {LONG}")
        assert stage.heard_s == heard_s
        assert (interrupted["cause"], interrupted["reason"]) == ("user_spoke", "the user spoke")
        assert LONG.startswith(str(interrupted["heard"]))
        assert 0 < len(str(interrupted["heard"])) < len(LONG) / 2
        assert stage.chunks[-1].is_last


@pytest.mark.parametrize("became", [None, Became.ECHO, Became.NOT_ADDRESSED])
async def test_a_false_start_lets_it_go_on(stage: Stage, became: Became | None) -> None:
    stage.engine.usual_s = 0.8
    async with stage.worker():
        await stage.listens()
        await stage.says("A man is here.")
        await eventually(lambda: stage.heard_s >= 0.2, what="it speaks")
        await stage.user(VoiceState.STARTED)
        await asyncio.sleep(0.3)
        if became is None:
            await stage.user(VoiceState.FALSE_START)
        else:
            await stage.user(VoiceState.STOPPED)
            await stage.transcript(became)
        await stage.tells("started: A man is here.", "ended: A man is here.")
    assert stage.heard_s == pytest.approx(0.8)


async def test_it_goes_on_only_when_nobody_speaks_any_more(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        stage.engine.usual_s = 1.0
        await stage.says("A man is here.")
        await eventually(lambda: stage.chunks, what="it speaks")
        await stage.user(VoiceState.STARTED, "mic-1")
        await stage.user(VoiceState.STARTED, "mic-2")
        await stage.user(VoiceState.FALSE_START, "mic-1")
        await asyncio.sleep(0.5)
        assert stage.heard_s <= 0.5
        await stage.user(VoiceState.FALSE_START, "mic-2")
        await stage.tells("started: A man is here.", "ended: A man is here.")


async def test_a_verdict_that_never_comes_ends_it(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.says(LONG)
        await eventually(lambda: stage.chunks, what="it speaks")
        await stage.user(VoiceState.STARTED)
        await stage.user(VoiceState.STOPPED)
        await stage.tells(f"started: {LONG}", f"interrupted: {LONG}")


async def test_what_is_old_stays_text(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.says("Long ago.", age_s=6)
        (dropped,) = await stage.tells("dropped: Long ago.")
        assert (dropped["cause"], dropped["heard"]) == ("too_old", "")
        stage.engine.may_speak.clear()  # the engine is slow
        await stage.says("Just now.", age_s=4.5)
        dropped = (await stage.tells("dropped: Long ago.", "dropped: Just now."))[1]
        assert dropped["cause"] == "too_old"
        stage.engine.may_speak.set()
        await stage.says("Now.")
        await stage.tells("dropped: Long ago.", "dropped: Just now.", "started: Now.", "ended: Now.")
    assert stage.heard_s == pytest.approx(0.3)


async def test_an_engine_that_fails_costs_its_words_alone(stage: Stage) -> None:
    stage.engine.mute, stage.engine.fails = {"One."}, {"Two."}
    async with stage.worker():
        await stage.listens()
        await stage.says("One.")
        (first,) = await stage.tells("dropped: One.")
        assert (first["cause"], first["reason"]) == ("engine", "the scripted engine gave no sound")
        await stage.says("Two.")
        told = ("dropped: One.", "started: Two.", "interrupted: Two.")
        assert (await stage.tells(*told))[2]["cause"] == "engine"
        await stage.says("Three.")
        await stage.tells(*told, "started: Three.", "ended: Three.")


async def test_messages_that_cannot_be_read_are_counted_and_left_out(stage: Stage, bus: Bus) -> None:
    def unreadable(kind: str) -> float:
        return REGISTRY.get_sample_value("vigil_tts_unreadable_total", {"kind": kind}) or 0.0

    def is_more(kind: str, than: float) -> bool:
        return unreadable(kind) > than

    before = {kind: unreadable(kind) for kind in ("utterance", "activity", "transcript")}
    async with stage.worker():
        await stage.listens()
        for kind, subject in (
            ("utterance", subjects.utterance(SESSION)),
            ("activity", subjects.voice_activity(SESSION)),
            ("transcript", subjects.transcript(SESSION)),
        ):
            await bus.publish(subject, b'{"no": "event"}')
            await eventually(partial(is_more, kind, before[kind]), what=kind)
        await stage.says("Still here.")
        await stage.tells("started: Still here.", "ended: Still here.")


async def test_the_end_of_the_session_ends_the_speech(stage: Stage, redis: Redis) -> None:
    async with stage.worker() as claimer:
        await stage.listens()
        await stage.says(LONG)
        await eventually(lambda: stage.chunks, what="it speaks")
        await SessionStore(redis).end(SESSION, "enough")
        await stage.bus.publish(subjects.lifecycle_of(SESSION).replace("*", "changed"), b"")
        _, interrupted = await stage.tells(f"started: {LONG}", f"interrupted: {LONG}")
        assert interrupted["cause"] == "session_over"
        await eventually(lambda: not claimer.held, what="the session is let go")
    assert (await stage.placement.capacity(Role.TTS)).open_sessions == 0


async def test_another_worker_speaks_what_comes_and_repeats_nothing(stage: Stage) -> None:
    async with stage.worker("one"):
        await stage.listens()
        await stage.says(LONG)
        await eventually(lambda: stage.chunks, what="it speaks")
    count = len(stage.engine.tasks)
    async with stage.worker("two"):
        await stage.listens()
        await stage.says("I am new.")
        await eventually(
            lambda: stage.chunks[-1].is_last and stage.chunks[-1].sentence == "I am new.", what="it speaks"
        )
    assert stage.engine.texts[count:] == ["I am new."]


async def test_a_bus_that_restarts_costs_what_was_said_meanwhile(stage: Stage, nats_server: NatsServer) -> None:
    async with stage.worker():
        await stage.listens()
        await nats_server.restart()
        await asyncio.wait_for(stage.bus.connected(), DEADLINE_S)
        await stage.listens()
        await stage.says("Back again.")
        await stage.tells("started: Back again.", "ended: Back again.")


async def test_it_hears_and_says_no_more_than_its_row_allows(stage: Stage) -> None:
    spec = (await SessionStore(stage.redis).look(SESSION)).spec
    ports = Ports(SessionStore(stage.redis), stage.bus, stage.placement, stage.engine)
    async with session_voice(ports, spec) as voice:
        heard = [subscription.subject for subscription in subscriptions(spec, voice)]
    said = [subjects.audio_out(SESSION), *(subjects.speech(event, SESSION) for event in SpeechEvent)]
    for allowed, used in ((TTS.bus.hears, [*heard, subjects.lifecycle_of(SESSION)]), (TTS.bus.publishes, said)):
        for subject in used:
            assert any(is_within(subject, pattern) for pattern in allowed), subject


async def test_a_voice_that_is_changed_speaks_the_next_words_and_one_that_is_turned_off_none(stage: Stage) -> None:
    async with stage.worker():
        await stage.listens()
        await stage.says("A man is here.")
        await stage.tells("started: A man is here.", "ended: A man is here.")
        await change(stage, name="ben", speed=2.0)

        async def is_new() -> bool:
            await stage.says("Here.")
            return bool(stage.engine.tasks[-1].voice == "ben")

        await eventually(is_new, what="the other voice speaks")
        assert stage.engine.tasks[-1].speed == 2.0
        await eventually(lambda: stage.chunks[-1].is_last, what="it has spoken")
        await stage.says(LONG, is_answer=True)
        await eventually(lambda: stage.chunks[-1].sentence == LONG, what="it speaks")
        await change(stage, is_on=False)

        async def is_told() -> bool:
            data = await stage.told()
            return bool(data[-1]["event"] == "interrupted" and data[-1]["text"] == LONG)

        await eventually(is_told, what="it is told")
        data, spoken = await stage.told(), len(stage.engine.tasks)
        await stage.says("Nobody hears this.")
        await change(stage, is_on=True)

        async def speaks() -> bool:
            await stage.says("Again.", is_answer=True)
            return len(stage.engine.tasks) > spoken

        await eventually(speaks, what="it speaks again")
    assert (data[-1]["cause"], data[-1]["voice"]) == ("turned_off", "ben")
    assert "Nobody hears this." not in [task.text for task in stage.engine.tasks]


async def change(stage: Stage, **options: Any) -> None:
    """As the gateway does for a client."""
    made = await SessionStore(stage.redis).change_spec(
        SESSION, lambda before: replace(before, voice=replace(before.voice, **options))
    )
    await announce_change(stage.bus, made, "the client changed it")
