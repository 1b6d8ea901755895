"""A session that decides nothing says so, and why: status, event and metric, on a clock of the test's own."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.frames import CodedFrame, CodedFrameGroup, Frame, FrameKind
from vigil.contract.streams import SESSIONS
from vigil.core.session import SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.core.stall import LEAST_S, Cause
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.session.outages import STALL, tell_begin
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.script import Reply, when_red
from vigil_interaction.load import Load
from vigil_interaction.outbox import Outbox
from vigil_interaction.ports import Ports
from vigil_interaction.runner import Runner
from vigil_interaction.sight import life, sight
from vigil_interaction.stall_watch import StallWatch

Fixture = Any  # those of conftest.py, which importlib mode does not let tests import


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Held:
    """The session as an interaction worker holds it."""

    stage: Fixture
    engines: EnginePool
    clock: Clock = field(default_factory=Clock)
    second: int = 0
    runner: Runner = field(init=False)
    watch: StallWatch = field(init=False)

    async def take(self, fence: int, worker: str) -> None:
        """Take the session, as a worker that claimed it does."""
        stage, key = self.stage, self.stage.key
        ports = Ports(
            *(stage.store, stage.bus, stage.placement, self.engines, DEADLINE_S, worker, _now_us, Load(8)),
            monotonic=self.clock,
        )
        self.runner = Runner(ports, key, fence, await stage.store.take(key, fence), Outbox(stage.bus))
        self.watch = StallWatch(ports, self.runner)

    async def tick(self, picture: bytes, *, again: bool = False) -> None:
        """A second passes, and its picture comes; `again` it has the time of the last one."""
        self.clock.now_s += 1.0
        self.second += not again
        coded = CodedFrame(Frame(picture, 160, 96, _now_us()), FrameKind.REFERENCE, 6)
        group = CodedFrameGroup(self.stage.key, self.second * 1_000, self.second, (coded,), 1)
        await self.runner.tick(sight(group, life(self.runner.spec)), 0)
        await self.watch.look()

    async def silence(self, seconds: float) -> None:
        """Time passes without a picture."""
        self.clock.now_s += seconds
        await self.watch.look()

    async def status(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((await self.stage.store.status(self.stage.key)).get("interaction", "{}"))
        return said

    async def events(self, count: int) -> list[CloudEvent]:
        """The stored events of the session's outages."""
        return [decode_event(payload) for payload in await self.stage.stored(SESSIONS, count)] if count else []

    async def has_told(self, *expected: tuple[str, str]) -> None:
        """Exactly these events are stored, each with its cause."""
        told = [(event.type, event.data["cause"]) for event in await self.events(len(expected))]
        assert told == [(f"vigil.session.{name}", cause) for name, cause in expected]
        stream = await self.stage.bus._jetstream().stream_info(SESSIONS.name)
        assert stream.state.messages == len(expected)


def _now_us() -> int:
    return time.time_ns() // 1_000


def stalled(cause: str) -> float:
    return REGISTRY.get_sample_value("vigil_sessions_stalled", {"cause": cause}) or 0.0


@pytest.fixture
async def held(stage: Fixture) -> AsyncIterator[Held]:
    """A session whose camera and codec have workers, taken."""
    await stage.open()
    stage.placement = Placement(stage.redis, lease_s=600)
    for role in (Role.INGESTION, Role.CODEC):
        await stage.placement.claim(role, f"{role}-1", 1)
    async with EnginePool([stage.engine.url]) as engines:
        session = Held(stage, engines)
        await session.take(1, "one")
        yield session


async def test_a_session_that_decides_says_so_and_tells_nobody(held: Held, grey: bytes) -> None:
    for _ in range(3):
        await held.tick(grey)
    assert await held.status() == {"state": "deciding", "worker": "one"}
    await held.has_told()


async def test_a_camera_that_shows_nothing_is_named_in_ingestions_words(held: Held, grey: bytes) -> None:
    await held.tick(grey)
    said = {"state": "reconnecting", "detail": "the camera does not answer", "fault": "unreachable"}
    await held.stage.store.set_status(held.stage.key, "ingestion", json.dumps(said))
    await held.silence(LEAST_S + 1)
    status = await held.status()
    assert (status["state"], status["cause"], status["detail"]) == ("stalled", "no_frame", "the camera does not answer")
    assert stalled("no_frame") == 1
    await held.tick(grey)
    assert (await held.status())["state"] == "deciding"
    assert stalled("no_frame") == 0
    await held.has_told(("stalled", "no_frame"), ("recovered", ""))


async def test_a_codec_that_is_silent_while_the_camera_is_watched_is_named(held: Held, grey: bytes) -> None:
    await held.tick(grey)
    await held.stage.store.set_status(held.stage.key, "ingestion", '{"state": "watching"}')
    await held.silence(LEAST_S + 1)
    assert (await held.status())["cause"] == "no_coded_frame"
    await held.has_told(("stalled", "no_coded_frame"))


async def test_a_role_without_a_worker_is_named(held: Held, grey: bytes) -> None:
    await held.tick(grey)
    await held.stage.placement.release(Role.CODEC, "codec-1", [Claim(held.stage.key, 1)])
    await held.silence(LEAST_S + 1)
    status = await held.status()
    assert status["cause"] == "no_worker"
    assert "codec" in status["detail"]


async def test_an_engine_that_fails_is_quoted_and_told_once(held: Held, grey: bytes) -> None:
    await held.tick(grey)
    held.stage.engine.script = lambda _: Reply("CUDA out of memory", status=500)
    for _ in range(9):
        await held.tick(grey)
    status = await held.status()
    assert (status["state"], status["cause"]) == ("stalled", "engine")
    assert "CUDA out of memory" in status["detail"]
    held.stage.engine.script = when_red()
    await held.tick(grey)
    await held.has_told(("stalled", "engine"), ("recovered", ""))


async def test_pictures_that_are_not_newer_are_named(held: Held, grey: bytes) -> None:
    await held.tick(grey)
    for _ in range(7):
        await held.tick(grey, again=True)
    assert (await held.status())["cause"] == "not_newer"


async def test_whoever_takes_a_stalled_session_over_tells_that_it_has_recovered_and_not_that_it_stalled(
    held: Held, grey: bytes
) -> None:
    await held.tick(grey)
    await held.silence(LEAST_S + 1)
    await held.take(2, "two")
    await held.silence(1)
    assert (await held.status())["worker"] == "one", "it says nothing before it knows something"
    await held.silence(LEAST_S + 1)
    assert (await held.status())["worker"] == "two"
    await held.tick(grey)
    assert await held.status() == {"state": "deciding", "worker": "two"}
    events = await held.events(2)
    assert [event.type for event in events] == ["vigil.session.stalled", "vigil.session.recovered"]
    assert [event.data["worker"] for event in events] == ["one", "two"]


async def gateway_tells(held: Held, number: int) -> None:
    """What a gateway tells of a session that no interaction worker holds."""
    said = {"state": "stalled", "cause": "no_worker", "detail": "nobody holds it", "since": "2026-01-01T00:00:00Z"}
    await held.stage.store.set_status(held.stage.key, "interaction", json.dumps(said))
    stage = held.stage
    await tell_begin(
        stage.bus, held.runner.spec, STALL, number, worker="", cause=Cause.NO_WORKER, reason="nobody holds it"
    )


@pytest.mark.parametrize(
    "source",
    [
        Source("cam-1", SourceKind.PUSHED),
        Source("cam-1", SourceKind.WEBRTC),
        Source("cam-1", SourceKind.RTSP, "rtsp://camera"),
    ],
)
async def test_a_takeover_ends_the_stall_of_a_session_without_a_worker_before_any_turn(
    held: Held, source: Source
) -> None:
    without_worker = stalled("no_worker")
    for fence, worker in ((2, "two"), (3, "three")):
        await gateway_tells(held, fence - 2)
        await held.take(fence, worker)
        held.runner.spec = replace(held.runner.spec, source=source)
        await held.silence(1)
        assert await held.status() == {"state": "deciding", "worker": worker}
        await held.has_told(*[("stalled", "no_worker"), ("recovered", "")] * (fence - 1))
    await held.silence(LEAST_S * 20)
    is_awaited = source.kind is not SourceKind.RTSP
    assert (await held.status())["state"] == ("deciding" if is_awaited else "stalled")
    assert stalled("no_worker") == without_worker
    again = [] if is_awaited else [("stalled", "no_frame")]
    await held.has_told(*[("stalled", "no_worker"), ("recovered", "")] * 2, *again)


async def test_a_second_stall_is_an_event_of_its_own(held: Held, grey: bytes) -> None:
    await held.stage.store.set_status(held.stage.key, "ingestion", '{"state": "watching"}')
    for _ in range(2):
        await held.tick(grey)
        await held.silence(LEAST_S + 1)
        await held.tick(grey)
    events = await held.events(4)
    assert len({event.id for event in events}) == 4


async def test_a_webrtc_session_is_stalled_once_its_client_has_come_and_gone(held: Held, grey: bytes) -> None:
    held.runner.spec = replace(held.runner.spec, source=Source("cam-1", SourceKind.WEBRTC))
    await held.silence(LEAST_S * 2)
    assert await held.status() == {}
    await held.tick(grey)
    assert (await held.status())["state"] == "deciding"
    await held.silence(LEAST_S + 1)
    assert (await held.status())["cause"] == "no_frame"


async def test_an_idle_session_whose_pictures_come_is_not_stalled(stage: Fixture, grey: bytes) -> None:
    await stage.store.create(_quiet(stage), [])
    async with EnginePool([stage.engine.url]) as engines:
        held = Held(stage, engines)
        await held.take(1, "one")
        for _ in range(9):
            await held.tick(grey)
        assert await held.status() == {"state": "deciding", "worker": "one"}
        assert not stage.engine.seen


def _quiet(stage: Fixture) -> Any:
    """A session that infers nothing while nobody asks for anything."""
    source = Source("cam-1", SourceKind.RTSP, "rtsp://camera")
    return SessionSpec(stage.key.tenant, stage.key.session, source, "vigil-small", "scripted", infer_when_idle=False)
