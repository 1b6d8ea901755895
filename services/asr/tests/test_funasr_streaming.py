"""FunASR's own streaming models, as `make test-funasr` installs their code, behind the engine `funasr`.

Their weights are random, so what they understand means nothing: no test here looks at words. They say one character
for every 240 ms of sound, wherever it goes (deploy/speech/funasr/tiny_models.py), so the number of characters tells how
much sound arrived. FunASR's own server of this protocol is in no package: deploy/speech/funasr/classic_server.py stands
for it.
"""

import asyncio
import os
import random
import subprocess
from array import array
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil_asr.config import AsrSettings
from vigil_asr.recognizers.kinds import open_recognizer
from vigil_asr.recognizers.port import Recognizer
from vigil_asr.sound import RemarkSound
from vigil_asr.testing.spoken import TOP

FUNASR = TOP / ".venv-funasr"
SERVER = TOP / "deploy" / "speech" / "funasr" / "classic_server.py"
START_S = 300.0  # it imports torch and more: half a minute of processor time
ANSWER_S = 60.0
CHARACTER_S = 0.24
PIECE_S = 0.1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (FUNASR / ".vigil-installed").exists(), reason="FunASR is not installed: make test-funasr"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where it listens. Whatever it would fetch from elsewhere goes to a proxy that is not there."""
    models, number, nowhere = tmp_path_factory.mktemp("models"), free_port(), "http://127.0.0.1:9"
    server = subprocess.Popen(
        [FUNASR / "bin" / "python", SERVER, models, str(number)],
        env={"PATH": os.defpath, "HOME": str(models), "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield number
    finally:
        server.kill()
        server.wait()


@pytest.fixture
async def funasr(port: int) -> AsyncIterator[Recognizer]:
    """What the settings make, once the server answers. It was already asked about no sound at all, to which the server
    has no answer but that it is done."""

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await eventually(answers, deadline_s=START_S, what="the server answers")
    settings = AsrSettings.model_validate(
        {
            "nats_url": "nats://127.0.0.1:1",
            "redis_url": "redis://127.0.0.1:1",
            "asr_engine": "funasr",
            "asr_url": f"http://127.0.0.1:{port}",
        }
    )
    async with open_recognizer(settings) as made:
        nothing = RemarkSound()
        nothing.end()
        found = await asyncio.wait_for(made.recognize(nothing, "", lambda text: None), ANSWER_S)
        assert (found.text, found.language, found.confidence) == ("", "", None)
        yield made


def loud(seconds: float) -> bytes:
    drawn = random.Random(7)
    return array("h", (drawn.randint(-6_000, 6_000) for _ in range(round(16_000 * seconds)))).tobytes()


def silence(seconds: float) -> bytes:
    return bytes(round(16_000 * seconds) * 2)


class Remark:
    """A remark that is being recognized; `told` is what was said of it, and at what second."""

    def __init__(self, funasr: Recognizer) -> None:
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self.told: list[tuple[float, str]] = []
        self.sound = RemarkSound()
        self._asking = asyncio.create_task(funasr.recognize(self.sound, "en-GB", self._hear))

    @property
    def now(self) -> float:
        return self._clock() - self._started

    def _hear(self, text: str) -> None:
        self.told.append((self.now, text))

    async def speak(self, pcm: bytes) -> None:
        """In pieces of 100 ms, each in its time."""
        for at in range(0, len(pcm), 3_200):
            self.sound.add(pcm[at : at + 3_200], is_speech=True)
            await asyncio.sleep(PIECE_S)

    async def end(self) -> str:
        self.sound.end()
        return (await asyncio.wait_for(self._asking, ANSWER_S)).text


async def test_what_is_said_is_told_piece_by_piece_and_then_as_a_whole(funasr: Recognizer) -> None:
    remark = Remark(funasr)
    await remark.speak(loud(6))
    ended = remark.now
    final = await remark.end()
    before = [text for at, text in remark.told if at < ended]
    assert len(before) >= 3, "told while it was spoken"
    assert before[0], "the first one says something"
    assert all(later.startswith(earlier) for earlier, later in pairwise(before)), "they grow"
    assert len(final) == pytest.approx(6 / CHARACTER_S, abs=2), "all of the sound was understood"
    assert remark.told[-1][1] == final, "the whole comes last"


async def test_two_segments_with_silence_between_are_one_remark(funasr: Recognizer) -> None:
    remark = Remark(funasr)
    await remark.speak(loud(2) + silence(3) + loud(2))
    final = await remark.end()
    assert len(final) >= 4 / CHARACTER_S, "neither segment is lost"


async def test_sound_that_comes_all_at_once_loses_no_segment(funasr: Recognizer) -> None:
    """The server is behind: it tells of the first segment when everything has been sent long since."""
    remark = Remark(funasr)
    remark.sound.add(loud(2) + silence(3) + loud(2), is_speech=True)
    assert len(await remark.end()) >= 4 / CHARACTER_S


@pytest.mark.parametrize("pcm", [silence(2), loud(0.3), loud(0.01)], ids=["silence", "a word", "a click"])
async def test_the_shortest_remarks_end_too(funasr: Recognizer, pcm: bytes) -> None:
    remark = Remark(funasr)
    remark.sound.add(pcm, is_speech=True)
    assert len(await remark.end()) == pytest.approx(len(pcm) / 32_000 / CHARACTER_S, abs=2)


async def test_several_speak_at_once(funasr: Recognizer) -> None:
    async def one(seconds: int) -> int:
        remark = Remark(funasr)
        await remark.speak(loud(seconds))
        return len(await remark.end())

    found = await asyncio.gather(*(one(seconds) for seconds in (1, 2, 3)))
    assert found == [pytest.approx(seconds / CHARACTER_S, abs=2) for seconds in (1, 2, 3)]
