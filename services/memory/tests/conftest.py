"""Real NATS and Redis, a session whose turns are to be remembered, and an API that plays a script."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.memory import memory_outgoing
from vigil.contract.streams import DEAD_LETTERS, MEMORY_EVENTS, MEMORY_REQUESTS, StreamSpec
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, MemoryRequest, RequestKind
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.task import KeyFrame
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.backoff import Backoff
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil_memory.backlog import Limits
from vigil_memory.memory_worker import Learn, MemoryWorker
from vigil_memory.ports import Ports, now_us
from vigil_memory.summarisers.port import SummaryTask

KEY = SessionKey("demo", "s-1")
Answer = Callable[[Any], web.Response]


@dataclass(slots=True)
class ScriptedSummariser:
    """Answers with `answers` in turn, the last one for ever; an exception is raised. Waits for `may_answer` first."""

    answers: list[str | Exception] = field(default_factory=lambda: ["The door is open."])
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[SummaryTask] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def write(self, task: SummaryTask) -> str:
        """See `Summariser`."""
        self.tasks.append(task)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.may_answer.wait()
        finally:
            self.running -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(slots=True)
class Stage:
    """A deployment without interaction: sessions that ask for blocks, and workers on demand."""

    bus: Bus
    redis: Redis
    nats_url: str
    redis_url: str
    summariser: ScriptedSummariser = field(default_factory=ScriptedSummariser)

    @property
    def sessions(self) -> SessionStore:
        return SessionStore(self.redis)

    async def open(self, session: str = "s-1") -> MemoryRequest:
        """A session of two turns, and a request for its first block that is not published."""
        key = SessionKey("demo", session)
        spec = SessionSpec("demo", session, Source("lobby", SourceKind.RTSP, "rtsp://camera/1"), "joyai", "m")
        await self.sessions.create(spec)
        await self.sessions.take(key, 1)
        frames = tuple(KeyFrame(f"{session}-{n}-0", 1_000 * n) for n in range(2))
        turns = tuple(
            Turn(n, frame.time_ms, (FrameRef(frame.uuid, 32, 32),), "</silence>") for n, frame in enumerate(frames)
        )
        for number, (turn, frame) in enumerate(zip(turns, frames, strict=True)):
            state = SessionState(number + 1, turn.time_ms, Chunk(turns=turns[: number + 1]))
            await self.sessions.commit(key, 1, Commit(state, turn, frames=((frame.uuid, jpeg(size=(32, 32))),)))
        now = now_us()
        return MemoryRequest(
            RequestKind.SUMMARY, "demo", session, "lobby", "0-2000-0", 0, 0, 2_000, "harness", "m",
            frames=frames, due_us=now + 20_000_000, requested_at_us=now, ttl_s=600.0,
        )  # fmt: skip

    async def ask(self, session: str = "s-1", **fields: Any) -> MemoryRequest:
        """A session that waits for its first block, and its request in the stream."""
        request = replace(await self.open(session), **fields)
        await self.publish(request)
        return request

    async def publish(self, request: MemoryRequest) -> None:
        await self.bus.publish_stored(memory_outgoing(request))

    async def blocks(self, session: str = "s-1") -> tuple[Block, ...]:
        """The blocks that wait for the session's next chunk."""
        return (await self.sessions.look(SessionKey("demo", session))).waiting.blocks

    async def events(self, stream: StreamSpec = MEMORY_EVENTS) -> list[CloudEvent]:
        """The stored events, oldest first."""
        page = await self.bus.stored(stream, stream.family, 1, 1_000)
        return [decode_event(message.payload) for message in page.messages]

    async def told(self) -> list[str]:
        """The kinds of the events of memory."""
        return [event.type.rpartition(".")[2] for event in await self.events()]

    async def letters(self) -> list[str]:
        """Why there are dead letters."""
        return [event.data["reason"] for event in await self.events(DEAD_LETTERS)]

    async def is_over(self) -> None:
        """Wait until no request is left in the stream."""

        async def over() -> bool:
            return not (await self.bus.size(MEMORY_REQUESTS)).messages

        await eventually(over, what="every request is acknowledged")

    @asynccontextmanager
    async def worker(
        self, limits: Limits | None = None, learn: Learn | None = None, **fields: Any
    ) -> AsyncIterator[MemoryWorker]:
        """A worker that works until the block ends, and then hands back what it has."""
        ports = Ports(
            self.bus, self.sessions, self.summariser, lease_s=20.0, backoff=Backoff(first_s=0.01, most_s=0.01)
        )
        worker = MemoryWorker(replace(ports, **fields), limits or Limits(), learn)
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


@dataclass(slots=True)
class Api:
    """An HTTP server that answers each call with the next of `answers`, the last one for ever; it keeps the calls."""

    answers: list[Answer] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.calls.append(json.loads(await request.text()))
        self.headers.append(dict(request.headers))
        await self.may_answer.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(self.calls[-1])


def said(text: str | None) -> Answer:
    """A chat completion with this text."""
    choices = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]
    return lambda call: web.json_response({"id": "1", "object": "chat.completion", "choices": choices})


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A server that answers at once, unless the test clears `may_answer`."""
    served = Api([said("The door is open.")])
    served.may_answer.set()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/{path:.*}", served.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        served.may_answer.set()
        await runner.cleanup()


@pytest.fixture
def stage(bus: Bus, redis: Redis, nats_server: Any, redis_server: Any) -> Stage:
    """NATS and Redis of this test's own."""
    return Stage(bus, redis, nats_server.url, redis_server.url)
