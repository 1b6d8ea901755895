"""The real embedded engine, as `make speech` installs it, hears sentences that a real voice speaks."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from vigil_asr.ear import Began, Ear
from vigil_asr.endpoint import EndpointRules
from vigil_asr.recognizers.embedded import open_embedded
from vigil_asr.recognizers.port import Recognizer
from vigil_asr.transcription import transcribed
from vigil_asr.voice_activity import SileroDetector
from vigil_asr.words import plain_words

SPEECH = Path(__file__).parents[3] / ".venv-speech"
SENTENCES = ("Alert me when a fire starts.", "How many people are in the kitchen now?")
TTS = """
import sys
import numpy as np
from hibari import Hibari
speaker = Hibari(threads=1)
for sentence in sys.argv[1:]:
    sound = np.asarray(speaker(sentence))
    times = np.arange(int(len(sound) * 16_000 / 24_000)) * 24_000 / 16_000
    resampled = np.interp(times, np.arange(len(sound)), sound)
    sys.stdout.buffer.write(np.zeros(16_000, "<i2").tobytes() + (resampled * 24_000).astype("<i2").tobytes())
    sys.stdout.buffer.write(np.zeros(16_000, "<i2").tobytes())
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spoken() -> bytes:
    """The sentences, with a second of silence before and behind each."""
    command = [str(SPEECH / "bin" / "python"), "-c", TTS, *SENTENCES]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


async def heard(recognizer: Recognizer, pcm: bytes, language: str = "en") -> tuple[list[str], list[str]]:
    """What is understood in the end, and on the way."""
    ear, partials = Ear(SileroDetector(), EndpointRules()), list[str]()
    asking: list[asyncio.Task[str]] = []

    async def recognized(began: Began) -> str:
        return (await transcribed(recognizer, began.sound, language, partials.append, 60)).text

    for at in range(0, len(pcm), 3_200):
        events = ear.hear(pcm[at : at + 3_200], 1 + at * 1_000_000 // 32_000)
        asking += [asyncio.create_task(recognized(event)) for event in events if isinstance(event, Began)]
        await asyncio.sleep(0.02)  # five times as fast as it is spoken: partial transcripts need time
    return [await task for task in asking], partials


async def test_whisper_understands_two_sentences_while_they_are_spoken(spoken: bytes) -> None:
    async with open_embedded(SPEECH, "whisper-tiny.en", 1, 300) as recognizer:
        await asyncio.wait_for(recognizer.ready(), 60)
        finals, partials = await heard(recognizer, spoken)
    assert [plain_words(final) for final in finals] == [plain_words(sentence) for sentence in SENTENCES]
    assert partials


async def test_whisper_base_hears_other_languages(spoken: bytes) -> None:
    async with open_embedded(SPEECH, "whisper-base", 1, 0) as recognizer:
        finals, _ = await heard(recognizer, spoken)
    assert [plain_words(final) for final in finals] == [plain_words(sentence) for sentence in SENTENCES]


async def test_noise_of_a_minute_is_no_remark() -> None:
    noise = bytes((number * number * 7919 >> 5) & 0x0F for number in range(32_000)) * 60
    ear, events = Ear(SileroDetector(), EndpointRules()), []
    for at in range(0, len(noise), 3_200):
        events += ear.hear(noise[at : at + 3_200], 1 + at * 1_000_000 // 32_000)
    assert events == []
