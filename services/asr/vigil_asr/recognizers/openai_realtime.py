"""Any engine with a realtime endpoint for transcription: OpenAI's own, and vLLM's `/v1/realtime`, which differ in
the names of their events and in the rate of the sound: 24 kHz at OpenAI, 16 kHz at vLLM."""

import asyncio
import base64
from array import array
from dataclasses import dataclass
from typing import Any

import aiohttp

from vigil.core.sound import SAMPLE_RATE_HZ
from vigil_asr.recognizers.connection import Connection, broken_off, messages, text_in
from vigil_asr.recognizers.port import MAX_TEXT_CHARS, Recognized, RecognizerError, Told, bounded
from vigil_asr.sound import RemarkSound

_DELTAS = frozenset({"conversation.item.input_audio_transcription.delta", "transcription.delta"})
_ENDS = {"conversation.item.input_audio_transcription.completed": "transcript", "transcription.done": "text"}
_FAILURES = frozenset({"error", "conversation.item.input_audio_transcription.failed"})


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    """`rate_hz` is what the engine wants the sound at."""

    model: str
    rate_hz: int = SAMPLE_RATE_HZ


class RealtimeRecognizer:
    """A connection for each remark, whose end we tell: the engine's own turn detection is off."""

    def __init__(self, connection: Connection, options: RealtimeOptions) -> None:
        self._connection = connection
        self._options = options
        self.name = options.model

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        async with self._connection.socket("/realtime?intent=transcription") as socket:
            await socket.send_json(_set_up(self._options, language))
            sending = asyncio.create_task(_send(socket, sound, self._options.rate_hz))
            try:
                return await _read(socket, told)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def _read(socket: aiohttp.ClientWebSocketResponse, told: Told) -> Recognized:
    text = ""
    async for message in messages(socket):
        kind = text_in(message, "type")
        if kind in _DELTAS:
            text = (text + text_in(message, "delta"))[:MAX_TEXT_CHARS]
            told(bounded(text))
        elif kind in _ENDS:
            return Recognized(bounded(text_in(message, _ENDS[kind]) or text))
        elif kind in _FAILURES:
            raise _failure(message)
    raise broken_off()


async def _send(socket: aiohttp.ClientWebSocketResponse, sound: RemarkSound, rate_hz: int) -> None:
    async for pcm in sound.pieces():
        audio = base64.b64encode(resampled(pcm, rate_hz)).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
    await socket.send_json({"type": "input_audio_buffer.commit", "final": True})


def _set_up(options: RealtimeOptions, language: str) -> dict[str, Any]:
    """OpenAI's transcription session; vLLM takes the model out of it and ignores the rest."""
    transcription = {"model": options.model, **({"language": language.partition("-")[0]} if language else {})}
    audio = {
        "format": {"type": "audio/pcm", "rate": options.rate_hz},
        "transcription": transcription,
        "turn_detection": None,
    }
    session = {"type": "transcription", "model": options.model, "audio": {"input": audio}}
    return {"type": "session.update", "model": options.model, "session": session}


def _failure(message: dict[str, Any]) -> RecognizerError:
    error = message.get("error")
    said = error.get("message") if isinstance(error, dict) else error
    why = f" ({bounded(said)[:200]})" if isinstance(said, str) else ""
    return RecognizerError(f"the recognizer refused the remark{why}", reason="refused")


def resampled(pcm: bytes, rate_hz: int) -> bytes:
    """16-bit sound at `SAMPLE_RATE_HZ` at another rate, by straight lines between the samples: speech has little above
    4 kHz, where that is heard."""
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm
    samples = array("h", pcm)
    last = len(samples) - 1
    found = array("h")
    for number in range(len(samples) * rate_hz // SAMPLE_RATE_HZ):
        left, beyond = divmod(number * SAMPLE_RATE_HZ, rate_hz)
        right = min(left + 1, last)
        found.append(samples[left] + (samples[right] - samples[left]) * beyond // rate_hz)
    return found.tobytes()
