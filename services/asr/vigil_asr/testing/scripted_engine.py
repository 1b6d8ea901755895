"""A stand-in for every engine: OpenAI's transcriptions and realtime endpoint, vLLM's, and FunASR's two WebSocket
servers.

It understands nothing: it says what it is told to say, remembers what it was sent, and misbehaves on request.
"""

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from aiohttp import WSMsgType, web


class Behaviour(StrEnum):
    """What it does with the next remarks."""

    ANSWER = "answer"
    HANG = "hang"  # it takes the sound and never says a word
    PIECES = "pieces"  # its answer comes in two pieces
    GARBAGE = "garbage"  # it says what its protocol does not have
    CUT = "cut"  # it closes the connection in the middle
    REFUSE = "refuse"  # it says that it cannot
    BUSY = "busy"  # it answers 503; its WebSockets close at once


class ScriptedEngine:
    """`says` gives the words for so many seconds of sound; `log_probability` is that of OpenAI's segments, which a
    model may not have (`has_segments`)."""

    def __init__(self) -> None:
        self.behaviour = Behaviour.ANSWER
        self.says: Callable[[float], str] = lambda seconds: "is anybody there"
        self.log_probability = -0.1
        self.has_segments = True
        self.language = "en"
        self.classic_ends: list[dict[str, Any]] | None = None  # what its classic form says at the end, if not the usual
        self.url = ""
        self.forms: list[dict[str, str]] = []
        self.keys: list[str] = []
        self.commands: list[Any] = []
        self.sound = bytearray()  # of all WebSockets
        self.seconds: list[float] = []  # of each transcription

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ScriptedEngine"]:
        """Serve on a free port for as long as the block runs."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/v1/audio/transcriptions", self._transcription),
                web.get("/v1/realtime", self._realtime),
                web.get("/classic", self._classic),
                web.get("/funasr", self._funasr_realtime),
                web.get("/elsewhere/{path:.*}", _elsewhere),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _transcription(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", ""))
        fields = await request.post()
        file = fields["file"]
        assert isinstance(file, web.FileField)
        with file.file, wave.open(io.BytesIO(file.file.read())) as sound:
            seconds = sound.getnframes() / sound.getframerate()
        self.forms.append({name: str(value) for name, value in fields.items() if name != "file"})
        self.seconds.append(seconds)
        match self.behaviour:
            case Behaviour.HANG:
                await asyncio.Event().wait()
            case Behaviour.GARBAGE:
                return web.Response(text="<html>")
            case Behaviour.CUT:
                assert request.transport is not None
                request.transport.close()
            case Behaviour.REFUSE:
                return web.json_response({"error": {"message": "no such model"}}, status=400)
            case Behaviour.BUSY:
                return web.json_response({"error": {"message": "busy"}}, status=503)
        text = self.says(seconds)
        if not self.has_segments:
            is_refused = fields["response_format"] == "verbose_json"
            return web.json_response(
                {"error": "no segments"} if is_refused else {"text": text}, status=400 if is_refused else 200
            )
        segments = [{"id": 0, "text": text, "avg_logprob": self.log_probability}]
        answer = {"text": text, "language": self.language, "segments": segments}
        if self.behaviour is Behaviour.PIECES:
            return await _in_pieces(request, json.dumps(answer).encode())
        return web.json_response(answer)

    async def _realtime(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        is_vllm = False
        async for message in socket:
            event = json.loads(message.data)
            self.commands.append(event)
            if event["type"] == "session.update":
                is_vllm = event["session"]["audio"]["input"]["format"]["rate"] == 16_000
            if not await self._goes_on(socket, {"type": "error", "error": {"message": "no such model"}}):
                break
            if event["type"] == "input_audio_buffer.append" and self.behaviour is Behaviour.ANSWER:
                self.sound += base64.b64decode(event["audio"])
                await socket.send_json({"type": _DELTA[is_vllm], "delta": "is "})
            if event["type"] == "input_audio_buffer.commit" and self.behaviour is Behaviour.ANSWER:
                await socket.send_json({"type": _DONE[is_vllm], _TEXT[is_vllm]: self.says(0)})
        return socket

    async def _classic(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["binary"])
        await socket.prepare(request)
        async for message in socket:
            if not await self._goes_on(socket, {"mode": "no_such_mode", "text": ""}):
                break
            if message.type is WSMsgType.BINARY:
                self.sound += message.data
                if self.behaviour is Behaviour.ANSWER:
                    await socket.send_json({"mode": "2pass-online", "text": " is", "is_final": False})
            else:
                event = json.loads(message.data)
                self.commands.append(event)
                if not event["is_speaking"] and self.behaviour is Behaviour.ANSWER:
                    for said in self.classic_ends if self.classic_ends is not None else self._classic_ends():
                        await socket.send_json(said)
        return socket

    def _classic_ends(self) -> list[dict[str, Any]]:
        good = {"mode": "2pass-offline", "text": self.says(0), "wav_name": "vigil", "is_final": True}
        return [good, {"mode": "2pass", "wav_name": "vigil", "is_final": True, "is_end": True}]

    async def _funasr_realtime(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if not await self._goes_on(socket, {"event": "error", "error": "no such model"}):
                break
            if message.type is WSMsgType.BINARY:
                self.sound += message.data
                if self.behaviour is Behaviour.ANSWER:
                    await socket.send_json({"sentences": [], "partial": "is any", "is_final": False})
                continue
            self.commands.append(message.data)
            if message.data == "START":
                await socket.send_json({"event": "started"})
            if message.data == "STOP" and self.behaviour is Behaviour.ANSWER:
                await socket.send_json({"sentences": [{"text": self.says(0)}], "partial": "", "is_final": True})
                await socket.send_json({"event": "stopped"})
        return socket

    async def _goes_on(self, socket: web.WebSocketResponse, refusal: dict[str, Any]) -> bool:
        """Misbehave; returns whether the conversation goes on."""
        match self.behaviour:
            case Behaviour.GARBAGE:
                await socket.send_str("<html>")
            case Behaviour.REFUSE:
                await socket.send_json(refusal)
            case Behaviour.CUT | Behaviour.BUSY:
                return False
        return True


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/{request.match_info['path']}?{request.query_string}")


async def _in_pieces(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(body[:10])
    await asyncio.sleep(0.05)  # else the two pieces may come as one
    await response.write(body[10:])
    return response


_DELTA = {False: "conversation.item.input_audio_transcription.delta", True: "transcription.delta"}
_DONE = {False: "conversation.item.input_audio_transcription.completed", True: "transcription.done"}
_TEXT = {False: "transcript", True: "text"}
