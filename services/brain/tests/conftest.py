"""Real NATS and Redis, sessions that wait for answers, and a brain that plays a script."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from vigil.contract.delegation import task_outgoing
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.streams import APPROVALS, DELEGATIONS, TASKS, StreamSpec
from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.task import KeyFrame, TaskRecord, TaskRequest, TaskState
from vigil.core.turn import FrameRef, Result, Task, Turn
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil_brain.backlog import Limits
from vigil_brain.brains.port import Brain
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.catalogue import Catalogue
from vigil_brain.ports import Ports, now_us
from vigil_brain.task_worker import TaskWorker
from vigil_brain.testing.scripted_brain import ScriptedBrain

KEY = SessionKey("demo", "s-1")


@dataclass(slots=True)
class Stage:
    """A deployment without interaction: sessions that have delegated, and workers on demand."""

    bus: Bus
    redis: Redis
    folder: Path
    nats_url: str
    redis_url: str
    brain: ScriptedBrain = field(default_factory=ScriptedBrain)

    @property
    def sessions(self) -> SessionStore:
        return SessionStore(self.redis)

    @property
    def tasks(self) -> TaskStore:
        return TaskStore(self.redis)

    @property
    def approvals(self) -> ApprovalStore:
        return ApprovalStore(self.redis)

    async def delegate(self, session: str = "s-1", count: int = 1, **fields: Any) -> list[TaskRequest]:
        """A session that waits for the answers of `count` tasks, and their messages in the stream."""
        requests = await self.open(session, count, **fields)
        for request in requests:
            await self.bus.publish_stored(task_outgoing(request))
        return requests

    async def open(self, session: str = "s-1", count: int = 1, **fields: Any) -> list[TaskRequest]:
        """The session alone."""
        key = SessionKey("demo", session)
        uuid = f"{session}-0-0"
        waiting = tuple(Task(f"{session}-{n}", f"Question {n}?", "Let me see.", 0, 120_000) for n in range(count))
        turn = Turn(0, 0, (FrameRef(uuid, 32, 32),), "</response> Let me see. </delegation> Question 0?")
        spec = SessionSpec("demo", session, Source("lobby", SourceKind.RTSP, "rtsp://camera/1"), "joyai", "m")
        await self.sessions.create(spec)
        await self.sessions.take(key, 1)
        state = SessionState(1, 0, Chunk(turns=(turn,)), tasks=waiting)
        await self.sessions.commit(key, 1, Commit(state, turn, frames=((uuid, jpeg(size=(32, 32))),)))
        made = TaskRequest(
            "demo", session, "lobby", "", "", "Let me see.", opened_at_us=now_us(), frames=(KeyFrame(uuid, 0),)
        )
        made = replace(made, **fields)
        return [replace(made, task=task.id, question=task.question) for task in waiting]

    async def results(self, session: str = "s-1") -> tuple[Result, ...]:
        """What waits for the session's next turn."""
        return (await self.sessions.look(SessionKey("demo", session))).waiting.results

    async def record(self, task: str = "s-1-0", session: str = "s-1") -> TaskRecord:
        """What the store keeps of a task."""
        found = await self.tasks.get(SessionKey("demo", session), task)
        assert found is not None
        return found

    async def events(self, stream: StreamSpec = DELEGATIONS) -> list[CloudEvent]:
        """The stored events, oldest first."""
        page = await self.bus.stored(stream, stream.family, 1, 1_000)
        return [decode_event(message.payload) for message in page.messages]

    async def kinds(self, stream: StreamSpec = DELEGATIONS) -> list[str]:
        """The kinds of the stored events."""
        return [event.type.rpartition(".")[2] for event in await self.events(stream)]

    async def approval(self) -> CloudEvent:
        """The first request for an approval, once there is one."""

        async def asked() -> CloudEvent | None:
            return next(iter(await self.events(APPROVALS)), None)

        found = await eventually(asked, what="an approval was asked for")
        assert found is not None
        return found

    async def is_over(self, task: str = "s-1-0", session: str = "s-1") -> TaskState:
        """How the task ended, once it has and its message is acknowledged."""

        async def over() -> TaskState | None:
            found = await self.tasks.get(SessionKey("demo", session), task)
            left = (await self.bus.size(TASKS)).messages
            return found.state if found is not None and found.state.is_final and not left else None

        state = await eventually(over, what=f"task {task} is over")
        assert state is not None
        return state

    @asynccontextmanager
    async def ports(self, name: str = "worker-1", timeout_s: float = 60.0, **fields: Any) -> AsyncIterator[Ports]:
        """The ports of a worker whose one brain is the scripted one."""
        path = self.folder / "brains.json"
        path.write_text(json.dumps({"brains": [{"name": "small", "kind": "scripted", "timeout_s": timeout_s}]}))

        @asynccontextmanager
        async def open_brain(spec: BrainSpec) -> AsyncIterator[Brain]:
            yield self.brain

        async with Catalogue.opened(path, lambda kind, settings: [], open_brain) as catalogue:
            yield replace(
                Ports(self.bus, self.tasks, self.sessions, self.approvals, catalogue, name, lease_s=1.0), **fields
            )

    @asynccontextmanager
    async def worker(
        self, name: str = "worker-1", limits: Limits | None = None, **fields: Any
    ) -> AsyncIterator[TaskWorker]:
        """A worker that works until the block ends, and then hands back what it has."""
        async with self.ports(name, **fields) as ports:
            worker = TaskWorker(ports, limits or Limits())
            running = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running


@pytest.fixture
def stage(bus: Bus, redis: Redis, tmp_path: Path, nats_server: Any, redis_server: Any) -> Stage:
    """NATS and Redis of this test's own."""
    return Stage(bus, redis, tmp_path, nats_server.url, redis_server.url)
