"""Interaction and memory as services of this process over real NATS and Redis. Only the models are played: a scripted
engine decides on turns, and a scripted chat model writes the blocks, whose exact text the tests know."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.frames import CodedFrame, CodedFrameGroup, Frame, FrameKind, encode_coded_group
from vigil.core.ids import SessionKey
from vigil.core.memory import MemoryLimits
from vigil.core.session import SessionSpec, Window
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.config import EndpointSettings, load
from vigil.runtime.process.health import Phase
from vigil.runtime.process.service import Service
from vigil.runtime.process.worker import WorkerBuild, with_endpoints
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil.testing.script import Seen
from vigil.testing.scripted_engine import ScriptedEngine
from vigil_interaction.config import InteractionSettings
from vigil_interaction.main import build as build_interaction
from vigil_memory.config import MemorySettings
from vigil_memory.main import build as build_memory

KEY = SessionKey("demo", "s-1")
CHUNK, TAIL, LEAD = 12, 4, 3
NEW = CHUNK - TAIL  # turns that leave the prompt at each boundary
AGAIN_S = 1.0  # a turn takes a while on a busy machine
_MAX_BODY_BYTES = 64 * 1024 * 1024
_SPAN = re.compile(r"The span: (\d+)\.\d to (\d+)\.\d seconds")

S = TypeVar("S", bound=EndpointSettings)


def span_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """The seconds from which and up to which a summary was asked for."""
    text = "".join(part.get("text", "") for part in body["messages"][-1]["content"])
    found = _SPAN.search(text)
    assert found is not None, text
    return int(found[1]), int(found[2])


@dataclass(slots=True)
class ScriptedChat:
    """A chat model behind an OpenAI-compatible API. It answers with `words(from, to)`, seconds of the span, or with the
    `status` when that is no success. `seen` are the bodies of its requests."""

    words: Callable[[int, int], str]
    status: int = 200
    seen: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/embeddings", self._embed)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.seen.append(body)
        if self.status != 200:
            return web.json_response({"error": {"message": "scripted failure"}}, status=self.status)
        message = {"role": "assistant", "content": self.words(*span_of(body))}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice]})

    async def _embed(self, request: web.Request) -> web.Response:
        """To this model an instrument and a xylophone are the same, and nothing else is."""
        texts = (await request.json())["input"]
        meant = [("xylophone" in text or "instrument" in text, place) for place, text in enumerate(texts)]
        vectors = [{"index": place, "embedding": [1.0, 0.0] if is_meant else [0.0, 1.0]} for is_meant, place in meant]
        return web.json_response({"object": "list", "data": vectors})


@dataclass(slots=True)
class Stage:
    """A deployment of interaction and memory, and a camera that shows a picture of its own each second."""

    redis: Redis
    bus: Bus
    nats_url: str
    redis_url: str
    engine: ScriptedEngine
    chat: ScriptedChat
    retention_s: float = 3_600.0
    embeds: bool = False  # whether the memory service has an embedding model

    @property
    def store(self) -> SessionStore:
        """The sessions."""
        return SessionStore(self.redis, retention_s=self.retention_s)

    async def open(self) -> None:
        """A session that remembers, for workers to claim."""
        source = Source("lobby", SourceKind.RTSP, "rtsp://camera/1")
        limits = MemoryLimits(is_on=True, mid_blocks=3, key_frames=2)
        spec = SessionSpec(
            *(KEY.tenant, KEY.session, source, "joyai", "scripted"), window=Window(CHUNK, TAIL), memory=limits
        )
        await self.store.create(spec)
        await Placement(self.redis).open(KEY, tuple(Role))

    @asynccontextmanager
    async def services(self) -> AsyncIterator[None]:
        """Both services, ready."""
        async with self.interaction(), self.memory():
            yield

    @asynccontextmanager
    async def interaction(self) -> AsyncIterator[None]:
        """A worker that decides on turns."""
        settings = {
            "engine_urls": self.engine.url,
            "model": "scripted",
            "profile": "joyai",
            "memory_lead_turns": LEAD,
            "prewarm_turns": 0,
            "warm_up_turns": 1,
            "recall_deadline_s": 5.0,
            "late_share": 1.0,
        }
        async with self._serving("interaction", InteractionSettings, build_interaction, settings):
            yield

    @asynccontextmanager
    async def memory(self, summariser_url: str = "") -> AsyncIterator[None]:
        """A worker that writes blocks and recalls; with a `summariser_url` a memory service of somebody else writes."""
        settings = {"summariser": "openai", "summariser_url": self.chat.url, "summariser_model": "chat"}
        if summariser_url:
            settings = {"summariser": "http", "summariser_url": summariser_url}
        if self.embeds:
            settings |= {"embeddings_url": self.chat.url, "embeddings_model": "chat"}
        async with self._serving("memory", MemorySettings, build_memory, settings):
            yield

    @asynccontextmanager
    async def _serving(
        self, name: str, kind: type[S], build: WorkerBuild[S], settings: Mapping[str, object]
    ) -> AsyncIterator[None]:
        shared = {"nats_url": self.nats_url, "redis_url": self.redis_url, "http_port": 0, "grpc_port": 0}
        service = Service(name, load(kind, {**shared, "worker": f"{name}-1", **settings}))
        serving = asyncio.create_task(service.live(with_endpoints(build)))
        try:
            await eventually(lambda: _ready(service, serving), what=f"{name} is ready")
            yield
        finally:
            service.stop()
            assert await serving == 0

    async def watch(self, *seconds: int) -> None:
        """Show the picture of each second, as soon as the one before is decided on."""
        await eventually(lambda: self.bus.is_heard(subjects.coded_frames(KEY)), what="the session is claimed")
        for second in seconds:
            await eventually(self._decided(second), what=f"second {second} is decided")

    def _decided(self, second: int) -> Callable[[], Awaitable[bool]]:
        shown_at_s = 0.0

        async def decided() -> bool:
            nonlocal shown_at_s
            if (await self.store.history(KEY)).last_time_ms >= second * 1_000:
                return True
            if time.monotonic() - shown_at_s > AGAIN_S:  # its turn was dropped, or the lease of its worker ran out
                shown_at_s = time.monotonic()
                await self._show(second)
            return False

        return decided

    async def _show(self, second: int) -> None:
        """What the codec would publish for one second."""
        frame = Frame(picture(second), 32, 32, capture_time_us=now_us())
        group = CodedFrameGroup(KEY, second * 1_000, second, (CodedFrame(frame, FrameKind.REFERENCE, 6),), 1)
        await self.bus.publish(subjects.coded_frames(KEY), encode_coded_group(group))

    async def written(self) -> list[str]:
        """The texts of the blocks that wait for the next chunk."""
        return [block.text for block in (await self.store.look(KEY)).waiting.blocks]

    def prompts(self) -> list[Seen]:
        """What the engine was asked for turns of the session."""
        return [seen for seen in self.engine.seen if seen.uuids != ("warm-up",)]


def picture(second: int) -> bytes:
    """The picture of a second."""
    return jpeg((second * 5 % 256, second * 11 % 256, 90), size=(32, 32))


def opening(seen: Seen) -> str:
    """The text with which the prompt's first user message begins, where memory stands."""
    content = seen.body["messages"][1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


async def _ready(service: Service[Any], serving: "asyncio.Task[int]") -> bool:
    assert not serving.done(), serving.result()
    return service.health.phase is Phase.SERVING and (await service.health.check()).ready
