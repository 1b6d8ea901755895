"""FunASR's `funasr-realtime-server` (1.4 and later): commands as text (`START`, `LANGUAGE:…`, `STOP`), sound as
bytes, and answers with all sentences so far and what is being said now."""

import asyncio
from typing import Any

import aiohttp

from vigil_asr.recognizers.connection import Connection, broken_off, garbage, messages, text_in
from vigil_asr.recognizers.port import Recognized, RecognizerError, Told, bounded
from vigil_asr.sound import RemarkSound

NAME = "funasr-realtime"


class FunASRRealtimeRecognizer:
    """A connection for each remark."""

    name = NAME

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        async with self._connection.socket() as socket:
            if language:
                await socket.send_str(f"LANGUAGE:{language.partition('-')[0]}")
            await socket.send_str("START")
            sending = asyncio.create_task(_send(socket, sound))
            try:
                return await _read(socket, told)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def _read(socket: aiohttp.ClientWebSocketResponse, told: Told) -> Recognized:
    text = ""
    async for message in messages(socket):
        event = text_in(message, "event")
        if event == "stopped":
            return Recognized(text)
        if event == "error":
            why = text_in(message, "error")[:200]
            raise RecognizerError(f"the recognizer refused the remark ({why})", reason="refused")
        if not event:
            text = bounded(" ".join([*_sentences(message), text_in(message, "partial")]))
            told(text)
    raise broken_off()


def _sentences(message: dict[str, Any]) -> list[str]:
    found = message.get("sentences", [])
    if not isinstance(found, list) or not all(isinstance(sentence, dict) for sentence in found):
        raise garbage("sentences that are none")
    return [text_in(sentence, "text") for sentence in found]


async def _send(socket: aiohttp.ClientWebSocketResponse, sound: RemarkSound) -> None:
    async for pcm in sound.pieces():
        await socket.send_bytes(pcm)
    await socket.send_str("STOP")
