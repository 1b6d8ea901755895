"""A stage for the interaction service: real NATS and Redis, a scripted engine, and a camera that shows colours."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.events.envelope import decode_event
from vigil.contract.events.observations import observation_outgoing
from vigil.contract.frames import CodedFrame, CodedFrameGroup, Frame, FrameKind, encode_coded_group
from vigil.contract.streams import ALERTS, DECISIONS, DELEGATIONS, UTTERANCES, StreamSpec
from vigil.contract.turn_dropped import decode_dropped
from vigil.core.command import Command, Instruct
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.memory import MemoryLimits
from vigil.core.observation import Observation
from vigil.core.session import Cadence, SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.store.keys import PREFIX, Part, part_key
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import jpeg
from vigil.testing.script import when_red
from vigil.testing.scripted_engine import ScriptedEngine
from vigil_interaction.load import Load, offers
from vigil_interaction.ports import Ports
from vigil_interaction.session import ClaimedSession, relief

RED = jpeg((230, 30, 20))
GREY = jpeg((90, 90, 90))
KEY = SessionKey("demo", "s-1")
CAPACITY = 8
LEASE_S = 30.0  # no worker of a busy machine is taken for dead
AGAIN_S = 20.0  # a picture may be lost with the connection to NATS; one that is shown twice counts as skipped
FIRE = Instruction("w-fire", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL, hold_s=2, cooldown_s=10))


def spec(key: SessionKey = KEY, **changes: Any) -> SessionSpec:
    """A session that watches nothing in particular; the camera of these tests is no real source, and it has no memory
    unless a test gives it some."""
    values: dict[str, Any] = {
        "source": Source("cam-1", SourceKind.RTSP, "rtsp://camera"),
        "profile": "vigil-small",
        "model": "scripted",
        "cadence": Cadence(),
        "memory": MemoryLimits(is_on=False),
        **changes,
    }
    return SessionSpec(tenant=key.tenant, session=key.session, **values)


def _past_changed(key: SessionKey, chunk: int) -> None:
    raise AssertionError(f"the past of chunk {chunk} of {key} changed")


@dataclass(slots=True)
class Stage:
    """Everything a session needs, and ways to look at what it did."""

    redis: Redis
    bus: Bus
    engine: ScriptedEngine
    deadline_s: float = DEADLINE_S
    engine_urls: tuple[str, ...] = ()
    prewarm_turns: int = 0
    memory_lead_turns: int = 20
    recall_deadline_s: float = 0.15
    monotonic: Callable[[], float] = time.perf_counter
    pictures: int = 1
    origin_us: int = 0  # when second 0 was captured; 0: every picture is captured when it is shown
    load: Load = field(default_factory=lambda: Load(CAPACITY))
    past_changed: Callable[[SessionKey, int], None] = _past_changed
    sessions: list[ClaimedSession] = field(default_factory=list)
    store: SessionStore = field(init=False)
    placement: Placement = field(init=False)

    def __post_init__(self) -> None:
        self.store = SessionStore(self.redis)
        self.placement = Placement(self.redis, lease_s=LEASE_S)

    async def open(self, *commands: Command, **changes: Any) -> None:
        """Create the session and let workers claim it."""
        await self.store.create(spec(**changes), commands or (Instruct(FIRE),))
        await self.placement.open(KEY, tuple(Role))

    @asynccontextmanager
    async def worker(
        self, name: str = "worker-1", *, slow_s: float = 0.0, hand_over_s: float = 3.0
    ) -> AsyncIterator[asyncio.Task[None]]:
        """A worker that claims sessions, with its own engine clients; `slow_s` passes before it begins with one."""
        async with EnginePool(self.engine_urls or [self.engine.url]) as engines:
            ports = Ports(
                self.store,
                self.bus,
                self.placement,
                engines,
                self.deadline_s,
                name,
                _now_us,
                self.load,
                self.monotonic,
                prewarm_turns=self.prewarm_turns,
                memory_lead_turns=self.memory_lead_turns,
                recall_deadline_s=self.recall_deadline_s,
                past_changed=self.past_changed,
            )

            async def run(claim: Claim) -> None:
                await asyncio.sleep(slow_s)
                session = ClaimedSession(ports, claim)
                self.sessions.append(session)
                await session.run()

            claimer = Claimer(
                self.placement,
                self.bus,
                role=Role.INTERACTION,
                worker=name,
                capacity=CAPACITY,
                run=run,
                offer=offers(self.load, engines, "scripted", 1_000),
                relieved=relief(self.store),
                hand_over_s=hand_over_s,
            )
            task = asyncio.create_task(claimer.run())
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.wait({task})

    @property
    def key(self) -> SessionKey:
        """The session of this stage."""
        return KEY

    @staticmethod
    def cadence(interval_ms: int) -> Cadence:
        """A cadence, for tests that cannot import it from here."""
        return Cadence(interval_ms)

    async def nudge(self) -> None:
        """What the gateway does after a command."""
        await self.bus.publish(subjects.command(KEY), b"")

    async def tell(self, observation: Observation, session: str = KEY.session) -> None:
        """What a module would publish."""
        outgoing = observation_outgoing(SessionKey(KEY.tenant, session), observation, _now_us())
        await self.bus.publish(outgoing.subject, outgoing.payload)

    async def modules_are_heard(self, module: str = "faces") -> None:
        """Wait until a worker listens to modules."""
        await eventually(lambda: self.bus.is_heard(subjects.observation(KEY, module)), what="modules are heard")

    def noticed(self, text: str, at_s: float, **changes: Any) -> Observation:
        """What a module notices, at that second of model time; the stage needs an `origin_us`."""
        values: dict[str, Any] = {"module": "faces", "kind": "face", "id": f"o-{time.monotonic_ns()}", **changes}
        return Observation(text=text, capture_time_us=self.origin_us + round(at_s * 1e6), **values)

    async def forget_frames(self) -> None:
        """Lose the store's pictures, as an eviction would."""
        await self.redis.delete(part_key(KEY, Part.FRAMES))

    async def forget_session(self) -> None:
        """Lose all of the session, as the end of its retention would."""
        await self.redis.delete(*(part_key(KEY, part) for part in Part))

    async def claims(self) -> int:
        """How often the session was claimed."""
        fences = await self.redis.hgetall(f"{PREFIX}:{{placement}}:{Role.INTERACTION}:fence")
        return sum(int(one) for one in fences.values())

    async def outbox(self) -> int:
        """Messages that the store still holds."""
        return int(await self.redis.llen(part_key(KEY, Part.OUTBOX)))

    async def show(self, second: int, picture: bytes = GREY, fence: int = 1) -> None:
        """What the codec would publish for one second, in which so many pictures were taken as the stage says."""
        with Image.open(io.BytesIO(picture)) as opened:
            at_us = self.origin_us + second * 1_000_000 if self.origin_us else _now_us()
            frame = Frame(picture, opened.width, opened.height, capture_time_us=at_us)
        coded = (CodedFrame(frame, FrameKind.REFERENCE, 6),) * self.pictures
        group = CodedFrameGroup(KEY, second * 1000, second, coded, fence)
        await self.bus.publish(subjects.coded_frames(KEY), encode_coded_group(group))

    async def watch(self, *pictures: bytes, start: int = 0, fence: int = 1) -> None:
        """Show one picture a second of model time, each as soon as the one before is decided on."""
        await eventually(lambda: self.bus.is_heard(subjects.coded_frames(KEY)), what="a worker listens")
        async with self.bus.subscribe(subjects.turn_dropped(KEY), 1_000) as dropped:
            for second, picture in enumerate(pictures, start=start):
                await self._until_decided(second, picture, fence, dropped)

    async def _until_decided(self, second: int, picture: bytes, fence: int, dropped: KeepLatest[Message]) -> None:
        """Show it once, and again only where it is lost: one that is shown twice would count as skipped, and be told
        as dropped, wherever a turn takes its time."""
        shown_at_s, claim = 0.0, 0

        async def decided() -> bool:
            nonlocal shown_at_s, claim
            if (await self.store.history(KEY)).last_time_ms >= second * 1000:
                return True
            is_lost = bool(claim) and await self.store.is_overtaken(KEY, claim)  # its worker went
            while dropped.statistics.waiting:
                is_lost |= decode_dropped((await anext(dropped)).payload).time_ms == second * 1000
            if is_lost or not shown_at_s or time.monotonic() - shown_at_s > AGAIN_S:
                shown_at_s, claim = time.monotonic(), await self.claims()
                await self.show(second, picture, fence)
            return False

        await eventually(decided, what=f"second {second} is decided")

    async def decisions(self, count: int) -> list[StoredDecision]:
        """The stored decisions, once there are `count`."""
        return [decode_decision(one) for one in await self.stored(DECISIONS, count)]

    async def alerts(self, count: int) -> list[Any]:
        """The stored alert events, once there are `count`."""
        return [decode_event(one) for one in await self.stored(ALERTS, count)]

    async def utterances(self, count: int) -> list[Any]:
        """The stored utterances, once there are `count`."""
        return [decode_event(one) for one in await self.stored(UTTERANCES, count)]

    async def delegations(self, count: int) -> list[Any]:
        """The stored events of delegated questions, once there are `count`."""
        return [decode_event(payload) for payload in await self.stored(DELEGATIONS, count)]

    async def stored(self, stream: StreamSpec, count: int) -> list[bytes]:
        """Payloads of a stream in order, once there are at least `count`."""
        found: list[bytes] = []
        durable = f"reader-{time.monotonic_ns()}"
        async with asyncio.timeout(DEADLINE_S), self.bus.consume(stream, durable, stream.family) as consumer:
            async for message in consumer:
                found.append(message.payload)
                await message.ack()
                if len(found) >= count:
                    break
        return found


def _now_us() -> int:
    return time.time_ns() // 1_000


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    """An engine that says there is fire while the picture is red."""
    async with ScriptedEngine(when_red()) as scripted:
        yield scripted


@pytest.fixture
async def stage(redis: Redis, bus: Bus, engine: ScriptedEngine) -> Stage:
    """A stage without a session yet."""
    return Stage(redis, bus, engine)


@pytest.fixture
def red() -> bytes:
    """A picture of fire."""
    return RED


@pytest.fixture
def grey() -> bytes:
    """A picture of nothing."""
    return GREY
