"""The embedded voice: its process with a stand-in for it, and the voice itself where `make speech` has installed it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from vigil.runtime.process.config import load
from vigil.testing.eventually import eventually
from vigil_tts.config import TtsSettings
from vigil_tts.synthesizers.embedded import RATE_HZ, EmbeddedSynthesizer, installed
from vigil_tts.synthesizers.http_client import http_session
from vigil_tts.synthesizers.kinds import open_synthesizer
from vigil_tts.synthesizers.port import SpeakingVoice, SynthesizerError, Task
from vigil_tts.testing.speech_engine import SpeechEngine

TOP = Path(__file__).parents[4]


@pytest.fixture
async def engine() -> AsyncIterator[SpeechEngine]:
    async with SpeechEngine() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with http_session(None) as session:
        yield session


@asynccontextmanager
async def stand_in(
    folder: Path, http: aiohttp.ClientSession, said: str, again_s: float = 60.0
) -> AsyncIterator[EmbeddedSynthesizer]:
    """A voice whose server process says `said`, and writes its process id for each start into a file."""
    program = folder / "server.py"
    program.write_text(
        f"import os, sys\nopen({str(folder / 'starts')!r}, 'a').write(f'{{os.getpid()}} ')\n"
        f"print({said!r}, flush=True)\nsys.stdin.read()\n"
    )
    synthesizer = EmbeddedSynthesizer(http, (sys.executable, str(program)), again_s)
    try:
        yield synthesizer
    finally:
        await synthesizer.close()


def starts(folder: Path) -> list[int]:
    file = folder / "starts"
    return [int(pid) for pid in file.read_text().split()] if file.exists() else []


async def spoken(synthesizer: EmbeddedSynthesizer) -> bytes:
    return b"".join([sound.pcm async for sound in synthesizer.speak(Task("Hello."))])


async def test_its_server_is_started_once_and_again_when_it_died(
    tmp_path: Path, http: aiohttp.ClientSession, engine: SpeechEngine
) -> None:
    async with stand_in(tmp_path, http, json.dumps({"url": f"{engine.url}/v1", "key": "k"})) as synthesizer:
        assert set(await asyncio.gather(spoken(synthesizer), spoken(synthesizer))) == {engine.sound}
        (first,) = starts(tmp_path)
        os.kill(first, signal.SIGKILL)

        async def is_started_again() -> bool:
            assert await spoken(synthesizer) == engine.sound
            return len(starts(tmp_path)) == 2

        await eventually(is_started_again, what="the next text starts another")
    assert engine.asked[0].key == "k"
    await eventually(lambda: not _runs(starts(tmp_path)[1]), what="it ends with the service")


async def test_one_that_does_not_start_is_not_started_for_every_text(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with stand_in(tmp_path, http, "no weights") as synthesizer:
        for _ in range(3):
            with pytest.raises(SynthesizerError, match="run make speech again"):
                await spoken(synthesizer)
    assert len(starts(tmp_path)) == 1


async def test_one_that_is_not_installed_is_told_how_to_install(tmp_path: Path) -> None:
    given = load(TtsSettings, {"tts_folder": str(tmp_path)})
    async with open_synthesizer(given) as synthesizer:
        with pytest.raises(SynthesizerError, match="run make speech"):
            async for _ in synthesizer.speak(Task("Hello.")):
                pass


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
async def test_the_real_voice_speaks() -> None:
    folder = TOP / ".venv-speech"
    assert installed(str(folder), 1), "make speech installs it; make test-slow does so"
    async with open_synthesizer(load(TtsSettings, {"tts_folder": str(folder), "tts_first_s": 60})) as voice:
        assert await voice.voices() == (SpeakingVoice("heart", ("en-US",)),)
        text = "A man in a red coat is at the door."
        sounds = [sound async for sound in voice.speak(Task(text))]
        fast = [sound async for sound in voice.speak(Task(text, speed=1.5))]
        assert {sound.sample_rate_hz for sound in (*sounds, *fast)} == {RATE_HZ}
        seconds, fast_s = (sum(sound.seconds for sound in heard) for heard in (sounds, fast))
        assert 1.5 < seconds < 4.0
        assert fast_s < seconds / 1.3
        with pytest.raises(SynthesizerError) as caught:
            async for _ in voice.speak(Task(text, voice="nobody")):
                pass
        assert caught.value.kind == "refused"
