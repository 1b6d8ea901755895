"""A client of WebRTC in this process, received by a worker on real NATS and Redis."""

import asyncio
import itertools
import json
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiortc import MediaStreamTrack
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import decode_audio
from vigil.contract.events.envelope import decode_event
from vigil.contract.frames import FrameGroup, decode_group
from vigil.contract.signalling import Candidates, Close, Offer, Refusal, Reply, Request, decode_reply, encode_request
from vigil.contract.streams import SESSIONS
from vigil.core.hearing import Hearing, Origin
from vigil.core.ids import SessionKey
from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence, SessionSpec
from vigil.core.sound import SAMPLE_RATE_HZ
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import NoResponders
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.config import load
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.videos import second_heard
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.testing.sender import Recording, Replay, Sender, Tone, recorded, silence
from vigil_ingestion.watcher import Watcher

KEY = SessionKey("demo", "s-1")
SILENT_S, GRACE_S = 1.0, 4.0


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Two seconds of pictures, ten a second."""
    return recorded()


@dataclass
class Site:
    """A session of WebRTC, and what its workers share."""

    bus: Bus
    store: SessionStore
    placement: Placement
    turns: KeepLatest[Message]

    @asynccontextmanager
    async def worker(self, name: str, **values: object) -> AsyncIterator[Claimer]:
        """An ingestion worker without its process; leaving drains it."""
        given = {"worker": name, "read_timeout_s": SILENT_S, "webrtc_grace_s": GRACE_S, **values}
        settings = load(IngestionSettings, given)
        watcher = Watcher(WorkerPorts(self.store, self.bus, self.placement), settings)
        claimer = Claimer(
            self.placement,
            self.bus,
            role=Role.INGESTION,
            worker=name,
            capacity=4,
            run=watcher.run,
            relieved=watcher.is_relieved,
        )
        task = asyncio.create_task(claimer.run())
        try:
            yield claimer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def ask(self, request: Request) -> Reply:
        """What the worker that holds the session answers."""

        async def answer() -> Any:
            try:
                return decode_reply(await self.bus.request(subjects.signalling(KEY), encode_request(request), 10))
            except NoResponders:
                return None

        reply: Reply = await eventually(answer, what="a worker answers")
        return reply

    @asynccontextmanager
    async def client(
        self, *tracks: MediaStreamTrack, replaces: bool = False, sound: bool = False, loss: float = 0.0
    ) -> AsyncIterator[Reply]:
        """A client that was let in and sends."""
        sender = Sender(*tracks, *([silence()] if sound else []), loss=loss)
        try:
            reply = await self.ask(Offer(await sender.offer(), replaces))
            assert reply.refusal is None, reply.message
            await sender.answered(reply.answer_sdp)
            yield reply
        finally:
            await sender.close()

    async def take(self, count: int) -> list[FrameGroup]:
        """The next turns."""
        async with asyncio.timeout(DEADLINE_S):
            return [decode_group((await anext(self.turns)).payload) for _ in range(count)]

    async def said(self, state: str) -> dict[str, object]:
        """The worker's status, once it is in that state."""

        async def status() -> Any:
            found: dict[str, object] = json.loads((await self.store.status(KEY)).get("ingestion", "{}"))
            return found if found.get("state") == state else None

        said: dict[str, object] = await eventually(status, what=f"the source is {state}")
        return said

    async def events(self, count: int) -> list[str]:
        """The first events of the session's life."""
        async with (
            self.bus.consume(SESSIONS, "test", subjects.lifecycle_of(KEY)) as messages,
            asyncio.timeout(DEADLINE_S),
        ):
            found = aiter(messages)
            return [decode_event((await anext(found)).payload).type for _ in range(count)]


@pytest.fixture
def hearing() -> Hearing:
    """How the session is spoken to."""
    return Hearing()


@pytest.fixture
async def site(bus: Bus, redis: Redis, hearing: Hearing) -> AsyncIterator[Site]:
    await bus.connected()
    async with bus.subscribe(subjects.raw_frames(KEY), capacity=1_000) as turns:
        site = Site(bus, SessionStore(redis), Placement(redis, lease_s=30), turns)
        source = Source("cam", SourceKind.WEBRTC)
        spec = SessionSpec(KEY.tenant, KEY.session, source, "vigil-small", "m", cadence=Cadence(200), hearing=hearing)
        await site.store.create(spec)
        await site.placement.open(KEY, spec.roles)
        yield site


def times(groups: list[FrameGroup]) -> list[int]:
    return [group.time_ms for group in groups]


async def test_a_camera_is_sampled_as_any_other_source(site: Site, recording: Recording) -> None:
    async with site.worker("one"), site.client(Replay(recording), sound=True):
        groups = await site.take(4)
        status = await site.said("watching")
    assert not [thread.name for thread in threading.enumerate() if thread.name.endswith("-decoder")]
    assert [group.sequence for group in groups] == [0, 1, 2, 3]
    assert {time_ms % 200 for time_ms in times(groups)} == {0}
    assert all(later > earlier for earlier, later in itertools.pairwise(times(groups)))
    assert {(group.frames[0].width, group.frames[0].height) for group in groups} == {VIGIL_SMALL.fit(160, 96)}
    assert status["source"] == {"width": 160, "height": 96, "frames_per_second": 0.0, "codec": "vp8", "duration_s": 0.0}


@pytest.mark.parametrize("hearing", [Hearing(is_on=True, from_source=True)])
async def test_a_session_that_hears_its_client_gets_the_sound_of_its_microphone(
    site: Site, recording: Recording
) -> None:
    async with (
        site.bus.subscribe(subjects.audio_in(KEY), capacity=200) as heard,
        site.worker("one"),
        site.client(Replay(recording), Tone(700)),
        asyncio.timeout(DEADLINE_S),
    ):
        (turn,) = await site.take(1)
        chunks = [decode_audio((await anext(heard)).payload) for _ in range(30)]
    assert {(chunk.origin, chunk.stream) for chunk in chunks} == {(Origin.SOURCE, "source-1")}
    assert {second_heard(chunk.pcm, SAMPLE_RATE_HZ) for chunk in chunks[15:]} == {2}, "700 Hz"
    assert all(later.capture_time_us > earlier.capture_time_us for earlier, later in itertools.pairwise(chunks))
    assert abs(chunks[0].capture_time_us - turn.frames[0].capture_time_us) < 5_000_000


async def test_somebody_who_looks_gets_a_smooth_picture(site: Site, recording: Recording) -> None:
    async with (
        site.worker("one"),
        site.bus.keep_latest(subjects.preview_shown(KEY)) as shown,
        site.client(Replay(recording)),
    ):
        await site.take(2)
        await site.bus.publish(subjects.preview_asked(KEY), b"")
        async with asyncio.timeout(DEADLINE_S):
            assert (await anext(shown)).payload.startswith(b"\xff\xd8")


async def test_a_camera_that_is_unplugged_and_back_goes_on_in_its_session(site: Site, recording: Recording) -> None:
    async with site.worker("one"):
        async with site.client(Replay(recording)):
            before = await site.take(3)
        lost = await site.said("reconnecting")
        async with site.client(Replay(recording)):
            after = await site.take(3)
            await site.said("watching")
    assert (lost["fault"], "away" in str(lost["detail"])) == ("unreachable", True)
    assert await site.events(2) == ["vigil.session.source_lost", "vigil.session.source_back"]
    groups = before + after
    assert all(later > earlier for earlier, later in itertools.pairwise(times(groups)))
    assert [group.sequence for group in groups] == list(range(groups[0].sequence, groups[0].sequence + len(groups)))


async def test_a_camera_that_is_muted_is_lost_and_comes_back_by_itself(site: Site, recording: Recording) -> None:
    camera = Replay(recording)
    async with site.worker("one", read_timeout_s=0.5), site.client(camera):
        await site.take(2)
        camera.is_muted = True
        lost = await site.said("reconnecting")
        camera.is_muted = False
        await site.said("watching")
    assert lost["fault"] == "timed_out"


async def test_a_client_that_does_not_come_back_ends_its_session(site: Site, recording: Recording) -> None:
    async with site.worker("one", webrtc_grace_s=1):
        async with site.client(Replay(recording)) as reply:
            await site.take(1)
            assert (await site.ask(Close(reply.resource))).refusal is None
            assert (await site.ask(Close(reply.resource))).refusal is Refusal.UNKNOWN_RESOURCE
        ended = await eventually(lambda: site.store.ended(KEY))
    assert ended is not None
    assert ended.reason == "the client sent no pictures in time"


async def test_one_client_sends_at_a_time(site: Site, recording: Recording) -> None:
    async with site.worker("one"), site.client(Replay(recording)) as first:
        await site.take(1)
        other = Sender(Replay(recording))
        refused = await site.ask(Offer(await other.offer()))
        await other.close()
        assert refused.refusal is Refusal.ALREADY_SENDING
        assert (await site.ask(Candidates(first.resource, "a=ice-ufrag:no"))).refusal is Refusal.ICE_RESTART_UNSUPPORTED
        assert (await site.ask(Candidates(first.resource, "a=mid:0"))).refusal is None
        async with site.client(Replay(recording), replaces=True):
            assert (await site.ask(Candidates(first.resource, ""))).refusal is Refusal.UNKNOWN_RESOURCE
            await site.take(3)


async def test_what_cannot_be_received_is_refused_by_name(site: Site, recording: Recording) -> None:
    async with site.worker("one", webrtc_udp_ports="47320-47320", webrtc_advertised_address="127.0.0.1"):
        for tracks, refusal in (((silence(),), Refusal.NO_VIDEO), ((Replay(recording),), Refusal.BUSY)):
            sender = Sender(*tracks)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
                taken.bind(("0.0.0.0", 47_320))
                reply = await site.ask(Offer(await sender.offer()))
            await sender.close()
            assert (reply.refusal, reply.answer_sdp) == (refusal, "")
        async with site.client(Replay(recording)) as reply:
            assert " 127.0.0.1 47320 typ host" in reply.answer_sdp
            await site.take(1)


async def test_pictures_may_change_their_size(site: Site) -> None:
    wide, tall = recorded(seconds=1, size=(160, 96)), recorded(seconds=1, size=(96, 160))
    async with site.worker("one"), site.client(Replay(wide + tall, pace=2)):
        sizes = {(group.frames[0].width, group.frames[0].height) for group in await site.take(5)}
    assert sizes == {VIGIL_SMALL.fit(160, 96), VIGIL_SMALL.fit(96, 160)}


@pytest.mark.slow
async def test_a_client_of_a_network_that_loses_every_fifth_packet_is_watched(site: Site, recording: Recording) -> None:
    async with site.worker("one"), site.client(Replay(recording), loss=0.2):
        groups = await site.take(40)
        await site.said("watching")
    spans = [later - earlier for earlier, later in itertools.pairwise(times(groups))]
    assert max(spans) <= 1_000
    assert sum(spans) <= 12_000


async def test_a_client_follows_its_session_to_another_worker(site: Site, recording: Recording) -> None:
    async with AsyncExitStack() as first:
        await first.enter_async_context(site.worker("one"))
        async with site.client(Replay(recording)):
            before = await site.take(2)
            async with site.worker("two"):
                await first.aclose()
                async with site.client(Replay(recording)):
                    while (after := (await site.take(1))[0]).fence == before[0].fence:
                        before.append(after)
    # Both workers may sample in the same moment; interaction takes the first of two pictures of one time.
    assert after.time_ms >= before[-1].time_ms
