"""The real embedded engine, as `make speech` installs it, hears sentences that a real voice speaks."""

import asyncio

import pytest

from vigil_asr.ear import Ear
from vigil_asr.endpoint import EndpointRules
from vigil_asr.recognizers.embedded import open_embedded
from vigil_asr.testing.spoken import SENTENCES, SPEECH, heard, spoken
from vigil_asr.voice_activity import SileroDetector
from vigil_asr.words import plain_words

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sentences() -> bytes:
    return spoken(*SENTENCES)


async def test_whisper_understands_two_sentences_while_they_are_spoken(sentences: bytes) -> None:
    async with open_embedded(SPEECH, "whisper-tiny.en", 1, 300) as recognizer:
        await asyncio.wait_for(recognizer.ready(), 60)
        finals, partials = await heard(recognizer, sentences)
    assert [plain_words(final) for final in finals] == [plain_words(sentence) for sentence in SENTENCES]
    assert partials


async def test_whisper_base_hears_other_languages(sentences: bytes) -> None:
    async with open_embedded(SPEECH, "whisper-base", 1, 0) as recognizer:
        finals, _ = await heard(recognizer, sentences)
    assert [plain_words(final) for final in finals] == [plain_words(sentence) for sentence in SENTENCES]


async def test_noise_of_a_minute_is_no_remark() -> None:
    noise = bytes((number * number * 7919 >> 5) & 0x0F for number in range(32_000)) * 60
    ear, events = Ear(SileroDetector(), EndpointRules()), []
    for at in range(0, len(noise), 3_200):
        events += ear.hear(noise[at : at + 3_200], 1 + at * 1_000_000 // 32_000)
    assert events == []
