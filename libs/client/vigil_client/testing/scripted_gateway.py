"""A small gateway that plays a script: real HTTP on a free port, the answers of the real one."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from vigil_client.testing.scripted_answers import (
    ALERT_DETAIL,
    API_KEY,
    APPROVAL,
    ARCHIVE_PAGE,
    ARTEFACT,
    EXCHANGE,
    EXPORTED,
    HEALTH,
    INSTRUCTION,
    MEMORY,
    PATTERN,
    PROMPT,
    RECALL,
    SESSION,
    TASK,
    TURN,
    WAITING_TASK,
    WATCH,
    acted,
    alert_page,
    audit_page,
    decided,
    session_json,
    transcript_page,
    turn_page,
)

KEY = "right-key"


def problem(status: int, kind: str, detail: str, next_step: str) -> web.Response:
    """An RFC 9457 answer."""
    body = {
        "type": f"urn:vigil:problem:{kind}",
        "title": "No",
        "status": status,
        "detail": detail,
        "next_step": next_step,
    }
    return web.json_response(body, status=status, content_type="application/problem+json")


@dataclass
class ScriptedGateway:
    """`streams` are played one for each connection to the events; after the last the stream stays open.

    `sounds` are played likewise, one for each WebSocket of a session's sound.

    `refusals` maps a path to the problem it is answered with. `requests` holds what came, `last_ids` the id that each
    connection to the events went on from.
    """

    streams: Sequence[Sequence[bytes]] = ()
    sounds: Sequence[Sequence[str | bytes]] = ()
    voices: Sequence[str] = ("ben", "heart")
    refusals: dict[str, web.Response] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    connections: int = 0
    last_ids: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path, body))
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return problem(401, "key_wrong", "the key is not valid", "use a valid key")
        if request.path in self.refusals:
            refusal = self.refusals[request.path]  # a response is sent once: each request gets one of its own
            return web.Response(status=refusal.status, body=refusal.body, content_type=refusal.content_type)
        if request.path.endswith(("/events", "/wall")):
            return await self._events(request)
        if request.path.endswith("/audio"):
            return await self._audio(request)
        return self._plain(request, body)

    async def _audio(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        number, self.connections = self.connections, self.connections + 1
        for message in self.sounds[number] if number < len(self.sounds) else ():
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
        if number >= len(self.sounds) - 1:
            async for _ in socket:
                pass
        return socket

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.last_ids.append(request.headers.get("Last-Event-ID", ""))
        number, self.connections = self.connections, self.connections + 1
        for part in self.streams[number] if number < len(self.streams) else ():
            await response.write(part)
        if number >= len(self.streams) - 1:
            await asyncio.Event().wait()
        return response

    def _sent(self) -> dict[str, Any]:
        """What the newest request says of a source without an address."""
        source = self.requests[-1][2].get("source", {})
        return {"kind": source["kind"], "url": ""} if "kind" in source else {}

    def _plain(self, request: web.Request, body: Any) -> web.Response:
        path = request.path.removeprefix("/v1/")
        match request.method, path.split("/"):
            case "POST", ["sessions"]:
                return web.json_response(session_json(source=session_json()["source"] | self._sent()), status=201)
            case "GET", ["sessions"]:
                return web.json_response({"sessions": [session_json()]})
            case "GET", ["sessions", _] | ["sessions", _, ""]:
                return web.json_response(session_json())
            case "PATCH", ["sessions", _]:
                return web.json_response(session_json(speech=session_json()["speech"] | {"response_mode": "reserved"}))
            case "DELETE", ["sessions", _]:
                return web.Response(status=204)
            case "GET", ["sessions", _, "watches"]:
                return web.json_response({"watches": [WATCH]})
            case "GET", ["sessions", _, "instructions"]:
                return web.json_response({"instructions": [INSTRUCTION]})
            case "GET", ["sessions", _, "history"]:
                return web.json_response({"session": SESSION, "turns": [TURN], "dialogue": [EXCHANGE]})
            case "GET", ["sessions", _, "turns"]:
                limit = int(request.query.get("limit", "100"))
                return web.json_response(turn_page(request.query.get("before"), min(limit, 2)))
            case "GET", ["sessions", _, "turns", _, "prompt"]:
                return web.json_response(PROMPT)
            case "GET", ["sessions", _, "turns", turn, "frames", "0"]:
                return web.Response(body=b"\xff\xd8" + turn.encode(), content_type="image/jpeg")
            case "GET", ["sessions", _, "memory"]:
                return web.json_response(MEMORY)
            case "GET", ["sessions", _, "memory", "archive"]:
                return web.json_response(ARCHIVE_PAGE | ({"next": None} if "before" in request.query else {}))
            case "GET", ["sessions", _, "memory", "frames", frame]:
                return web.Response(body=b"\xff\xd8" + frame.encode(), content_type="image/jpeg")
            case "POST", ["sessions", _, "memory", "recall"]:
                return web.json_response(RECALL | {"question": body["question"]})
            case "GET", ["sessions", _, "tasks"]:
                return web.json_response({"tasks": [TASK, WAITING_TASK]})
            case "GET", ["sessions", _, "tasks", task]:
                return web.json_response(TASK | {"id": task})
            case "DELETE", ["sessions", _, "tasks", _]:
                return web.Response(status=204)
            case "GET", ["sessions", _, "tasks", _, "artefacts", _]:
                return web.Response(body=ARTEFACT, content_type="text/html")
            case "GET", ["approvals"]:
                return web.json_response({"approvals": [APPROVAL]})
            case "GET", ["approval-patterns"]:
                return web.json_response({"patterns": [PATTERN]})
            case "DELETE", ["approval-patterns", _]:
                return web.Response(status=204)
            case "POST", ["approvals", approval]:
                return web.json_response(decided(approval, body))
            case "GET", ["alerts"]:
                return web.json_response(alert_page(request.query.get("before")))
            case "GET", ["alerts", "export"]:
                return web.Response(body=EXPORTED, content_type="text/csv")
            case "GET", ["alerts", _]:
                return web.json_response(ALERT_DETAIL)
            case "POST", ["alerts", alert_id, action]:
                return web.json_response(acted(alert_id, action, body))
            case "GET", ["alerts", _, "snapshot"]:
                return web.Response(body=b"\xff\xd8jpeg", content_type="image/jpeg")
            case "GET", ["audit"]:
                return web.json_response(audit_page(request.query.get("after")))
            case "GET", ["key"]:
                return web.json_response(API_KEY)
            case "GET", ["keys"]:
                return web.json_response({"keys": [API_KEY]})
            case "GET", ["sessions", _, "transcripts"]:
                return web.json_response(transcript_page(request.query.get("before")))
            case "GET", ["voices"]:
                return web.json_response({"voices": list(self.voices)})
            case "GET", ["health"]:
                return web.json_response(HEALTH)
            case "POST" | "PUT" | "DELETE", _:
                return web.json_response({"id": "q-1", "session": SESSION}, status=202)
        return problem(404, "unknown_session", "no such session", "list them")


@asynccontextmanager
async def playing(gateway: ScriptedGateway) -> AsyncIterator[ScriptedGateway]:
    """Serve the script on a free port; its address is in `url`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", gateway.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gateway
    finally:
        await runner.cleanup()


@contextmanager
def playing_aside(gateway: ScriptedGateway) -> Iterator[ScriptedGateway]:
    """Serve the script from a thread of its own, for a test that has no event loop."""
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def play() -> None:
        async with playing(gateway):
            ready.set()
            await stop.wait()

    with closing(loop), ThreadPoolExecutor(1) as thread:
        played = thread.submit(loop.run_until_complete, play())
        try:
            assert ready.wait(10), "the scripted gateway did not start"
            yield gateway
        finally:
            loop.call_soon_threadsafe(stop.set)
            played.result(10)
