"""OpenAI's, vLLM-Omni's and CosyVoice's HTTP servers: what they are asked, and each way in which they fail."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from vigil.runtime.process.config import load
from vigil.runtime.process.startup import StartupError
from vigil.testing.eventually import eventually
from vigil_tts.config import TtsSettings
from vigil_tts.synthesizers.kinds import open_synthesizer
from vigil_tts.synthesizers.port import SpeakingVoice, SynthesizerError, Task
from vigil_tts.testing.scripted_synthesizer import tone
from vigil_tts.testing.speech_engine import RATE_HZ, Behaviour, SpeechEngine, wav

TEXT = "A man is at the door, with a parcel."
TASK = Task(TEXT)
SAMPLE = wav(tone(0.1, 16_000), 16_000)
KINDS = pytest.mark.parametrize("kind", ["openai", "vllm-omni", "cosyvoice-http"])


@pytest.fixture
async def engine() -> AsyncIterator[SpeechEngine]:
    async with SpeechEngine() as server:
        yield server


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.wav"
    path.write_bytes(SAMPLE)
    return path


def settings(kind: str, engine: SpeechEngine, **fields: Any) -> TtsSettings:
    root = engine.url if kind == "cosyvoice-http" else f"{engine.url}/v1"
    given = {"tts_engine": kind, "tts_url": root, "tts_model": "m", "tts_voice": "anna"}
    waits = {"tts_first_s": 0.3, "tts_next_s": 0.3, "tts_key": "k-1"}
    return load(TtsSettings, {**given, **waits, **fields})


async def spoken(given: TtsSettings, task: Task = TASK) -> tuple[bytes, int]:
    """All of the sound, and its rate."""
    pcm, rates = b"", set()
    async with open_synthesizer(given) as synthesizer:
        async for sound in synthesizer.speak(task):
            assert len(sound.pcm) % 2 == 0, "whole samples"
            pcm += sound.pcm
            rates.add(sound.sample_rate_hz)
    (rate_hz,) = rates
    return pcm, rate_hz


@KINDS
async def test_it_speaks(engine: SpeechEngine, kind: str) -> None:
    assert await spoken(settings(kind, engine)) == (engine.sound, RATE_HZ)
    assert engine.asked[0].key == "k-1"


async def test_openai_is_asked_for_raw_sound(engine: SpeechEngine) -> None:
    await spoken(settings("openai", engine))
    await spoken(settings("openai", engine), Task(TEXT, voice="ben", speed=1.5))
    usual = {"model": "m", "input": TEXT, "response_format": "pcm", "voice": "anna"}
    assert [asked.body for asked in engine.asked] == [usual, usual | {"voice": "ben", "speed": 1.5}]


async def test_vllm_omni_is_asked_for_a_bare_stream_in_the_voice_of_a_sample(
    engine: SpeechEngine, sample: Path
) -> None:
    given = {"tts_sample_file": str(sample), "tts_sample_text": "Hello."}
    await spoken(settings("vllm-omni", engine, **given))
    body = engine.asked[0].body
    assert (body["stream"], body["stream_format"], body["ref_text"]) == (True, "audio", "Hello.")
    assert base64.b64decode(body["ref_audio"].removeprefix("data:audio/wav;base64,")) == SAMPLE


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sft", {"spk_id": "anna"}),
        ("zero_shot", {"prompt_text": "Hello.", "prompt_wav": "sample"}),
        ("cross_lingual", {"prompt_wav": "sample"}),
        ("instruct", {"spk_id": "anna", "instruct_text": "Calmly."}),
        ("instruct2", {"instruct_text": "Calmly.", "prompt_wav": "sample"}),
    ],
)
async def test_cosyvoice_is_told_whose_voice_to_use(
    engine: SpeechEngine, sample: Path, mode: str, expected: dict[str, str]
) -> None:
    given = {"tts_sample_file": str(sample), "tts_sample_text": "Hello."}
    await spoken(settings("cosyvoice-http", engine, tts_mode=mode, tts_manner="Calmly.", **given))
    (asked,) = engine.asked
    if "prompt_wav" in expected:
        expected["prompt_wav"] = SAMPLE  # type: ignore[assignment]
    assert (asked.path, asked.body) == (f"/inference_{mode}", {"tts_text": TEXT} | expected)


async def test_the_rate_of_bare_sound_is_a_setting(engine: SpeechEngine) -> None:
    given = settings("cosyvoice-http", engine, tts_rate_hz=22_050)
    assert await spoken(given) == (engine.sound, 22_050)


@KINDS
@pytest.mark.parametrize("behaviour", [Behaviour.WAV, Behaviour.STATED])
async def test_a_rate_that_is_stated_counts(engine: SpeechEngine, kind: str, behaviour: Behaviour) -> None:
    engine.behaviour = behaviour
    assert await spoken(settings(kind, engine)) == (engine.sound, 16_000)


async def test_sound_in_events_is_read_too(engine: SpeechEngine) -> None:
    engine.behaviour = Behaviour.EVENTS
    assert await spoken(settings("vllm-omni", engine)) == (engine.sound, RATE_HZ)


@KINDS
@pytest.mark.parametrize(
    ("behaviour", "kind_of_failure"),
    [
        (Behaviour.HANG, "timeout"),
        (Behaviour.STOP, "silent"),
        (Behaviour.CUT, "broken"),
        (Behaviour.EMPTY, "empty"),
        (Behaviour.ENDLESS, "endless"),
        (Behaviour.JSON, "invalid"),
        (Behaviour.MP3, "invalid"),
        (Behaviour.STEREO, "invalid"),
        (Behaviour.ERROR, "unavailable"),
        (Behaviour.REFUSE, "refused"),
    ],
)
async def test_each_failure_is_told_as_what_it_is(
    engine: SpeechEngine, kind: str, behaviour: Behaviour, kind_of_failure: str
) -> None:
    engine.behaviour = behaviour
    with pytest.raises(SynthesizerError) as caught:
        await spoken(settings(kind, engine))
    assert caught.value.kind == kind_of_failure
    assert "k-1" not in caught.value.reason
    if behaviour in (Behaviour.HANG, Behaviour.STOP):
        await eventually(lambda: engine.left == 1, what="the request ends with it")


async def test_an_event_that_cannot_be_read_is_no_sound(engine: SpeechEngine) -> None:
    engine.behaviour = Behaviour.BROKEN_EVENT
    with pytest.raises(SynthesizerError) as caught:
        await spoken(settings("openai", engine))
    assert caught.value.kind == "invalid"


async def test_an_engine_that_is_away_is_unavailable(engine: SpeechEngine) -> None:
    given = settings("openai", engine, tts_url="http://127.0.0.1:9/v1")
    with pytest.raises(SynthesizerError) as caught:
        await spoken(given)
    assert caught.value.kind == "unavailable"


async def test_its_voices_are_listed_where_it_lists_them(engine: SpeechEngine) -> None:
    async with open_synthesizer(settings("openai", engine)) as synthesizer:
        assert await synthesizer.voices() == (SpeakingVoice("vivian"), SpeakingVoice("ryan"), SpeakingVoice("mine"))
        engine.behaviour = Behaviour.REFUSE
        assert await synthesizer.voices() == (SpeakingVoice("anna"),)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"tts_engine": "openai", "tts_url": ""}, "VIGIL_TTS_URL"),
        ({"tts_rate_hz": 12_345}, "VIGIL_TTS_RATE_HZ"),
        ({"tts_engine": "openai", "tts_model": ""}, "VIGIL_TTS_MODEL"),
        ({"tts_engine": "cosyvoice-http", "tts_voice": ""}, "VIGIL_TTS_VOICE"),
        ({"tts_engine": "cosyvoice-http", "tts_mode": "zero_shot"}, "VIGIL_TTS_SAMPLE_FILE"),
        ({"tts_engine": "cosyvoice-http", "tts_mode": "instruct"}, "VIGIL_TTS_MANNER"),
        ({"tts_engine": "cosyvoice-grpc", "tts_mode": "instruct2"}, "VIGIL_TTS_"),
        ({"tts_engine": "openai", "tts_sample_file": "/nowhere.wav"}, "VIGIL_TTS_SAMPLE_FILE"),
    ],
)
async def test_a_setting_that_is_missing_is_named_at_the_start(
    engine: SpeechEngine, given: dict[str, str], told: str
) -> None:
    with pytest.raises(StartupError, match=told):
        async with open_synthesizer(settings("openai", engine, **given)):
            pass


async def test_a_sample_at_another_rate_is_refused_at_the_start(engine: SpeechEngine, tmp_path: Path) -> None:
    path = tmp_path / "sample.wav"
    path.write_bytes(wav(tone(0.1), 44_100, 2))
    with pytest.raises(StartupError, match="1 channel of 16 bits at 16000 Hz"):
        async with open_synthesizer(settings("openai", engine, tts_sample_file=str(path))):
            pass
