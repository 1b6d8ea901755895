"""Speech for tests with a browser: a sentence that its microphone hears, and the words that its page plays.

The voice and the recognizer are those of a running Vigil, over gRPC.
"""

import base64
import io
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import grpc
from playwright.async_api import Page
from system import System

from vigil.core.sound import BYTES_PER_S, SAMPLE_RATE_HZ
from vigil.v1 import asr_pb2, tts_pb2
from vigil.v1.asr_pb2_grpc import RecognizerServiceStub
from vigil.v1.tts_pb2_grpc import SynthesizerServiceStub

CALL_S = 120.0
SILENCE_S = 1
# Whatever a page connects to its loudspeaker goes to a recorder, too: what is recorded is what is played.
RECORD = """window.recorders = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const copy = this.context.createMediaStreamDestination();
    connect.call(this, copy);
    const recorder = new MediaRecorder(copy.stream, {mimeType: 'audio/webm;codecs=opus', audioBitsPerSecond: 64000});
    recorder.pieces = [];
    recorder.ondataavailable = ({data}) => recorder.pieces.push(data);
    recorder.start();
    window.recorders.push(recorder);
  }
  return connect.call(this, target, ...rest);
};"""
RECORDED = """async () => {
  const files = [];
  for (const recorder of window.recorders) {
    await new Promise((done) => { recorder.onstop = done; recorder.stop(); });
    const bytes = new Uint8Array(await new Blob(recorder.pieces).arrayBuffer());
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    files.push(btoa(text));
  }
  return files;
}"""


async def write_sentence(system: System, sentence: str, path: Path) -> Path:
    """The sentence as the system's voice speaks it, between silences, as a WAV file."""
    async with _channel(system, "tts gRPC") as channel:
        call: Any = SynthesizerServiceStub(channel).Synthesize(tts_pb2.SynthesizeRequest(text=sentence), timeout=CALL_S)
        parts = [part async for part in call]
    rate_hz = parts[0].sample_rate_hz
    silence = bytes(2 * SILENCE_S * rate_hz)
    return write_wav(path, rate_hz, silence + b"".join(part.pcm for part in parts) + silence)


def write_wav(path: Path, rate_hz: int, pcm: bytes) -> Path:
    """16-bit mono samples as a file to listen to."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm)
    return path


async def played(page: Page) -> bytes:
    """All that the page has played since it was opened with `RECORD`, as the recognizer takes it; then no more."""
    files: list[str] = await page.evaluate(RECORDED)
    return b"".join(_samples(base64.b64decode(file)) for file in files)


async def recognized(system: System, pcm: bytes) -> list[str]:
    """What the system's recognizer understands: each remark."""
    async with _channel(system, "asr gRPC") as channel:
        call: Any = RecognizerServiceStub(channel).Recognize(_requests(pcm), timeout=CALL_S)
        responses = [response async for response in call]
    return [response.speech.text for response in responses if response.speech.is_final]


def _requests(pcm: bytes) -> Iterator[asr_pb2.RecognizeRequest]:
    yield asr_pb2.RecognizeRequest(options=asr_pb2.RecognizeOptions(sample_rate_hz=SAMPLE_RATE_HZ, language="en"))
    for at in range(0, len(pcm), BYTES_PER_S):
        yield asr_pb2.RecognizeRequest(pcm=pcm[at : at + BYTES_PER_S])


def _samples(file: bytes) -> bytes:
    """A recording as 16-bit mono samples at the recognizer's rate."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    found = bytearray()
    with av.open(io.BytesIO(file), "r") as recording:
        for frame in (*recording.decode(audio=0), None):
            for resampled in resampler.resample(frame):
                found += resampled.to_ndarray().tobytes()
    return bytes(found)


@asynccontextmanager
async def _channel(system: System, name: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{system.port(name)}") as channel:
        yield channel
