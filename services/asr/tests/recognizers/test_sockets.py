"""The adapters that stream over a WebSocket, on a stand-in: FunASR's two servers, OpenAI's realtime endpoint and
vLLM's."""

import asyncio
from array import array
from collections.abc import Callable

import aiohttp
import pytest

from vigil.testing.eventually import eventually
from vigil_asr.recognizers.connection import Connection
from vigil_asr.recognizers.funasr_classic import ACKNOWLEDGES_WITHIN_S, ClassicRecognizer
from vigil_asr.recognizers.funasr_realtime import FunASRRealtimeRecognizer
from vigil_asr.recognizers.openai_realtime import RealtimeOptions, RealtimeRecognizer, resampled
from vigil_asr.recognizers.port import Recognizer, RecognizerError
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.scripted_engine import Behaviour, ScriptedEngine

Make = Callable[[ScriptedEngine, aiohttp.ClientSession], Recognizer]


def classic(engine: ScriptedEngine, http: aiohttp.ClientSession) -> Recognizer:
    return ClassicRecognizer(Connection(http, f"{engine.url}/classic"))


def funasr(engine: ScriptedEngine, http: aiohttp.ClientSession) -> Recognizer:
    return FunASRRealtimeRecognizer(Connection(http, f"{engine.url}/funasr"))


def vllm(engine: ScriptedEngine, http: aiohttp.ClientSession) -> Recognizer:
    return RealtimeRecognizer(Connection(http, f"{engine.url}/v1", "k"), RealtimeOptions("qwen3-asr"))


def openai(engine: ScriptedEngine, http: aiohttp.ClientSession) -> Recognizer:
    return RealtimeRecognizer(Connection(http, f"{engine.url}/v1", "k"), RealtimeOptions("gpt-realtime", 24_000))


ALL = pytest.mark.parametrize("make", [classic, funasr, vllm, openai])


@ALL
async def test_an_remark_is_told_while_it_is_spoken_and_when_it_is_over(
    engine: ScriptedEngine, http: aiohttp.ClientSession, make: Make
) -> None:
    sound, told = RemarkSound(), list[str]()
    asking = asyncio.create_task(make(engine, http).recognize(sound, "en-GB", told.append))
    sound.add(b"\1\0" * 1_600, is_speech=True)
    await eventually(lambda: any(text.startswith("is") for text in told), what="told before it is over")
    sound.add(b"\2\0" * 1_600, is_speech=True)
    sound.end()
    assert (await asking).text == "is anybody there"
    assert len(engine.sound) == (9_600 if make is openai else 6_400)


@ALL
async def test_no_redirect_is_followed(engine: ScriptedEngine, http: aiohttp.ClientSession, make: Make) -> None:
    sound = RemarkSound()
    sound.end()
    real, engine.url = engine.url, f"{engine.url}/elsewhere"
    with pytest.raises(RecognizerError, match="answered 302"):
        await make(engine, http).recognize(sound, "", lambda text: None)
    engine.url = real
    assert not engine.commands, "the engine that it names was asked nothing"


@ALL
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour.GARBAGE, "garbage"),
        (Behaviour.CUT, "unavailable"),
    ],
)
async def test_an_engine_that_fails_is_told_in_plain_words(
    engine: ScriptedEngine, http: aiohttp.ClientSession, make: Make, behaviour: Behaviour, reason: str
) -> None:
    engine.behaviour = behaviour
    sound = RemarkSound()
    sound.add(b"\1\0" * 1_600, is_speech=True)
    with pytest.raises(RecognizerError, match="the recognizer") as caught:
        await make(engine, http).recognize(sound, "", lambda text: None)
    assert caught.value.reason == reason


@pytest.mark.parametrize("make", [funasr, vllm, openai])
async def test_an_engine_that_refuses_says_why(engine: ScriptedEngine, http: aiohttp.ClientSession, make: Make) -> None:
    engine.behaviour = Behaviour.REFUSE
    with pytest.raises(RecognizerError, match="no such model") as caught:
        await make(engine, http).recognize(RemarkSound(), "", lambda text: None)
    assert (caught.value.reason, caught.value.is_transient) == ("refused", False)


@ALL
async def test_a_silent_engine_can_be_cancelled(
    engine: ScriptedEngine, http: aiohttp.ClientSession, make: Make
) -> None:
    engine.behaviour = Behaviour.HANG
    sound = RemarkSound()
    sound.end()
    asking = asyncio.create_task(make(engine, http).recognize(sound, "", lambda text: None))
    await eventually(lambda: engine.commands)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@ALL
async def test_an_engine_that_is_not_there(http: aiohttp.ClientSession, make: Make) -> None:
    nobody = ScriptedEngine()
    nobody.url = "http://127.0.0.1:9"
    with pytest.raises(RecognizerError, match="cannot be reached") as caught:
        await make(nobody, http).recognize(RemarkSound(), "", lambda text: None)
    assert caught.value.is_transient


async def test_each_is_told_what_it_gets(engine: ScriptedEngine, http: aiohttp.ClientSession) -> None:
    for make in (classic, funasr, vllm):
        sound = RemarkSound()
        sound.end()
        await make(engine, http).recognize(sound, "pt-BR", lambda text: None)
    first, over, language, start, stop, update, commit = engine.commands
    assert (first["mode"], first["audio_fs"], over) == ("2pass", 16_000, {"is_speaking": False, "is_end": True})
    assert (language, start, stop) == ("LANGUAGE:pt", "START", "STOP")
    heard = update["session"]["audio"]["input"]
    assert (heard["format"]["rate"], heard["transcription"]["language"], heard["turn_detection"]) == (
        16_000,
        "pt",
        None,
    )
    assert (update["model"], commit["type"]) == ("qwen3-asr", "input_audio_buffer.commit")


async def classic_remark(recognizer: Recognizer) -> str:
    """What is recognized of a remark of 200 ms. An answer that never comes fails the test."""
    sound = RemarkSound()
    sound.add(b"\1\0" * 3_200, is_speech=True)
    sound.end()
    async with asyncio.timeout(10):
        return (await recognizer.recognize(sound, "", lambda text: None)).text


GOOD = {"mode": "2pass-offline", "is_final": True}
DONE = {"mode": "2pass", "is_final": True, "is_end": True}


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ([DONE], "is is is is"),  # its last good segment was said before, or it failed to make one
        ([GOOD | {"text": "is"}, GOOD | {"text": "anybody"}, DONE], "is anybody"),  # it lagged behind
        ([GOOD | {"text": "is anybody"}], "is anybody"),  # before August 2026
        ([GOOD | {"text": "is", "is_final": False}, GOOD | {"text": "anybody"}], "is anybody"),  # in C++
        ([GOOD | {"text": "is", "is_final": False}, {"text": "", "is_final": True}], "is"),  # in C++, then silence
    ],
)
async def test_each_form_of_the_classic_server_ends_in_its_own_way(
    engine: ScriptedEngine, http: aiohttp.ClientSession, ends: list[dict[str, object]], text: str
) -> None:
    engine.classic_ends = ends
    assert await classic_remark(classic(engine, http)) == text


async def test_a_classic_server_that_does_not_say_when_it_is_done_is_waited_for_once(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    recognizer, took, clock = classic(engine, http), list[float](), asyncio.get_running_loop().time
    engine.classic_ends = [GOOD | {"text": "yes"}]
    for _ in range(3):
        started = clock()
        assert await classic_remark(recognizer) == "yes"
        took.append(clock() - started)
    assert took[0] >= ACKNOWLEDGES_WITHIN_S
    assert min(took[1:]) < ACKNOWLEDGES_WITHIN_S


async def test_what_failed_in_the_classic_server_is_no_transcript(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.classic_ends = [DONE | {"is_final": False, "error": "offline inference failed"}]
    with pytest.raises(RecognizerError, match="offline inference failed") as caught:
        await classic_remark(classic(engine, http))
    assert (caught.value.reason, caught.value.is_transient) == ("unavailable", True)


def test_sound_is_brought_to_the_engines_rate() -> None:
    ramp = array("h", range(0, 3_200, 2))
    found = array("h", resampled(ramp.tobytes(), 24_000))
    assert len(found) == 2_400
    assert all(abs(value - number * 4 / 3) <= 2 for number, value in enumerate(found))
    assert resampled(ramp.tobytes(), 16_000) == ramp.tobytes()
