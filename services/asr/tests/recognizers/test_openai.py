"""The adapter of OpenAI's transcriptions, on a stand-in: what is asked when, and what goes wrong."""

import asyncio

import aiohttp
import pytest

from vigil.testing.eventually import eventually
from vigil_asr.recognizers.connection import Connection, json_object
from vigil_asr.recognizers.openai import OpenAIOptions, OpenAIRecognizer
from vigil_asr.recognizers.port import RecognizerError
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.scripted_engine import Behaviour, ScriptedEngine

TENTH = b"\1\0" * 1_600


def recognizer(engine: ScriptedEngine, http: aiohttp.ClientSession, **options: object) -> OpenAIRecognizer:
    given = OpenAIOptions("whisper-1", **options)  # type: ignore[arg-type]
    return OpenAIRecognizer(Connection(http, f"{engine.url}/v1", "k"), given)


def heard(tenths: int, silent_tenths: int = 0) -> RemarkSound:
    sound = RemarkSound()
    for number in range(tenths + silent_tenths):
        sound.add(TENTH, is_speech=number < tenths)
    return sound


async def test_an_remark_is_transcribed_with_the_engines_certainty(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    sound = heard(10)
    sound.end()
    found = await recognizer(engine, http).recognize(sound, "en-GB", lambda text: None)
    assert (found.text, found.language) == ("is anybody there", "en")
    assert found.confidence == pytest.approx(0.905, abs=0.001)
    assert engine.forms == [{"model": "whisper-1", "response_format": "verbose_json", "language": "en"}]
    assert (engine.keys, engine.seconds) == (["Bearer k"], [1.0])


async def test_a_language_that_the_engine_does_not_know_is_none(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.language = "unknown"  # as FunASR's server says
    sound = heard(5)
    sound.end()
    assert (await recognizer(engine, http).recognize(sound, "", lambda text: None)).language == ""


async def test_a_model_without_segments_is_asked_for_the_text_alone_from_then_on(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.has_segments = False
    asked = recognizer(engine, http, partial_ms=0)
    for _ in range(2):
        sound = heard(5)
        sound.end()
        found = await asked.recognize(sound, "", lambda text: None)
        assert (found.text, found.confidence) == ("is anybody there", None)
    assert [form["response_format"] for form in engine.forms] == ["verbose_json", "json", "json"]


async def test_a_request_that_is_refused_for_another_reason_is_not_asked_again_in_another_form(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.behaviour = Behaviour.BUSY
    sound = heard(5)
    sound.end()
    with pytest.raises(RecognizerError):
        await recognizer(engine, http, partial_ms=0).recognize(sound, "", lambda text: None)
    assert len(engine.forms) == 1


async def test_partial_transcripts_are_asked_of_the_sound_so_far(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.says = lambda seconds: f"{seconds:g} seconds"
    told: list[str] = []
    sound = heard(4)
    asking = asyncio.create_task(recognizer(engine, http, partial_model="quick").recognize(sound, "", told.append))
    await eventually(lambda: told == ["0.4 seconds"])
    sound.add(TENTH, is_speech=True)
    for _ in range(3):
        sound.add(TENTH, is_speech=True)
    await eventually(lambda: told == ["0.4 seconds", "0.8 seconds"])
    sound.end()
    assert (await asking).text == "0.8 seconds"
    assert [form["model"] for form in engine.forms] == ["quick", "quick", "whisper-1"]


async def test_the_final_transcript_is_asked_for_when_the_speaker_pauses(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    sound = heard(5)
    asking = asyncio.create_task(recognizer(engine, http, partial_ms=0).recognize(sound, "", lambda text: None))
    sound.add(TENTH * 3, is_speech=False)
    await eventually(lambda: engine.seconds == [0.8], what="asked while he may still speak on")
    sound.add(TENTH * 2, is_speech=False)
    sound.end()
    assert (await asking).text == "is anybody there"
    assert engine.seconds == [0.8], "and not again when his turn is over"


async def test_who_speaks_on_after_a_pause_is_transcribed_whole(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.says = lambda seconds: f"{seconds:g}"
    sound = heard(5, silent_tenths=2)
    asking = asyncio.create_task(recognizer(engine, http, partial_ms=0).recognize(sound, "", lambda text: None))
    await eventually(lambda: engine.seconds == [0.7])
    sound.add(TENTH * 3, is_speech=True)
    sound.end()
    assert (await asking).text == "1"


async def test_no_partial_transcript_is_asked_for_in_a_pause(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    sound = heard(5, silent_tenths=1)
    asking = asyncio.create_task(
        recognizer(engine, http, partial_model="quick").recognize(sound, "", lambda text: None)
    )
    sound.add(TENTH, is_speech=False)
    await eventually(lambda: engine.forms)
    sound.end()
    await asking
    assert [form["model"] for form in engine.forms] == ["whisper-1"], "the final one has the engine to itself"


async def test_no_partial_transcripts_where_none_are_wanted(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    sound = heard(20)
    sound.end()
    await recognizer(engine, http, partial_ms=0).recognize(sound, "", lambda text: None)
    assert len(engine.forms) == 1


async def test_an_answer_that_comes_in_pieces_is_read_whole(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.behaviour = Behaviour.PIECES
    sound = heard(5)
    sound.end()
    assert (await recognizer(engine, http).recognize(sound, "", lambda text: None)).text == "is anybody there"


@pytest.mark.parametrize(
    ("log_probability", "confidence"),
    [(1e308, 1.0), (10**400, 1.0), (float("-inf"), 0.0)],
    ids=["too likely", "beyond all floats", "impossible"],
)
async def test_a_certainty_that_cannot_be_is_none_beyond_all_bounds(
    engine: ScriptedEngine, http: aiohttp.ClientSession, log_probability: float, confidence: float
) -> None:
    engine.log_probability = log_probability
    sound = heard(5)
    sound.end()
    found = await recognizer(engine, http).recognize(sound, "", lambda text: None)
    assert found.confidence == pytest.approx(confidence, abs=0.001)


async def test_words_can_be_shown_and_sent_on(engine: ScriptedEngine, http: aiohttp.ClientSession) -> None:
    engine.says = lambda seconds: "is\x00 \x1b[2J any\ud800 body\u009b"
    sound = heard(5)
    sound.end()
    assert (await recognizer(engine, http).recognize(sound, "", lambda text: None)).text == "is [2J any body"


@pytest.mark.parametrize("data", ["[" * 100_000, b"\xff", "[]", "1" * 5_000, ""])
def test_what_is_no_object_is_garbage(data: str | bytes) -> None:
    with pytest.raises(RecognizerError, match="no JSON object"):
        json_object(data)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour.GARBAGE, "garbage"),
        (Behaviour.CUT, "unavailable"),
        (Behaviour.REFUSE, "refused"),
        (Behaviour.BUSY, "unavailable"),
    ],
)
async def test_an_engine_that_fails_is_told_in_plain_words(
    engine: ScriptedEngine, http: aiohttp.ClientSession, behaviour: Behaviour, reason: str
) -> None:
    engine.behaviour = behaviour
    sound = heard(5)
    sound.end()
    with pytest.raises(RecognizerError, match="the recognizer") as caught:
        await recognizer(engine, http).recognize(sound, "", lambda text: None)
    assert caught.value.reason == reason


async def test_a_partial_transcript_that_fails_fails_nothing(
    engine: ScriptedEngine, http: aiohttp.ClientSession
) -> None:
    engine.behaviour = Behaviour.BUSY
    sound, told = heard(5), list[str]()
    asking = asyncio.create_task(recognizer(engine, http).recognize(sound, "", told.append))
    await eventually(lambda: engine.forms)
    engine.behaviour = Behaviour.ANSWER
    sound.end()
    assert (await asking).text == "is anybody there"
    assert told == []


async def test_an_engine_that_is_not_there(http: aiohttp.ClientSession) -> None:
    sound = heard(5)
    sound.end()
    nobody = OpenAIRecognizer(Connection(http, "http://127.0.0.1:9/v1"), OpenAIOptions("m"))
    with pytest.raises(RecognizerError, match="cannot be reached") as caught:
        await nobody.recognize(sound, "", lambda text: None)
    assert caught.value.is_transient


async def test_one_that_hangs_can_be_cancelled(engine: ScriptedEngine, http: aiohttp.ClientSession) -> None:
    engine.behaviour = Behaviour.HANG
    sound = heard(5)
    sound.end()
    asking = asyncio.create_task(recognizer(engine, http).recognize(sound, "", lambda text: None))
    await eventually(lambda: engine.forms)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
