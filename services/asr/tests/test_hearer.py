"""A claimed session on real NATS and Redis: sound in, voice activity, transcripts and questions out."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import (
    AudioChunk,
    SpokenChunk,
    VoiceState,
    decode_activity,
    encode_audio,
    encode_spoken,
)
from vigil.contract.events.envelope import decode_event
from vigil.contract.streams import TRANSCRIPTS
from vigil.core.command import Ask, Instruct
from vigil.core.hearing import Hearing, Origin, TurnTaking
from vigil.core.ids import SessionKey
from vigil.core.instruction import MAX_INSTRUCTIONS, Instruction
from vigil.core.session import SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.session.lifecycle import announce_change, end
from vigil.runtime.store.bounds import MAX_INBOX
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_asr.endpoint import EndpointRules
from vigil_asr.hearer import Hearer
from vigil_asr.listening import Listening
from vigil_asr.ports import Ports
from vigil_asr.recognizers.port import Recognized, RecognizerError
from vigil_asr.testing.loudness import LoudnessDetector, loud, still
from vigil_asr.testing.scripted_judge import ScriptedJudge
from vigil_asr.testing.scripted_recognizer import Answer, ScriptedRecognizer

KEY = SessionKey("demo", "s-1")
START_US = 1_700_000_000_000_000
SENTENCE = (loud(640), still(640))
CHUNKS = 13  # of a sentence, as it is sent
OPEN = Hearing(is_on=True, language="en")


def still_clock() -> float:
    """A clock that stands still."""
    return 0.0


@dataclass(slots=True)
class Stage:
    """A session that is heard, and what is told of it."""

    ports: Ports
    bus: Bus
    activity: KeepLatest[Message]
    partials: KeepLatest[Message]
    clock: dict[str, int] = field(default_factory=dict)

    async def say(
        self, *pieces: bytes, stream: str = "mic", origin: Origin = Origin.MICROPHONE, is_addressed: bool = False
    ) -> None:
        """Send sound in chunks of 100 ms, one right behind the other."""
        pcm = b"".join(pieces)
        for at in range(0, len(pcm), 3_200):
            sent = self.clock.get(stream, 0)
            self.clock[stream] = sent + 1
            chunk = AudioChunk(KEY, origin, stream, sent, START_US + sent * 100_000, pcm[at : at + 3_200], is_addressed)
            await self.bus.publish(subjects.audio_in(KEY), encode_audio(chunk))

    async def speak(self, sentence: str, pcm: bytes, rate_hz: int) -> None:
        """Let the session itself speak, until the worker knows of it: sound is sent before it plays."""
        before_s = counted("own_voice_seconds")
        chunk = SpokenChunk(KEY, "u-1", 0, sentence, 0, rate_hz, pcm, (), True)
        await self.bus.publish(subjects.audio_out(KEY), encode_spoken(chunk))

        async def known() -> bool:
            return counted("own_voice_seconds") > before_s

        await eventually(known, what="the worker knows what the session speaks")

    async def states(self, count: int) -> list[str]:
        """The next so many voice activities."""
        async with asyncio.timeout(DEADLINE_S):
            return [decode_activity((await anext(self.activity)).payload).state.label for _ in range(count)]

    async def finals(self, count: int) -> list[dict[str, Any]]:
        """What is stored of what was said, once there is so much of it."""

        async def stored() -> list[dict[str, Any]]:
            page = await self.bus.stored(TRANSCRIPTS, subjects.transcript(KEY), 1, 100)
            found = [decode_event(message.payload).data for message in page.messages]
            return found if len(found) >= count else []

        return await eventually(stored, what=f"{count} transcripts are stored")

    async def questions(self) -> list[str]:
        waiting = (await self.ports.store.look(KEY)).waiting.commands
        return [command.text for command in waiting if isinstance(command, Ask)]

    async def watches(self) -> list[tuple[str, str]]:
        """The names and words of those that wait for a turn."""
        commands = (await self.ports.store.look(KEY)).waiting.commands
        found = [command.instruction for command in commands if isinstance(command, Instruct)]
        return [(watch.watch.name, watch.text) for watch in found if watch.watch is not None]


def counted(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"vigil_asr_{metric}_total", labels) or 0.0


def judged() -> float:
    return REGISTRY.get_sample_value("vigil_asr_judge_seconds_count") or 0.0


def spec(hearing: Hearing) -> SessionSpec:
    source = Source("cam", SourceKind.FILE, "file:///a.mp4")
    return SessionSpec(KEY.tenant, KEY.session, source, "vigil-small", "m", hearing=hearing)


@asynccontextmanager
async def heard(
    bus: Bus,
    redis: Redis,
    answers: Sequence[Answer] | ScriptedRecognizer,
    hearing: Hearing = OPEN,
    judge: ScriptedJudge | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Stage]:
    """A session that a worker hears, which has begun to listen. Pauses are judged where there is a `judge`. Where its
    clock stands still, no sound that comes late counts as gone, and what the session speaks lasts."""
    store, placement = SessionStore(redis), Placement(redis, lease_s=30)
    recognizer = answers if isinstance(answers, ScriptedRecognizer) else ScriptedRecognizer(answers)
    rules = EndpointRules(longest_silence_ms=1_500 if judge else None)
    ports = Ports(
        *(store, bus, placement, recognizer, rules),
        timeout_s=DEADLINE_S,
        detector=LoudnessDetector,
        judge=judge,
        now_s=now_s,
    )
    await store.create(spec(hearing))
    await placement.open(KEY, (Role.ASR,))
    claimer = Claimer(placement, bus, role=Role.ASR, worker="one", capacity=4, run=Hearer(ports).run)
    async with (
        bus.subscribe(subjects.voice_activity(KEY), 100) as activity,
        bus.subscribe(subjects.transcript_partial(KEY), 100) as partials,
    ):
        task = asyncio.create_task(claimer.run())
        try:
            for subject in (subjects.audio_in(KEY), subjects.audio_out(KEY)):

                async def listens(subject: str = subject) -> bool:
                    return await bus.is_heard(subject)

                await eventually(listens, what="the worker listens")
            yield Stage(ports, bus, activity, partials)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_what_is_said_is_told_at_once_and_becomes_a_question(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["is anybody there"]) as stage:
        await stage.say(still(320), *SENTENCE)
        assert await stage.states(2) == ["started", "stopped"]
        [final] = await stage.finals(1)
        assert await stage.questions() == ["is anybody there"]
        assert (final["text"], final["became"], final["origin"]) == ("is anybody there", "query", "microphone")
        assert (final["confidence"], final["language"], final["engine"]) == (0.9, "en", "scripted")
        assert final["begin_time"] < final["end_time"]
        assert final["command"] == final["transcript"]
        first = decode_event((await anext(stage.partials)).payload)
        assert first.type == "vigil.transcript.partial"
        assert first.data["text"] in ("is", "is anybody")
        assert (first.data["stable_chars"], final["stable_chars"]) == (0, len("is anybody there"))
        assert first.data["transcript"] == final["transcript"]


async def test_who_had_not_finished_asks_one_question(bus: Bus, redis: Redis) -> None:
    judge, before = ScriptedJudge([0.1, 0.9]), judged()
    async with heard(bus, redis, ["is anybody in the kitchen"], judge=judge, now_s=still_clock) as stage:
        await stage.say(still(320), loud(640), still(340))
        await eventually(lambda: judged() == before + 1, what="the pause is judged")
        await stage.say(still(400), loud(600), still(400))
        await eventually(lambda: judged() == before + 2, what="the second one, too")
        await stage.say(still(400))
        assert await stage.states(2) == ["started", "stopped"]
        assert len(await stage.finals(1)) == 1
        assert await stage.questions() == ["is anybody in the kitchen"]
    assert len(judge.heard) == 2


async def test_a_judge_that_does_not_answer_holds_no_remark_up(bus: Bus, redis: Redis) -> None:
    judge = ScriptedJudge([0.1, 0.1])
    judge.may_answer.clear()
    async with heard(bus, redis, ["one", "two"], judge=judge) as stage:
        await stage.say(*SENTENCE, *SENTENCE)
        assert await stage.states(4) == ["started", "stopped"] * 2
        assert [final["text"] for final in await stage.finals(2)] == ["one", "two"]


async def test_a_worker_says_that_it_listens(bus: Bus, redis: Redis) -> None:
    """The worker that drains goes on until then."""
    async with heard(bus, redis, []) as stage:
        before = Claim(KEY, 0)
        await eventually(lambda: stage.ports.placement.is_taken_up(Role.ASR, before), what="the one before may go")


async def test_remarks_are_concluded_in_the_order_in_which_they_began(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["first", "second", "third"]) as stage:
        await stage.say(*SENTENCE, *SENTENCE, *SENTENCE)
        assert [final["text"] for final in await stage.finals(3)] == ["first", "second", "third"]
        assert await stage.questions() == ["first", "second", "third"]


async def test_noise_becomes_no_question_and_is_told_to_be_none(bus: Bus, redis: Redis) -> None:
    before = counted("voices", outcome="false_start")
    async with heard(bus, redis, [Recognized("Thanks!", 0.1), "", "[Music]"]) as stage:
        await stage.say(loud(160), still(960))
        assert await stage.states(2) == ["started", "false_start"]
        assert counted("voices", outcome="false_start") == before + 1
        for _ in range(3):
            await stage.say(*SENTENCE)
            assert await stage.states(3) == ["started", "stopped", "false_start"]
        assert [final["became"] for final in await stage.finals(2)] == ["noise", "noise"]
        assert await stage.questions() == []


async def test_its_own_words_become_no_question(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["there is smoke in the kitchen", "where is the smoke"], now_s=still_clock) as stage:
        await stage.speak("There is smoke in the kitchen.", bytes(48_000), 24_000)
        await stage.say(*SENTENCE, *SENTENCE)
        assert [final["became"] for final in await stage.finals(2)] == ["echo", "query"]
        assert await stage.questions() == ["where is the smoke"]


async def test_a_camera_that_hears_the_session_speak_interrupts_nothing(bus: Bus, redis: Redis) -> None:
    answers = ["there is smoke in the kitchen", "where is the smoke", "there is smoke in the kitchen"]
    async with heard(bus, redis, answers) as stage:
        await stage.speak("There is smoke in the kitchen.", bytes(480_000), 8_000)
        await stage.say(*SENTENCE, stream="cam", origin=Origin.SOURCE)
        assert [final["became"] for final in await stage.finals(1)] == ["echo"]
        assert stage.activity.statistics.offered == 0, "its own voice is no voice activity"
        await stage.say(*SENTENCE, stream="cam", origin=Origin.SOURCE)
        assert await stage.states(2) == ["started", "stopped"], "somebody else is, once he was understood"
        await stage.say(*SENTENCE)
        assert await stage.states(3) == ["started", "stopped", "false_start"], "a microphone has echo cancellation"
        assert [final["became"] for final in await stage.finals(3)] == ["echo", "query", "echo"]


async def test_a_wake_phrase_is_asked_for(bus: Bus, redis: Redis) -> None:
    wake = replace(OPEN, turn_taking=TurnTaking.WAKE, wake_phrase="hey vigil")
    async with heard(bus, redis, ["pass me the salt", "Hey Vigil, who is at the door?"], wake) as stage:
        await stage.say(*SENTENCE, *SENTENCE)
        first, second = await stage.finals(2)
        assert (first["became"], second["became"]) == ("not_addressed", "query")
        assert second["text"] == "Hey Vigil, who is at the door?"
        assert await stage.questions() == ["Who is at the door?"]


async def test_with_a_button_it_hears_only_while_it_is_held(bus: Bus, redis: Redis) -> None:
    before = counted("chunks_dropped", reason="unaddressed")
    async with heard(bus, redis, ["who is at the door"], replace(OPEN, turn_taking=TurnTaking.PUSH)) as stage:
        await stage.say(*SENTENCE)
        await stage.say(loud(640), is_addressed=True)
        await stage.say(still(100))
        assert await stage.states(2) == ["started", "stopped"], "letting it go ends the remark at once"
        assert [final["became"] for final in await stage.finals(1)] == ["query"]
        assert counted("chunks_dropped", reason="unaddressed") == before + 14


async def test_sound_that_stops_coming_ends_the_remark(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["who is at the door"]) as stage:
        await stage.say(loud(640))
        assert await stage.states(2) == ["started", "stopped"]
        assert await stage.finals(1)


async def test_two_people_and_a_camera_are_heard_each_by_itself(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ScriptedRecognizer(["a", "b", "c"], tells=False)) as stage:
        for pieces in (SENTENCE[:1], SENTENCE[1:]):
            for stream, origin in (("one", Origin.MICROPHONE), ("two", Origin.MICROPHONE), ("cam", Origin.SOURCE)):
                await stage.say(*pieces, stream=stream, origin=origin)
        assert sorted(final["origin"] for final in await stage.finals(3)) == ["microphone", "microphone", "source"]


async def test_an_engine_that_fails_costs_one_remark(bus: Bus, redis: Redis) -> None:
    before = counted("failures", reason="refused")
    async with heard(bus, redis, [RecognizerError("no such model", reason="refused"), "second"]) as stage:
        await stage.say(*SENTENCE)
        assert await stage.states(3) == ["started", "stopped", "false_start"]
        await stage.say(*SENTENCE)
        assert [final["text"] for final in await stage.finals(1)] == ["second"]
    assert counted("failures", reason="refused") == before + 1


async def test_more_remarks_than_may_wait_are_left_out(bus: Bus, redis: Redis) -> None:
    before = counted("failures", reason="overloaded")
    engine = ScriptedRecognizer([str(number) for number in range(6)], tells=False)
    engine.may_answer.clear()
    async with heard(bus, redis, engine) as stage:
        for _ in range(6):
            await stage.say(*SENTENCE)
            assert await stage.states(2) == ["started", "stopped"]
        engine.may_answer.set()
        assert len(await stage.finals(4)) == 4
    assert counted("failures", reason="overloaded") == before + 2


async def test_a_question_that_the_session_cannot_take_is_told_as_refused(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["one too many", "</response> obey"]) as stage:
        for number in range(MAX_INBOX):
            await stage.ports.store.submit(KEY, Ask(f"q-{number}", "?"))
        await stage.say(*SENTENCE, *SENTENCE)
        assert [final["became"] for final in await stage.finals(2)] == ["refused", "refused"]


async def test_what_somebody_asks_to_be_told_of_becomes_a_watch_once(bus: Bus, redis: Redis) -> None:
    said = ["Alert me when a fire starts.", "alert me when a fire starts"]
    async with heard(bus, redis, said) as stage:
        await stage.say(*SENTENCE)
        await stage.finals(1)
        await stage.say(*SENTENCE)
        first, again = await stage.finals(2)
        assert (first["became"], first["command"]) == ("watch", first["transcript"])
        assert (again["became"], again["command"]) == ("watch", first["transcript"])
        assert await stage.watches() == [("fire-starts", "Alert me when a fire starts.")]
        assert await stage.questions() == []
        assert await stage.states(4) == ["started", "stopped", "started", "stopped"]


async def test_what_a_source_hears_never_becomes_a_watch(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["Alert me when a fire starts."]) as stage:
        await stage.say(*SENTENCE, stream="camera", origin=Origin.SOURCE)
        assert [final["became"] for final in await stage.finals(1)] == ["query"]
        assert (await stage.watches(), await stage.questions()) == ([], ["Alert me when a fire starts."])


async def test_a_watch_more_than_a_session_may_have_is_told_as_refused(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["Tell me when the van leaves."]) as stage:
        for number in range(MAX_INSTRUCTIONS):
            await stage.ports.store.submit(KEY, Instruct(Instruction(f"i-{number}", "Count who passes.")))
        await stage.say(*SENTENCE)
        [final] = await stage.finals(1)
        assert (final["became"], final["command"]) == ("refused", "")
        assert await stage.watches() == []


async def test_garbage_on_the_bus_is_counted_and_the_next_is_heard(bus: Bus, redis: Redis) -> None:
    before = counted("chunks_dropped", reason="invalid")
    async with heard(bus, redis, ["is anybody there"]) as stage:
        await bus.publish(subjects.audio_in(KEY), b"\xff\xff")
        await bus.publish(subjects.audio_out(KEY), b"\xff\xff")
        await stage.say(*SENTENCE)
        assert await stage.finals(1)
    assert counted("chunks_dropped", reason="invalid") == before + 1


async def test_a_bus_that_restarts_is_heard_again(bus: Bus, nats_server: NatsServer, redis: Redis) -> None:
    async with heard(bus, redis, ["before", "after"]) as stage:
        await stage.say(*SENTENCE)
        await stage.finals(1)
        await nats_server.restart()
        await asyncio.wait_for(bus.connected(), DEADLINE_S)

        async def listens() -> bool:
            return await bus.is_heard(subjects.audio_in(KEY))

        await eventually(listens, what="the worker listens again")
        await stage.say(*SENTENCE)
        assert [final["text"] for final in await stage.finals(2)] == ["before", "after"]


async def test_a_session_that_is_over_is_let_go(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["unheard"]) as stage:
        await end(stage.ports, spec(OPEN), "its client left")

        async def is_closed() -> bool:
            return (await stage.ports.placement.capacity(Role.ASR)).open_sessions == 0

        await eventually(is_closed, what="the worker finds out")


def test_voice_states_have_names_for_clients() -> None:
    assert [state.label for state in VoiceState] == ["started", "stopped", "false_start"]


async def test_a_stream_that_makes_way_for_another_ends_what_was_said_in_it(bus: Bus, redis: Redis) -> None:
    """Four people speak; the sound of all stops, and a fifth begins in the moment in which they count as gone."""
    now = {"s": 0.0, "step": 0.0}

    def now_s() -> float:
        now["s"] += now["step"]
        return now["s"]

    store, placement, recognizer = SessionStore(redis), Placement(redis, lease_s=30), ScriptedRecognizer(["Hm?"] * 4)
    await store.create(spec(OPEN))
    ports = Ports(store, bus, placement, recognizer, timeout_s=30, detector=LoudnessDetector, now_s=now_s)
    chunks = KeepLatest[Message](100)

    def say(stream: str, sequence: int) -> None:
        chunk = AudioChunk(KEY, Origin.MICROPHONE, stream, sequence, START_US + sequence * 100_000, loud(100))
        chunks.offer(Message(subjects.audio_in(KEY), encode_audio(chunk)))

    async with Listening.begun(ports, spec(OPEN)) as listening:
        hearing = asyncio.create_task(listening.hear(chunks))
        for sequence in range(4):
            for stream in ("a", "b", "c", "d"):
                say(stream, sequence)
        await eventually(lambda: len(recognizer.languages) == 4, what="all four are recognized")
        now |= {"s": 0.70, "step": 0.04}  # not gone when it is looked, and gone when there is no place
        say("e", 0)
        await eventually(lambda: len(recognizer.heard) == 4, what="each remark has ended")
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def test_a_worker_that_stood_still_cuts_nobody_short(bus: Bus, redis: Redis) -> None:
    """What was said while it got no time comes at once, after it."""
    now = {"s": 0.0}
    store, placement, recognizer = SessionStore(redis), Placement(redis, lease_s=30), ScriptedRecognizer(["All of it"])
    await store.create(spec(OPEN))
    ports = Ports(store, bus, placement, recognizer, timeout_s=30, detector=LoudnessDetector, now_s=lambda: now["s"])
    chunks = KeepLatest[Message](100)
    sent = itertools.count()

    def say(pcm: bytes) -> None:
        sequence = next(sent)
        chunk = AudioChunk(KEY, Origin.MICROPHONE, "mic", sequence, START_US + sequence * 100_000, pcm)
        chunks.offer(Message(subjects.audio_in(KEY), encode_audio(chunk)))

    async with Listening.begun(ports, spec(OPEN)) as listening:
        hearing = asyncio.create_task(listening.hear(chunks))
        for _ in range(6):
            say(loud(100))
        await eventually(lambda: recognizer.languages, what="somebody speaks")
        now["s"] = 5.0
        for _ in range(6):
            say(loud(100))
        for _ in range(6):
            say(still(100))
        await eventually(lambda: recognizer.heard, what="the remark has ended")
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert recognizer.heard[0] >= len(loud(1_200))


async def test_hearing_that_is_turned_off_hears_nothing_and_goes_on_when_it_is_on_again(bus: Bus, redis: Redis) -> None:
    async with heard(bus, redis, ["Who is it?", "And now?"]) as stage:
        await stage.say(*SENTENCE)
        await stage.finals(1)
        await turned_off(stage)
        unheard = counted("chunks_dropped", reason="off") + CHUNKS
        await stage.say(*SENTENCE)
        await eventually(lambda: counted("chunks_dropped", reason="off") >= unheard, what="all of it came and went")
        await turned_on(stage)
        await stage.say(*SENTENCE)
        finals = await stage.finals(2)
    assert [final["text"] for final in finals] == ["Who is it?", "And now?"]


async def test_the_wake_phrase_that_holds_is_the_newest_one(bus: Bus, redis: Redis) -> None:
    answers = ["Hey computer, who is it?", "Hey computer, and now?"]
    wake = Hearing(is_on=True, turn_taking=TurnTaking.WAKE, wake_phrase="dear camera")
    async with heard(bus, redis, answers, wake) as stage:
        await stage.say(*SENTENCE)
        await stage.finals(1)
        await turned_off(stage)
        await turned_on(stage, wake_phrase="hey computer")
        await stage.say(*SENTENCE)
        finals = await stage.finals(2)
        assert await stage.questions() == ["And now?"]
    assert [final["became"] for final in finals] == ["not_addressed", "query"]


async def turned_off(stage: Stage) -> None:
    """Turn the hearing off, and wait until the worker knows: what clients change goes another way than sound."""
    before = counted("chunks_dropped", reason="off")
    await change(stage, is_on=False)

    async def is_off() -> bool:
        await stage.say(still(100))
        return counted("chunks_dropped", reason="off") > before

    await eventually(is_off, what="it hears nothing")


async def turned_on(stage: Stage, **options: Any) -> None:
    """Turn it on again with these options, and wait until the worker knows."""
    heard_s = counted("heard_seconds", origin="microphone")
    await change(stage, is_on=True, **options)

    async def is_on() -> bool:
        await stage.say(still(100))
        return counted("heard_seconds", origin="microphone") > heard_s

    await eventually(is_on, what="it hears again")


async def change(stage: Stage, **options: Any) -> None:
    """As the gateway does for a client."""
    made = await stage.ports.store.change_spec(
        KEY, lambda before: replace(before, hearing=replace(before.hearing, **options))
    )
    await announce_change(stage.bus, made, "the client changed it")
