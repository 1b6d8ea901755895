"""A real server that speaks as OpenAI's, vLLM-Omni's and CosyVoice's HTTP servers do, or fails in every known way.

It answers with a tone, and keeps what it was asked.
"""

import asyncio
import base64
import io
import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from vigil_tts.testing.scripted_synthesizer import tone

RATE_HZ = 24_000
CHUNK_BYTES = 3_001  # an odd number: samples are cut in two


class Behaviour(StrEnum):
    """How the server answers."""

    SPEAK = "speak"
    WAV = "wav"  # a WAV file, though raw samples were asked for
    EVENTS = "events"  # server-sent events with the sound in them
    STATED = "stated"  # raw samples, whose rate the head states: 16,000
    HANG = "hang"  # takes the request and says nothing
    STOP = "stop"  # a little sound, then nothing more, and the connection stays
    CUT = "cut"  # breaks off in the middle
    EMPTY = "empty"  # success, and no sound
    ENDLESS = "endless"
    JSON = "json"  # success, and a text
    MP3 = "mp3"
    STEREO = "stereo"  # a WAV file of two channels
    ERROR = "error"  # status 500
    REFUSE = "refuse"  # status 400
    BROKEN_EVENT = "broken_event"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its path, its JSON or its form, and the key."""

    path: str
    body: Mapping[str, Any]
    key: str


class SpeechEngine:
    """The server. `behaviour` may be changed at any time; `sound` is what it speaks."""

    def __init__(self) -> None:
        self.behaviour = Behaviour.SPEAK
        self.sound = tone(1.0, RATE_HZ)
        self.asked: list[Asked] = []
        self.left = 0  # clients that went away before their answer ended
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 << 20)
        app.add_routes(
            [
                web.post("/v1/audio/speech", self._speech),
                web.get("/v1/audio/voices", self._voices),
                web.post("/inference_{mode}", self._inference),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        self._note(request, await request.json())
        return await self._answer(request)

    async def _inference(self, request: web.Request) -> web.StreamResponse:
        form: dict[str, Any] = {}
        for name, value in (await request.post()).items():
            form[name] = value.file.read() if isinstance(value, web.FileField) else value
        self._note(request, form)
        return await self._answer(request)

    async def _voices(self, request: web.Request) -> web.StreamResponse:
        if self.behaviour is Behaviour.REFUSE:
            return web.Response(status=404)
        listed = json.dumps({"voices": ["vivian", {"name": "ryan"}], "uploaded_voices": [{"name": "mine"}]}).encode()
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(listed[:10])
        await asyncio.sleep(0.05)  # else the two pieces may come as one
        await response.write(listed[10:])
        return response

    def _note(self, request: web.Request, body: Mapping[str, Any]) -> None:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append(Asked(request.path, body, key))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        match self.behaviour:
            case Behaviour.ERROR | Behaviour.REFUSE:
                return web.Response(status=500 if self.behaviour is Behaviour.ERROR else 400, text="no")
            case Behaviour.JSON:
                return web.json_response({"error": "the model is not loaded"})
        response = web.StreamResponse(headers=self._head())
        await response.prepare(request)
        try:
            await self._body(request, response)
        except ConnectionError:
            self.left += 1
        return response

    def _head(self) -> Mapping[str, str]:
        match self.behaviour:
            case Behaviour.EVENTS | Behaviour.BROKEN_EVENT:
                return {"Content-Type": "text/event-stream"}
            case Behaviour.MP3:
                return {"Content-Type": "audio/mpeg"}
            case Behaviour.STATED:
                return {"Content-Type": "application/octet-stream", "X-Sample-Rate": "16000"}
        return {"Content-Type": "audio/pcm"}

    async def _body(self, request: web.Request, response: web.StreamResponse) -> None:
        match self.behaviour:
            case Behaviour.WAV | Behaviour.STEREO:
                await self._pieces(response, wav(self.sound, 16_000, 2 if self.behaviour is Behaviour.STEREO else 1))
            case Behaviour.EVENTS:
                for part in (self.sound[:10_000], self.sound[10_000:]):
                    delta = {"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()}
                    await response.write(f"data: {json.dumps(delta)}\n\n".encode())
                await response.write(b'data: {"type": "speech.audio.done"}\n\ndata: [DONE]\n\n')
            case Behaviour.BROKEN_EVENT:
                await response.write(b'data: {"type": "speech.audio.delta", "audio": "?"}\n\n')
            case Behaviour.HANG | Behaviour.STOP:
                if self.behaviour is Behaviour.STOP:
                    await response.write(self.sound[:10_000])
                try:
                    await asyncio.Event().wait()  # until the client leaves
                except asyncio.CancelledError:
                    self.left += 1
                    raise
            case Behaviour.CUT:
                await response.write(self.sound[:10_000])
                if request.transport is not None:
                    request.transport.abort()
            case Behaviour.ENDLESS:
                while True:
                    await response.write(self.sound)
            case Behaviour.EMPTY:
                pass
            case _:
                await self._pieces(response, self.sound)

    async def _pieces(self, response: web.StreamResponse, data: bytes) -> None:
        for begin in range(0, len(data), CHUNK_BYTES):
            await response.write(data[begin : begin + CHUNK_BYTES])


def wav(pcm: bytes, rate_hz: int, channels: int = 1) -> bytes:
    """A WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()
