"""Each service does with Redis all that its code does, as its own user: nothing of it is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import ASR, BRAIN, CODEC, GATEWAY, INGESTION, INTERACTION, MEMORY, SERVICES, TTS
from vigil.core.approval import Approval, ApprovalPattern
from vigil.core.command import Ask, Reset
from vigil.core.ids import SessionKey
from vigil.core.memory import Block
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Role, Source, SourceKind
from vigil.core.task import KeyFrame, TaskRequest, TaskState
from vigil.core.turn import FrameRef, Result, Turn
from vigil.runtime.placement.leases import Offer, Placement
from vigil.runtime.store.agent_tasks import AgentTask, AgentTasks
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.memory_archive import ArchivedBlock
from vigil.runtime.store.names import SessionNames
from vigil.runtime.store.pushed import PushedSessions
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.tasks import Ending, TaskStore
from vigil.runtime.store.turn_lease import TurnLeases
from vigil_provision.testing.servers import ConfiguredRedis

KEY = SessionKey("demo", "s-1")
SPEC = SessionSpec("demo", "s-1", Source("lobby", SourceKind.RTSP, "rtsp://camera/1"), "vigil-small", "vigil-small")
ROLES = tuple(Role)


@pytest.fixture
async def operator(store: ConfiguredRedis) -> AsyncIterator[Any]:
    """A Redis with an open session that nobody holds; the client of the one who may do everything."""
    async with open_redis(store.url_of("operator")) as client:
        await SessionStore(client).create(SPEC, [Ask("q-1", "Who is there?")])
        await Placement(client).open(KEY, ROLES)
        yield client


async def hold(redis: Redis, role: Role) -> None:
    """What every claimer does."""
    placement, sessions = Placement(redis, lease_s=60), SessionStore(redis)
    await sessions.ping()
    await placement.heartbeat(role, "w-1", Offer(4, 8, ("vigil-small",)))
    claims = await placement.claim(role, "w-1", 4)
    assert [claim.key for claim in claims] == [KEY]
    assert await placement.renew(role, "w-1", claims) == []
    assert (await placement.capacity(role)).workers == 1
    assert (await sessions.look(KEY)).spec == SPEC
    assert await sessions.ended(KEY) is None
    await placement.lacking(KEY, [role])
    await placement.owner(role, KEY)
    assert await placement.release(role, "w-1", claims) == []
    await placement.retire(role, "w-1")
    await placement.close(KEY, [role])


async def code(redis: Redis) -> None:
    await hold(redis, Role.CODEC)


async def hear(redis: Redis) -> None:
    await hold(redis, Role.ASR)
    await SessionStore(redis).submit(KEY, Ask("r-1", "Who is there?"))


async def speak(redis: Redis) -> None:
    await hold(redis, Role.TTS)


async def ingest(redis: Redis) -> None:
    sessions = SessionStore(redis)
    await hold(redis, Role.INGESTION)
    await sessions.set_origin(KEY, 1_000_000)
    await sessions.set_status(KEY, "ingestion", "{}")
    assert await sessions.status(KEY) == {"ingestion": "{}"}
    assert await sessions.watched_until_us(KEY) == 0
    await Placement(redis).lacking(KEY, [Role.CODEC])
    await sessions.end(KEY, "the file is over")
    await sessions.set_status(KEY, "ingestion", "{}")
    await Placement(redis).close(KEY, [Role.INGESTION, Role.CODEC])


async def interact(redis: Redis) -> None:
    sessions, placement = SessionStore(redis), Placement(redis)
    await hold(redis, Role.INTERACTION)
    await sessions.take(KEY, 2)
    assert not await sessions.is_overtaken(KEY, 2)
    turn = Turn(0, 0, (FrameRef("f-0", 160, 96),), "</silence>", ("Who is there?",))
    message = Outgoing("vigil.v1.decision.demo.s-1", "d-0", b"0", PROTOBUF)
    state = SessionState(next_sequence=1, chunk=Chunk(0, (), (turn,)))
    for restart in (False, True):
        commit = Commit(state, turn, restart=restart, frames=(("f-0", b"jpeg"),), outgoing=(message,))
        await sessions.commit(KEY, 2, commit)
    summary = ArchivedBlock(Block("0-1000-0", 0, 0, 1_000, "Nobody."), (KeyFrame("f-0", 0),))
    await sessions.commit(KEY, 2, Commit(state, consumed_blocks=1, archived=(summary,), key_frames=summary.frames))
    await sessions.commit(KEY, 2, Commit(state, published=1, consumed=1, forgets=True))
    assert await sessions.frames(KEY, ["f-0"]) == {"f-0": b"jpeg"}
    await sessions.submit(KEY, Reset())
    await sessions.set_status(KEY, "interaction", "{}")
    await placement.lacking(KEY, ROLES)


async def summarise(redis: Redis) -> None:
    sessions = SessionStore(redis)
    await sessions.ping()
    await sessions.frames(KEY, ["f-0"])
    assert await sessions.write_block(KEY, Block("0-1000-0", 0, 0, 1_000, "Nobody."))
    await sessions.history(KEY)
    await sessions.look(KEY)
    await sessions.archive(KEY)


async def think(redis: Redis) -> None:
    sessions, tasks, approvals = SessionStore(redis), TaskStore(redis), ApprovalStore(redis)
    await sessions.ping()
    for task in ("s-1-0", "s-1-1"):
        await tasks.queued(TaskRequest("demo", "s-1", "lobby", task, "Who?", frames=(KeyFrame("f-0", 0),)))
    await sessions.frames(KEY, ["f-0"])
    fence = await tasks.take(KEY, "s-1-0", "w-1", 60.0, "main")
    assert fence
    await tasks.renew(KEY, "s-1-0", fence, 60.0, TaskState.WAITING_APPROVAL)
    asked = await approvals.request(Approval("", "demo", "s-1", "s-1-0", "ticket_open", "{}", "Open a ticket."))
    await approvals.decide(KEY, asked.id, granted=False, by="the task is over")
    await approvals.wait(KEY, asked.id)
    await tasks.finish(KEY, "s-1-0", fence, Ending(TaskState.READY, "Rose", result=Result("s-1-0", "Rose")))
    await tasks.cancel(KEY, "s-1-1", "the session has ended")
    await tasks.get(KEY, "s-1-0")


async def see_to_tasks(redis: Redis) -> None:
    """What the gateway does for clients who look at tasks, decide on approvals, or are agents."""
    tasks, approvals, agents = TaskStore(redis), ApprovalStore(redis), AgentTasks(redis)
    await tasks.list(KEY)
    await tasks.cancel(KEY, "s-1-0", "a client cancelled it")
    asked = await approvals.request(Approval("", "demo", "s-1", "s-1-0", "ticket_open", "{}", "Open a ticket."))
    await approvals.decide(KEY, asked.id, granted=True, by="anna", pattern=ApprovalPattern("ticket_*"))
    await approvals.find("demo", asked.id)
    await approvals.drop_pattern("demo", asked.id)
    agent_task = AgentTask("demo", "t-1", "c-1", 1, 1, ())
    await agents.put(agent_task)
    await agents.get("demo", "t-1")
    await agents.all("demo")
    await agents.drop(agent_task)


async def serve(redis: Redis) -> None:
    sessions, placement, names = SessionStore(redis), Placement(redis), SessionNames(redis)
    pushed, turns = PushedSessions(redis), TurnLeases(redis)
    other = SessionSpec("demo", "s-2", Source("hall", SourceKind.PUSHED, ""), "vigil-small", "vigil-small")
    await sessions.ping()
    await sessions.create(other, confirmed=False)
    await placement.admit(other.key, ROLES)
    await placement.shortage(ROLES)
    await sessions.confirm(other.key)
    await sessions.change_spec(other.key, lambda spec: spec)
    assert KEY in await sessions.sessions("demo")
    await sessions.open_sessions("demo")
    await sessions.submit(other.key, Reset())
    await sessions.commands(other.key)
    await sessions.history(KEY)
    await sessions.log(KEY)
    await sessions.status(KEY)
    await sessions.frames(KEY, ["f-0"])
    await pushed.expect(other.key, 0.0)
    lease = await turns.claim(other.key)
    await turns.show(lease, 1_000_000)
    await turns.renew(lease)
    await turns.release(lease)
    await pushed.silent(0.0)
    await pushed.silent(60.0)
    await pushed.forget(other.key)
    assert await names.newest(other.key) == other.key
    await names.begin_anew(other.key)
    await placement.unheld(Role.INTERACTION, 10)
    await sessions.end(other.key, "the client ended it")
    await placement.close(other.key, ROLES)
    await sessions.create(SessionSpec("demo", "s-3", other.source, "p", "m"), confirmed=False)
    await sessions.discard(SessionKey("demo", "s-3"))
    await see_to_tasks(redis)


WORK: dict[str, Callable[[Redis], Awaitable[None]]] = {
    CODEC.name: code,
    INGESTION.name: ingest,
    INTERACTION.name: interact,
    MEMORY.name: summarise,
    BRAIN.name: think,
    ASR.name: hear,
    TTS.name: speak,
    GATEWAY.name: serve,
}


@pytest.mark.parametrize("row", [row for row in SERVICES if row.uses_redis], ids=lambda row: row.name)
async def test_nothing_that_a_service_does_is_refused(store: ConfiguredRedis, operator: Any, row: ServiceSpec) -> None:
    async with open_redis(store.url_of(row.name)) as redis:
        await WORK[row.name](redis)
    refused = await operator.execute_command("ACL", "LOG")
    assert refused == []
