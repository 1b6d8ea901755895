"""Switching engines is one setting; a setting that makes no engine is told when the service starts."""

import asyncio
from pathlib import Path

import pytest

from vigil.runtime.process.config import ConfigInvalid, load
from vigil.runtime.process.startup import StartupError
from vigil_asr.config import AsrSettings
from vigil_asr.endpoint import EndpointRules
from vigil_asr.recognizers.kinds import open_recognizer
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.scripted_engine import ScriptedEngine

ENGINES = {
    "openai": "/v1",
    "openai-realtime": "/v1",
    "funasr": "/classic",
    "funasr-realtime": "/funasr",
}


@pytest.mark.parametrize("kind", ENGINES)
async def test_every_engine_hears_the_same_remark(engine: ScriptedEngine, kind: str) -> None:
    sound = RemarkSound()
    sound.add(b"\1\0" * 8_000, is_speech=True)
    settings = AsrSettings.model_validate({"asr_engine": kind, "asr_url": engine.url + ENGINES[kind], "asr_model": "m"})
    async with open_recognizer(settings) as recognizer:
        asking = asyncio.create_task(recognizer.recognize(sound, "en", lambda text: None))
        sound.end()
        assert (await asking).text == "is anybody there"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"asr_engine": "openai", "asr_model": "m"}, "VIGIL_ASR_URL"),
        ({"asr_engine": "openai", "asr_url": "http://h/v1"}, "VIGIL_ASR_MODEL"),
        ({"asr_engine": "funasr"}, "VIGIL_ASR_URL"),
        ({"asr_model": "whisper-large"}, "whisper-tiny.en and whisper-base"),
        ({"asr_folder": Path("/nowhere")}, "run make speech"),
    ],
)
async def test_settings_that_make_no_engine_are_told(given: dict[str, object], told: str) -> None:
    with pytest.raises(StartupError, match=told):
        async with open_recognizer(AsrSettings.model_validate(given)):
            pass


def test_settings_say_where_remarks_end() -> None:
    settings = AsrSettings.model_validate({"asr_end_silence_ms": 700, "asr_longest_s": 10, "asr_speech_threshold": 0.6})
    assert settings.rules == EndpointRules(threshold=0.6, end_silence_ms=700, longest_ms=10_000)


def test_pauses_are_judged_only_where_that_is_set_and_there_is_time_for_it() -> None:
    assert AsrSettings.model_validate({}).rules.longest_silence_ms is None
    assert AsrSettings.model_validate({"asr_end_of_turn": "semantic"}).rules.longest_silence_ms == 1_500
    for times in ({"asr_end_silence_ms": 300}, {"asr_end_silence_ms": 600, "asr_longest_silence_ms": 600}):
        assert AsrSettings.model_validate(times).rules.longest_silence_ms is None
        with pytest.raises(ConfigInvalid) as caught:
            load(AsrSettings, {**times, "asr_end_of_turn": "semantic"})
        assert [problem.partition(" ")[0] for problem in caught.value.problems] == ["VIGIL_ASR_END_OF_TURN=semantic"]
