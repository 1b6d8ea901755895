"""FunASR's own server, as `make test-funasr` installs it, behind the engine `openai`: what the stand-in only claims.

Its weights are those of Whisper base, since FunASR's are in no package registry. It is held offline.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil_asr.config import AsrSettings
from vigil_asr.recognizers.kinds import open_recognizer
from vigil_asr.recognizers.port import Recognizer, RecognizerError
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.spoken import SENTENCES, TOP, heard, spoken
from vigil_asr.words import plain_words

FUNASR = TOP / ".venv-funasr"
START_S = 300.0  # it imports torch and more: half a minute of processor time
ANSWER_S = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (FUNASR / ".vigil-installed").exists(), reason="FunASR is not installed: make test-funasr"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The root of its API. Whatever it would fetch from elsewhere goes to a proxy that is not there."""
    port, nowhere = free_port(), "http://127.0.0.1:9"
    server = subprocess.Popen(
        [
            *(str(FUNASR / "bin" / "python"), "-m", "funasr.bin.server", "--host", "127.0.0.1", "--port", str(port)),
            *("--device", "cpu", "--hub", "openai", "--model-path", str(FUNASR / "whisper-base.pt")),
        ],
        env={"PATH": os.defpath, "HOME": str(FUNASR), "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@asynccontextmanager
async def recognizer(url: str, **given: object) -> AsyncIterator[Recognizer]:
    """What the settings make, once the server answers."""

    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{url}/health") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    await eventually(answers, deadline_s=START_S, what="the server answers")
    settings = AsrSettings(
        nats_url="nats://127.0.0.1:1",
        redis_url="redis://127.0.0.1:1",
        asr_engine="openai",
        asr_url=f"{url}/v1",
        **{"asr_model": "custom", **given},  # type: ignore[arg-type]
    )
    async with open_recognizer(settings) as made:
        yield made


def remark(pcm: bytes) -> RemarkSound:
    sound = RemarkSound()
    sound.add(pcm, is_speech=True)
    return sound


async def test_two_sentences_are_understood_as_they_are_heard(url: str) -> None:
    async with recognizer(url) as funasr:
        finals, _ = await heard(funasr, spoken(*SENTENCES))
    assert [plain_words(final) for final in finals] == [plain_words(sentence) for sentence in SENTENCES]


async def test_what_was_said_so_far_is_told_and_then_the_whole(url: str) -> None:
    told: list[str] = []
    async with recognizer(url) as funasr:
        sound = remark(spoken(SENTENCES[0]))
        asking = asyncio.create_task(funasr.recognize(sound, "en-GB", told.append))
        await eventually(lambda: told, deadline_s=ANSWER_S, what="a partial transcript")
        sound.end()
        final = await asyncio.wait_for(asking, ANSWER_S)
    assert plain_words(told[0]) == plain_words(final.text) == plain_words(SENTENCES[0])
    assert (final.language, final.confidence) == ("en", None), "it tells no probabilities"


async def test_without_a_language_it_tells_none(url: str) -> None:
    async with recognizer(url, asr_partial_ms=0) as funasr:
        sound = remark(spoken(SENTENCES[0]))
        sound.end()
        final = await asyncio.wait_for(funasr.recognize(sound, "", lambda text: None), ANSWER_S)
    assert (plain_words(final.text), final.language) == (plain_words(SENTENCES[0]), "")


async def test_a_model_that_it_does_not_have_is_refused(url: str) -> None:
    async with recognizer(url, asr_model="no-such-model", asr_partial_ms=0) as funasr:
        sound = remark(bytes(32_000))
        sound.end()
        with pytest.raises(RecognizerError, match="answered 400") as caught:
            await funasr.recognize(sound, "", lambda text: None)
    assert caught.value.reason == "refused"
