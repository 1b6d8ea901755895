"""Sentences that the real voice of `make speech` speaks, and what an engine understands of them."""

import asyncio
import io
import subprocess
from pathlib import Path

from vigil_asr.ear import Began, Ear
from vigil_asr.endpoint import EndpointRules
from vigil_asr.recognizers.port import Recognizer
from vigil_asr.transcription import transcribed
from vigil_asr.voice_activity import SileroDetector

TOP = Path(__file__).parents[4]
SPEECH = TOP / ".venv-speech"
SENTENCES = ("Alert me when a fire starts.", "How many people are in the kitchen now?")
_VOICE = """
import sys
import numpy as np
from hibari import Hibari
speaker = Hibari(threads=1)
for sentence in sys.argv[1:]:
    sound = np.asarray(speaker(sentence, seed=0))
    times = np.arange(int(len(sound) * 16_000 / 24_000)) * 24_000 / 16_000
    resampled = (np.interp(times, np.arange(len(sound)), sound) * 24_000).astype("<i2")
    pcm = np.pad(resampled, 16_000).tobytes()
    sys.stdout.buffer.write(len(pcm).to_bytes(4, "little") + pcm)
"""


def spoken(*sentences: str) -> bytes:
    """Samples of the sentences, with a second of silence before and behind each."""
    return b"".join(spoken_each(*sentences))


def spoken_each(*sentences: str) -> list[bytes]:
    """The same, each by itself."""
    command = [str(SPEECH / "bin" / "python"), "-c", _VOICE, *sentences]
    said = io.BytesIO(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return [said.read(int.from_bytes(said.read(4), "little")) for _ in sentences]


async def heard(recognizer: Recognizer, pcm: bytes, language: str = "en") -> tuple[list[str], list[str]]:
    """What is understood in the end, and on the way, with the real detector of speech."""
    ear, partials = Ear(SileroDetector(), EndpointRules()), list[str]()
    asking: list[asyncio.Task[str]] = []

    async def recognized(began: Began) -> str:
        return (await transcribed(recognizer, began.sound, language, partials.append, 60)).text

    for at in range(0, len(pcm), 3_200):
        events = ear.hear(pcm[at : at + 3_200], 1 + at * 1_000_000 // 32_000)
        asking += [asyncio.create_task(recognized(event)) for event in events if isinstance(event, Began)]
        await asyncio.sleep(0.02)  # five times as fast as it is spoken: partial transcripts need time
    return [await task for task in asking], partials
