"""One remark through an engine: in time, and once more when the engine was away for a moment."""

import asyncio

import pytest

from vigil.testing.eventually import eventually
from vigil_asr.recognizers.port import RecognizerError
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.loudness import loud
from vigil_asr.testing.scripted_recognizer import ScriptedRecognizer
from vigil_asr.transcription import transcribed

AWAY = RecognizerError("it is away", reason="unavailable", is_transient=True)
WRONG = RecognizerError("no such model", reason="refused")


def remark(*, is_over: bool = True) -> RemarkSound:
    sound = RemarkSound()
    sound.add(loud(320), is_speech=True)
    if is_over:
        sound.end()
    return sound


async def test_what_was_said_is_told_while_it_is_said() -> None:
    told: list[str] = []
    engine = ScriptedRecognizer(["is anybody there"])
    found = await transcribed(engine, remark(), "en", told.append, 10)
    assert (found.text, told, engine.languages) == ("is anybody there", ["is", "is anybody"], ["en"])


async def test_an_engine_that_comes_back_gets_the_whole_remark() -> None:
    engine = ScriptedRecognizer([AWAY, "is anybody there"])
    sound = remark(is_over=False)
    asking = asyncio.create_task(transcribed(engine, sound, "", lambda text: None, 10))
    await eventually(lambda: len(engine.answers) == 1, what="the first try failed")
    sound.add(loud(320), is_speech=True)
    sound.end()
    assert (await asking).text == "is anybody there"
    assert engine.heard == [len(loud(640))]


@pytest.mark.parametrize("answers", [[WRONG], [AWAY, AWAY]])
async def test_an_engine_that_stays_away_or_refuses_gives_none(answers: list[RecognizerError]) -> None:
    engine = ScriptedRecognizer(answers)
    with pytest.raises(RecognizerError, match=str(answers[-1])):
        await transcribed(engine, remark(), "", lambda text: None, 10)
    assert not engine.answers


async def test_an_engine_that_says_nothing_is_not_waited_for() -> None:
    engine = ScriptedRecognizer(["late"])
    engine.may_answer.clear()
    with pytest.raises(RecognizerError, match=r"no transcript within 0.05 s") as caught:
        await transcribed(engine, remark(), "", lambda text: None, 0.05)
    assert caught.value.reason == "timeout"


async def test_who_speaks_for_long_has_all_the_time_that_he_wants() -> None:
    engine = ScriptedRecognizer(["a long story"])
    sound = remark(is_over=False)
    asking = asyncio.create_task(transcribed(engine, sound, "", lambda text: None, 1.0))
    done, _ = await asyncio.wait({asking}, timeout=1.2)
    assert not done
    sound.end()
    assert (await asking).text == "a long story"
