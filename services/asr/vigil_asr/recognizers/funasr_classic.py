"""FunASR's classic WebSocket server (`funasr_wss_server`, port 10095, in Python and C++) in its mode `2pass`: a
quick model tells what is being said, a better one says it again at the end of each of its segments."""

import asyncio
import json

import aiohttp

from vigil.core.sound import SAMPLE_RATE_HZ
from vigil_asr.recognizers.connection import Connection, broken_off, garbage, messages, text_in
from vigil_asr.recognizers.port import MAX_TEXT_CHARS, Recognized, Told, bounded
from vigil_asr.sound import RemarkSound

NAME = "funasr"
_QUICK = frozenset({"online", "2pass-online"})
_GOOD = frozenset({"offline", "2pass-offline"})
_BEGIN = {
    "mode": "2pass",
    "chunk_size": [5, 10, 5],  # of 60 ms: 600 ms of sound, with 300 on either side
    "chunk_interval": 10,
    "wav_name": "vigil",
    "wav_format": "pcm",
    "audio_fs": SAMPLE_RATE_HZ,
    "is_speaking": True,
    "itn": True,
}


class ClassicRecognizer:
    """A connection for each remark. The server's models know their languages; it cannot be told one."""

    name = NAME

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        async with self._connection.socket(protocols=("binary",)) as socket:
            await socket.send_str(json.dumps(_BEGIN))
            sending = asyncio.create_task(_send(socket, sound))
            try:
                return await _read(socket, sending, told)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def _read(socket: aiohttp.ClientWebSocketResponse, sending: asyncio.Task[None], told: Told) -> Recognized:
    """The server's `is_final` is not used: its Python form sets it in every message. It always sends one good segment,
    be it empty, after it was told that nobody speaks any more."""
    good = quick = ""
    async for message in messages(socket):
        mode, text = text_in(message, "mode"), text_in(message, "text")
        if mode in _QUICK:
            quick = (quick + text)[:MAX_TEXT_CHARS]
        elif mode in _GOOD:
            good, quick = _joined(good, text), ""
            if sending.done():
                return Recognized(bounded(good))
        else:
            raise garbage(f"the mode {mode[:40]!r}")
        told(bounded(_joined(good, quick)))
    raise broken_off()


async def _send(socket: aiohttp.ClientWebSocketResponse, sound: RemarkSound) -> None:
    async for pcm in sound.pieces():
        await socket.send_bytes(pcm)
    await socket.send_str(json.dumps({"is_speaking": False}))


def _joined(before: str, after: str) -> str:
    """Two pieces of text with a space between them, except where the script has none (Chinese, Japanese)."""
    is_spaced = before[-1:].isascii() or after[:1].isascii()
    return f"{before}{' ' if before and after and is_spaced else ''}{after}"[:MAX_TEXT_CHARS]
