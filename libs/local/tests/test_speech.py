"""`vigil up --speech` as a whole: a film in which somebody speaks is watched and heard, by real Whisper, and what was
said is a question that the model answers."""

import asyncio
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_ports
from vigil_client.alerts import subscribed
from vigil_client.api import Client
from vigil_client.endpoints import FILE, read
from vigil_client.options import Hearing, NewSession, NewSource
from vigil_client.testing.command import start

SPEECH = Path(__file__).parents[3] / ".venv-speech" / "bin" / "python"
SENTENCE = "How many people are in the kitchen now?"
RATE_HZ = 24_000
TTS = """
import sys
import numpy as np
from hibari import Hibari
sys.stdout.buffer.write((np.asarray(Hibari(threads=1)(sys.argv[1])) * 24_000).astype("<i2").tobytes())
"""


def spoken() -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """The sentence, after a second and a half of silence and before five."""
    said = subprocess.run([str(SPEECH), "-c", TTS, SENTENCE], stdout=subprocess.PIPE, check=True).stdout
    silence = np.zeros(RATE_HZ, np.int16)
    return np.concatenate([silence, silence[: RATE_HZ // 2], np.frombuffer(said, "<i2"), *[silence] * 5])


def talking_film(path: Path) -> None:
    """Grey pictures, five a second, with the voice."""
    sound = spoken()
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=5)
        pictures.width, pictures.height, pictures.pix_fmt = 160, 96, "yuv420p"
        voice = container.add_stream("aac", rate=RATE_HZ)
        voice.layout = "mono"
        for number in range(len(sound) * 5 // RATE_HZ):
            picture = np.full((96, 160, 3), (60, 60, number % 60), np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            piece = sound[number * RATE_HZ // 5 : (number + 1) * RATE_HZ // 5]
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, number * RATE_HZ // 5, Fraction(1, RATE_HZ)
            container.mux(voice.encode(frame))
        container.mux(pictures.encode())
        container.mux(voice.encode())


@pytest.mark.slow
async def test_what_is_said_in_a_film_becomes_a_question(tmp_path: Path) -> None:
    talking_film(tmp_path / "talk.mp4")
    engine = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil.testing.scripted_engine", "--port", "0", "--model", "m", "--script", "red"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert engine.stdout is not None
    url = (await engine.stdout.readline()).decode().strip()
    options = ("--engine-url", url, "--model", "m", "--speech", "--port-base", str(free_ports(24)))
    process = await start("up", "--data-dir", str(tmp_path / "run"), *options)
    try:
        file = tmp_path / "run" / FILE
        await eventually(lambda: file.exists() or process.returncode is not None, 280, "vigil up")
        known = read(file)
        assert "asr" in known.pids
        async with (
            Client(known.gateway_url, known.api_key) as client,
            subscribed(known.nats_url, "vigil.v1.transcript.final.demo.>") as transcripts,
        ):
            source = NewSource((tmp_path / "talk.mp4").as_uri(), "talk")
            hearing = Hearing(is_on=True, from_source=True, language="en")
            await client.create_session(NewSession(source, hearing=hearing))
            async with asyncio.timeout(120):
                said = json.loads(await anext(transcripts))["data"]
        assert (said["became"], said["origin"], said["engine"]) == ("query", "source", "whisper-tiny.en")
        assert said["text"].rstrip("?.").lower() == SENTENCE.rstrip("?").lower()
    finally:
        process.terminate()
        await process.communicate()
        engine.kill()
        await engine.wait()
