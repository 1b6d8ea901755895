"""A real OpenAI-compatible HTTP server that answers delegated questions by a script, or fails in every known way.

It streams chat completions, plays tool calls that a script asks for, and keeps background responses. It records what it
was asked and counts the clients that went away before their answer ended.
"""

import argparse
import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from aiohttp import web

REMEMBERED_REQUESTS = 2_000
_MAX_BODY_BYTES = 64 * 1024 * 1024
_FLOOD_BYTES = 200 * 1024 * 1024


class Behaviour(StrEnum):
    """How the server answers."""

    ANSWER = "answer"
    ERROR = "error"  # status 500
    REFUSE = "refuse"  # status 401
    GARBAGE = "garbage"  # no JSON
    HANG = "hang"  # takes the request and says nothing
    CUT = "cut"  # breaks off in the middle of its answer
    FLOOD = "flood"  # 200 MB of output


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Instead of an answer: the model calls this tool."""

    tool: str
    arguments: Mapping[str, Any]


Answers = Callable[[Mapping[str, Any]], "str | ToolUse"]


def echo(body: Mapping[str, Any]) -> str:
    """Answers with the text of the last message."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[0]["text"])


class ScriptedBrain:
    """The server. `answers` and `behaviour` may be replaced at any time; `delay_s` is how long it thinks."""

    def __init__(self, answers: Answers = echo, *, port: int = 0, host: str = "127.0.0.1") -> None:
        self.answers = answers
        self.behaviour = Behaviour.ANSWER
        self.delay_s = 0.0
        self.seen: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_REQUESTS)
        self.keys: deque[str] = deque(maxlen=REMEMBERED_REQUESTS)
        self.left = 0  # clients that went away before their answer ended
        self.responses: dict[str, dict[str, Any]] = {}
        self.failed_polls = 0  # of background responses
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The root of its API."""
        return f"http://{self._host}:{self._port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._complete),
                web.get("/v1/models", _models),
                web.post("/v1/responses", self._create_response),
                web.get("/v1/responses/{id}", self._get_response),
                web.post("/v1/responses/{id}/cancel", self._cancel_response),
            ]
        )
        # A handler is cancelled when its client goes away: that is how the server knows.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = int(self._runner.addresses[0][1])  # kept, so that it comes back at the same address
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        try:
            return await self._play(request, body)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left += 1
            raise

    async def _play(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)  # the script's slowness: nobody waits for anything here
        match self.behaviour:
            case Behaviour.HANG:
                await asyncio.Event().wait()
            case Behaviour.ERROR:
                return web.json_response({"error": {"message": "scripted failure"}}, status=500)
            case Behaviour.REFUSE:
                return web.json_response({"error": {"message": "wrong key"}}, status=401)
            case Behaviour.GARBAGE:
                return web.Response(body=b"data: {garbage\n\n", content_type="text/event-stream")
        return await self._stream(request, body)

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if self.behaviour is Behaviour.FLOOD:
            piece = _chunk({"content": "x" * 65_536})
            for _ in range(_FLOOD_BYTES // 65_536):
                await response.write(piece)
        said = self.answers(body)
        if isinstance(said, ToolUse):
            await response.write(_chunk({"tool_calls": [_call(said, len(self.seen))]}))
            await response.write(_chunk({}, "tool_calls") + b"data: [DONE]\n\n")
            return response
        words = said.split(" ")
        for place, word in enumerate(words):
            if self.behaviour is Behaviour.CUT and place >= len(words) // 2:
                _close(request)
                return response
            await response.write(_chunk({"content": word if place == 0 else f" {word}"}))
        await response.write(_chunk({}, "stop") + b"data: [DONE]\n\n")
        return response

    async def _create_response(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.seen.append(body)
        if self.behaviour is Behaviour.ERROR:
            return web.json_response({"error": {"message": "scripted failure"}}, status=500)
        if self.behaviour is Behaviour.GARBAGE:
            return web.Response(text="garbage", content_type="application/json")
        name = f"resp_{len(self.seen)}"
        self.responses[name] = {"id": name, "status": "queued"}
        return web.json_response(self.responses[name])

    async def _get_response(self, request: web.Request) -> web.Response:
        if self.behaviour is Behaviour.ERROR:
            self.failed_polls += 1
            return web.json_response({"error": {"message": "scripted failure"}}, status=500)
        response = self.responses[request.match_info["id"]]
        shown = dict(response)
        if self.behaviour is Behaviour.ANSWER:
            steps = {"queued": "in_progress", "in_progress": "completed"}
            response["status"] = steps.get(response["status"], response["status"])
            if response["status"] == "completed":
                text = self.answers({"messages": [{"content": self.seen[-1]["input"][-1]["content"]}]})
                part = {"type": "output_text", "text": text}
                response["output"] = [{"type": "reasoning"}, {"type": "message", "content": [part]}]
        return web.json_response(shown)

    async def _cancel_response(self, request: web.Request) -> web.Response:
        response = self.responses[request.match_info["id"]]
        response["status"] = "cancelled"
        return web.json_response(response)


async def _models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "scripted", "object": "model"}]})


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    """A chunk with all that clients of such servers read."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _call(use: ToolUse, number: int) -> dict[str, Any]:
    function = {"name": use.tool, "arguments": json.dumps(use.arguments)}
    return {"index": 0, "id": f"call_{number}", "type": "function", "function": function}


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _serve(port: int, text: str, delay_s: float, behaviour: Behaviour) -> None:
    async with ScriptedBrain(lambda body: text or echo(body), port=port) as brain:
        brain.delay_s, brain.behaviour = delay_s, behaviour
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--text", default="", help="the answer to every question; without it the question itself")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that it thinks")
    parser.add_argument("--behaviour", type=Behaviour, choices=list(Behaviour), default=Behaviour.ANSWER)
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.port, chosen.text, chosen.delay, chosen.behaviour))
