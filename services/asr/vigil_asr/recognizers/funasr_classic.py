"""FunASR's classic WebSocket server (`funasr_wss_server`, port 10095, in Python and C++) in its mode `2pass`: a
quick model tells what is being said, a better one says it again at the end of each of its segments."""

import asyncio
import json
from typing import Any

import aiohttp

from vigil.core.sound import SAMPLE_RATE_HZ
from vigil_asr.recognizers.connection import Connection, broken_off, garbage, messages, text_in
from vigil_asr.recognizers.port import MAX_TEXT_CHARS, Recognized, RecognizerError, Told, bounded
from vigil_asr.sound import RemarkSound

NAME = "funasr"
ACKNOWLEDGES_WITHIN_S = 1.0
FRAME_BYTES = SAMPLE_RATE_HZ * 60 // 1_000 * 2
_QUICK = frozenset({"online", "2pass-online"})
_GOOD = frozenset({"offline", "2pass-offline"})
_BEGIN = {
    "mode": "2pass",
    "chunk_size": [5, 10, 5],  # of 60 ms: 600 ms of sound, with 300 on either side
    "chunk_interval": 10,  # a chunk is ten messages
    "wav_name": "vigil",
    "wav_format": "pcm",
    "audio_fs": SAMPLE_RATE_HZ,
    "is_speaking": True,
    "itn": True,
}
_END = {"is_speaking": False, "is_end": True}


class ClassicRecognizer:
    """A connection for each remark. The server's models know their languages; it cannot be told one.

    The Python form of August 2026 says when it is done (`is_end`), and may have said nothing before; older ones and
    the C++ form do not, and their good segment is the last after the end. Which one this is shows at the first remark.
    """

    name = NAME

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._acknowledges: bool | None = None

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        async with self._connection.socket(protocols=("binary",)) as socket:
            await socket.send_str(json.dumps(_BEGIN))
            sending = asyncio.create_task(_send(socket, sound))
            try:
                return await self._read(socket, sending, told)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, sending: asyncio.Task[None], told: Told
    ) -> Recognized:
        good = quick = ""
        try:
            async with asyncio.timeout(None) as patience:
                async for message in messages(socket):
                    if message.get("is_end") is True:
                        self._acknowledges = True
                        _raise_its_error(message)
                        return Recognized(bounded(_joined(good, quick)))
                    mode, text = text_in(message, "mode"), text_in(message, "text")
                    if mode in _QUICK:
                        quick = (quick + text)[:MAX_TEXT_CHARS]
                    elif mode in _GOOD or not (mode or text):  # the C++ form has no mode where nobody spoke
                        good, quick = _joined(good, text), ""
                        if sending.done() and message.get("is_final") is not False:
                            if self._acknowledges is False:
                                break
                            if self._acknowledges is None:
                                patience.reschedule(asyncio.get_running_loop().time() + ACKNOWLEDGES_WITHIN_S)
                    else:
                        raise garbage(f"the mode {mode[:40]!r}")
                    told(bounded(_joined(good, quick)))
                else:
                    raise broken_off()
        except TimeoutError:
            self._acknowledges = False
        return Recognized(bounded(good))


def _raise_its_error(message: dict[str, Any]) -> None:
    if why := text_in(message, "error")[:200]:
        raise RecognizerError(f"the recognizer failed ({why})", reason="unavailable", is_transient=True)


async def _send(socket: aiohttp.ClientWebSocketResponse, sound: RemarkSound) -> None:
    """In messages of one length, since the server counts messages: its chunks are ten, and it looks for the beginning
    of a segment so many messages back."""
    kept = b""
    async for pcm in sound.pieces():
        kept += pcm
        whole = len(kept) - len(kept) % FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            await socket.send_bytes(kept[start : start + FRAME_BYTES])
        kept = kept[whole:]
    if kept:
        await socket.send_bytes(kept)
    await socket.send_str(json.dumps(_END))


def _joined(before: str, after: str) -> str:
    """Two pieces of text with a space between them, except where the script has none (Chinese, Japanese)."""
    is_spaced = before[-1:].isascii() or after[:1].isascii()
    return f"{before}{' ' if before and after and is_spaced else ''}{after}"[:MAX_TEXT_CHARS]
