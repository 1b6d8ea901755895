"""A whole Vigil as processes, each with a collector of its spans: what cameras, clients and receivers ask of it.

The engine is scripted: every fifth of its answers raises an alert. Cameras are a looping file.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from door import KEY, TENANT, process

from observability.collector import Collector, collecting_spans
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil.testing.ports import free_port
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer
from vigil.testing.videos import write_video

START_S = 180.0
CHUNK_TURNS = 6
SERVICES = ("ingestion", "codec", "interaction", "memory", "brain", "gateway", "webhook")
HARD = "Who made the clock on the wall?"
BLOCK_PROMPTS = ("Summarise the frames.", "Merge the memories.")
WATCH = {"text": "Alert me when a fire starts.", "name": "fire", "confirm_s": 0, "hold_s": 1, "cooldown_s": 1}
_SPEAKS_EVERY = 5
_SECRET = "whsec_" + "dmlnaWwtYmVuY2gtc2VjcmV0LW9mLTMyLWJ5dGVzISE="


@dataclass(slots=True)
class Stage:
    """Where everything is. `posts` are the headers of what the webhook receiver got."""

    folder: Path
    http: aiohttp.ClientSession
    grpc: str
    engine: ScriptedEngine
    collector: Collector
    video: Path
    ports: dict[str, int] = field(default_factory=dict)
    posts: list[dict[str, str]] = field(default_factory=list)

    async def open(self, source: str, **body: Any) -> str:
        """Open a session on the looping file under this source's name, with the watch; its id."""
        wanted = {
            "source": {"url": self.video.as_uri(), "id": source, "loop": True},
            "watches": [WATCH],
            "cadence": {"interval_ms": 500},
            "window": {"chunk_turns": CHUNK_TURNS, "tail_turns": 1},  # the others leave: a span of memory
            "speech": {"duplicate_guard": "off"},
            "memory": {"is_on": True},
            **body,
        }
        async with self.http.post("/v1/sessions", json=wanted) as answer:
            found = await answer.json()
        assert answer.status == 201, found
        return str(found["id"])

    async def push(self, session: str) -> int:
        """Show a picture through the OpenAI-compatible door; the status."""
        picture = {"type": "image_url", "image_url": {"url": jpeg_url()}}
        body = {"model": "scripted", "messages": [{"role": "user", "content": [picture]}]}
        async with self.http.post("/v1/chat/completions", json=body, headers={"x-session-id": session}) as answer:
            await answer.read()
            return answer.status

    def log_lines(self) -> list[dict[str, Any]]:
        """Every line that a service has logged so far."""
        texts = (self.folder.joinpath(f"{name}.log").read_text() for name in SERVICES)
        return [json.loads(line) for text in texts for line in text.splitlines() if line.startswith("{")]


def speaks_now_and_then(seen: Seen) -> Reply:
    """An alarm at every fifth answer; between two of them the alert closes. A hard question is delegated. The memory
    service gets a block."""
    if seen.text.startswith(BLOCK_PROMPTS):
        return Reply("At 1 second a fire started.", delay_s=0.02)
    if seen.body["messages"] and HARD in json.dumps(seen.body["messages"][-1], ensure_ascii=False):
        return Reply("</response> Let me see. </delegation> Who made the clock?")
    return Reply("</response> A fire has started." if seen.index % _SPEAKS_EVERY == 2 else "</silence>", delay_s=0.02)


def jpeg_url() -> str:
    """A small picture as the chat door takes it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg()).decode()


def brain_that_is_missing(folder: Path) -> Path:
    """An embedded brain that is not installed, also where `make brain` was run: it refuses at once."""
    path = folder / "brains.json"
    brain = {"name": "embedded", "kind": "embedded", "folder": str(folder / "none")}
    path.write_text(json.dumps({"brains": [brain], "default": "embedded"}))
    return path


@asynccontextmanager
async def whole_system(folder: Path, *, brains: Path | None = None) -> AsyncIterator[Stage]:
    """Everything started and ready; ended on leaving. `brains` is the file of brains, if there is to be one."""
    nats, redis = NatsServer(folder / "nats"), RedisServer(folder / "redis")
    ports, gateway_port = {name: free_port() for name in SERVICES}, free_port()
    grpc = {name: free_port() for name in ("ingestion", "gateway")}
    async with AsyncExitStack() as stack:
        for server in (nats, redis):
            await server.start()
            stack.push_async_callback(server.kill)
        engine = await stack.enter_async_context(ScriptedEngine(speaks_now_and_then))
        collector = await stack.enter_async_context(collecting_spans())
        http = await stack.enter_async_context(
            aiohttp.ClientSession(f"http://127.0.0.1:{gateway_port}", headers={"Authorization": f"Bearer {KEY}"})
        )
        video = await asyncio.to_thread(write_video, folder / "camera.mp4", 6, 10)
        stage = Stage(folder, http, f"127.0.0.1:{grpc['gateway']}", engine, collector, video, ports)
        receiver = await stack.enter_async_context(_receiver(stage))
        shared = {"NATS_URL": nats.url, "REDIS_URL": redis.url, "OTLP_ENDPOINT": collector.endpoint}
        own: dict[str, dict[str, object]] = {
            "ingestion": {"GRPC_PORT": grpc["ingestion"], "LOCAL_SOURCE_TENANTS": TENANT},
            "codec": {"GRPC_PORT": 0},
            "memory": {"GRPC_PORT": 0, "ENGINE_URLS": engine.url, "MODEL": "scripted"},
            "brain": {"GRPC_PORT": 0, **({"BRAINS_FILE": brains} if brains else {})},
            "interaction": {"GRPC_PORT": 0, "ENGINE_URLS": engine.url, "MODEL": "scripted", "WARM_UP_TURNS": 1},
            "gateway": {
                "HTTP_PORT": gateway_port,
                "METRICS_PORT": ports["gateway"],
                "GRPC_PORT": grpc["gateway"],
                "API_KEYS_FILE": _keys(folder),
                "INGESTION_GRPC": f"127.0.0.1:{grpc['ingestion']}",
                "MODEL": "scripted",
            },
            "webhook": {"WEBHOOKS_FILE": _webhooks(folder, receiver), "WEBHOOK_ALLOW_LOCAL": "true"},
        }
        for name in SERVICES:
            settings = {"HTTP_PORT": ports[name], **shared, **own[name]}
            await stack.enter_async_context(process(name, folder, settings))
        for name in SERVICES:
            await eventually(lambda name=name: _is_ready(ports[name]), START_S, f"{name} is ready")  # type: ignore[misc]
        await eventually(lambda: _takes_sessions(http), START_S, "sessions are taken")
        yield stage


@asynccontextmanager
async def _receiver(stage: Stage) -> AsyncIterator[int]:
    """A webhook receiver that takes everything; its port."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        stage.posts.append(dict(request.headers))
        return web.Response(status=204)

    application, port = web.Application(), free_port()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield port
    finally:
        await runner.cleanup()


def _keys(folder: Path) -> Path:
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": [{"sha256": hashlib.sha256(KEY.encode()).hexdigest(), "tenant": TENANT}]}))
    return path


def _webhooks(folder: Path, port: int) -> Path:
    endpoint = {"name": "pager", "tenant": TENANT, "url": f"http://127.0.0.1:{port}/hook", "secret": _SECRET}
    path = folder / "webhooks.json"
    path.write_text(json.dumps({"endpoints": [endpoint]}))
    return path


async def _is_ready(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _takes_sessions(http: aiohttp.ClientSession) -> bool:
    async with http.get("/v1/health") as answer:
        return answer.status == 200 and bool((await answer.json())["takes_sessions"])
