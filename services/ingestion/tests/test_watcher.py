"""A claimed session on real NATS and Redis: its turns, its status, its end, and who takes it over."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import decode_audio
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.frames import FrameGroup, decode_group
from vigil.contract.streams import SESSIONS
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.hearing import Hearing, Origin
from vigil.core.ids import SessionKey
from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence, SessionSpec
from vigil.core.sound import SAMPLE_RATE_HZ
from vigil.core.source import Role, Source, kind_of
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.config import load
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.keys import Part, part_key
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.rtsp import Camera
from vigil.testing.servers import NatsServer
from vigil.testing.videos import second_heard, write_joined, write_sounding, write_video
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.watch import LISTENED_S
from vigil_ingestion.watcher import Watcher

KEY = SessionKey("demo", "s-1")
LONGEST_CADENCE_MS = 60_000
PICTURE_US = 40_000  # of a video of 25 pictures a second
SOON_S = 5.0  # a clock that is wrong is so by the length of a file, or by years


@dataclass
class Site:
    """What the workers of a test share."""

    bus: Bus
    redis: Redis
    store: SessionStore
    placement: Placement

    async def open(
        self, url: str, loop: bool = True, interval_ms: int = 200, hearing: Hearing | None = None
    ) -> SessionSpec:
        """A session as the gateway opens one."""
        spec = SessionSpec(
            KEY.tenant,
            KEY.session,
            Source("cam", kind_of(url), url, loop=loop),
            "vigil-small",
            "m",
            cadence=Cadence(interval_ms),
            hearing=hearing or Hearing(),
        )
        await self.store.create(spec)
        await self.placement.open(KEY, spec.roles)
        return spec

    async def status(self) -> dict[str, object]:
        said: dict[str, object] = json.loads((await self.store.status(KEY)).get("ingestion", "{}"))
        return said

    async def forget(self) -> None:
        """Lose all of the session, as the end of its retention would."""
        await self.redis.delete(*(part_key(KEY, part) for part in Part))

    async def open_roles(self) -> set[Role]:
        """Which roles may still claim the session."""
        return {role for role in Role if (await self.placement.capacity(role)).open_sessions}

    @asynccontextmanager
    async def worker(self, name: str) -> AsyncIterator[Claimer]:
        """An ingestion worker without its process; leaving drains it."""
        values = {"worker": name, "open_timeout_s": 2, "read_timeout_s": 1, "reconnect_most_s": 0.5}
        values |= {"local_source_tenants": "demo"}
        settings = load(IngestionSettings, values)
        run = Watcher(WorkerPorts(self.store, self.bus, self.placement), settings).run
        claimer = Claimer(self.placement, self.bus, role=Role.INGESTION, worker=name, capacity=4, run=run)
        task = asyncio.create_task(claimer.run())
        try:
            yield claimer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def turns(self) -> "Turns":
        return Turns(self.bus)


class Turns:
    """The session's turns as the codec would see them, every one of them."""

    def __init__(self, bus: Bus) -> None:
        self._subscription = bus.subscribe(subjects.raw_frames(KEY), capacity=1_000)
        self._messages: KeepLatest[Message] | None = None

    async def __aenter__(self) -> "Turns":
        self._messages = await self._subscription.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._subscription.__aexit__(None, None, None)

    async def take(self, count: int, deadline_s: float = DEADLINE_S) -> list[FrameGroup]:
        assert self._messages is not None
        async with asyncio.timeout(deadline_s):
            return [decode_group((await anext(self._messages)).payload) for _ in range(count)]


@asynccontextmanager
async def workers(bus: Bus) -> AsyncIterator[None]:
    """A codec and an interaction worker, as far as a file waits for them: they listen."""
    async with bus.keep_latest(subjects.raw_frames(KEY)), bus.keep_latest(subjects.coded_frames(KEY)):
        yield


@pytest.fixture
def alone(bus: Bus, redis: Redis) -> Site:
    """A site where nobody takes the turns."""
    return Site(bus, redis, SessionStore(redis), Placement(redis, lease_s=30))


@pytest.fixture
async def site(alone: Site) -> AsyncIterator[Site]:
    await alone.bus.connected()
    async with workers(alone.bus):
        yield alone


def restarts() -> float:
    return REGISTRY.get_sample_value("vigil_session_restarts_total", {"role": "ingestion"}) or 0.0


def age_s(group: FrameGroup) -> float:
    """How long ago the newest picture was taken, by its own clock."""
    return time.time() - group.frames[-1].capture_time_us / 1e6


async def test_a_session_gives_turns_by_capture_time(site: Site, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=2, size=(640, 384))
    await site.open(f"file://{video}", interval_ms=1_000)  # of two turns in the time of one, the newer is told
    async with site.turns() as turns, site.worker("one"):
        groups = await turns.take(5)
        assert await site.status() == {
            "state": "watching",
            "worker": "one",
            "source": {"width": 640, "height": 384, "frames_per_second": 10.0, "codec": "h264", "duration_s": 2.0},
        }
    assert [group.time_ms for group in groups] == [0, 1_000, 2_000, 3_000, 4_000]
    assert [group.sequence for group in groups] == [0, 1, 2, 3, 4]
    assert {group.fence for group in groups} == {1}
    assert {group.key for group in groups} == {KEY}
    assert {(group.frames[0].width, group.frames[0].height) for group in groups} == {VIGIL_SMALL.fit(640, 384)}
    times_us = [group.frames[0].capture_time_us for group in groups]
    assert {later - earlier for earlier, later in itertools.pairwise(times_us)} == {1_000_000}


async def test_the_status_tells_of_time_stamps_that_jump(site: Site, tmp_path: Path) -> None:
    await site.open(f"file://{write_joined(tmp_path, second_s=100)}", loop=False)
    async with site.turns() as turns, site.worker("one"):
        await turns.take(1)
        status = await site.status()
    assert (status["state"], status["fault"]) == ("watching", "clock_jump")
    assert status["jump_s"] == pytest.approx(-103, abs=1)
    assert "played without a gap" in str(status["detail"])
    assert isinstance(source := status["source"], dict)
    assert source["duration_s"] == pytest.approx(6, abs=0.25)


async def test_a_file_begins_when_its_turns_are_decided(alone: Site, tmp_path: Path) -> None:
    await alone.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=2)}")
    async with alone.turns() as turns, alone.worker("one"):  # coded, but nobody decides
        await eventually(lambda: _state(alone, "opening"))
        with pytest.raises(TimeoutError):
            await turns.take(1, deadline_s=0.6)
        async with workers(alone.bus):
            first = await turns.take(2, deadline_s=LISTENED_S - 0.5)
    assert [group.time_ms for group in first] == [0, 200]


async def test_a_file_that_nobody_decides_on_plays_all_the_same(alone: Site, tmp_path: Path) -> None:
    await alone.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=1)}", loop=False)
    async with alone.worker("one"):
        ended = await eventually(lambda: alone.store.ended(KEY))
    assert ended is not None
    assert ended.reason == "the file has ended"


async def _state(site: Site, state: str) -> bool:
    return (await site.status()).get("state") == state


async def test_the_end_of_a_file_ends_the_session_once(site: Site, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    await site.open(f"file://{video}", loop=False)
    async with site.bus.consume(SESSIONS, "test", subjects.lifecycle_of(KEY)) as events, site.worker("one") as claimer:
        async with asyncio.timeout(DEADLINE_S):
            event = decode_event((await anext(aiter(events))).payload)
        await eventually(lambda: not claimer.held, what="the session is let go")
    ended = await site.store.ended(KEY)
    assert ended is not None
    assert ended.reason == "the file has ended"
    assert (event.type, event.data["reason"]) == ("vigil.session.ended", "the file has ended")
    assert (await site.status())["state"] == "ended"
    assert await site.placement.claim(Role.CODEC, "codec", 1) == []
    assert [claim.key for claim in await site.placement.claim(Role.INTERACTION, "interaction", 1)] == [KEY]


async def test_a_session_that_was_ended_elsewhere_is_no_longer_watched(site: Site, tmp_path: Path) -> None:
    await site.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=4)}")
    data = SessionData(KEY.tenant, KEY.session, "cam", role="", worker="", reason="the client ended it")
    async with site.turns() as turns, site.worker("one") as claimer:
        await turns.take(1)
        await site.store.end(KEY, "the client ended it")  # its gateway died before it closed the placement
        await site.bus.publish_stored(session_outgoing(Lifecycle.ENDED, data, created_us=0, number=0, emit_time_us=0))
        await eventually(lambda: not claimer.held, what="the session is let go")
        assert await site.open_roles() == {Role.INTERACTION}
    ended = await site.store.ended(KEY)
    assert ended is not None
    assert ended.reason == "the client ended it"


async def test_a_session_that_the_store_forgot_is_let_go(site: Site, tmp_path: Path) -> None:
    await site.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=4)}")
    before = restarts()
    async with site.turns() as turns, site.worker("one") as claimer:
        await turns.take(1)
        await site.forget()
        await eventually(lambda: not claimer.held, what="the worker finds out by itself")
        assert await site.open_roles() == {Role.INTERACTION}
    assert restarts() == before


async def test_a_session_that_was_forgotten_before_it_was_claimed_fails_nothing(site: Site, tmp_path: Path) -> None:
    await site.open(f"file://{tmp_path / 'none.mp4'}")
    await site.forget()
    before = restarts()

    async def is_closed() -> bool:
        return await site.open_roles() == {Role.INTERACTION}

    async with site.worker("one"):
        await eventually(is_closed, what="the session is let go")
    assert restarts() == before


async def test_a_forbidden_source_ends_the_session(site: Site) -> None:
    await site.open("rtsp://user:s3cret@169.254.169.254/latest")
    async with site.worker("one"):
        ended = await eventually(lambda: site.store.ended(KEY))
    assert ended is not None
    assert "169.254.169.254" in ended.reason
    assert "s3cret" not in ended.reason


async def test_an_unreachable_camera_is_tried_again_and_the_status_says_why(site: Site, free_port: int) -> None:
    await site.open(f"rtsp://user:s3cret@127.0.0.1:{free_port}/cam")
    async with site.worker("one"):

        async def failed_twice() -> dict[str, object] | None:
            status = await site.status()
            return status if status.get("failures") == 2 else None

        status = await eventually(failed_twice)
    assert status is not None
    assert (status["state"], status["fault"]) == ("reconnecting", "unreachable")
    assert "check host" in str(status["detail"])
    assert "s3cret" not in json.dumps(status)
    assert await site.store.ended(KEY) is None


async def test_a_codec_without_a_decoder_is_a_fault_in_the_status(site: Site, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    video.write_bytes(video.read_bytes().replace(b"avc1", b"evc1"))
    await site.open(f"file://{video}")
    before = restarts()
    async with site.worker("one"):

        async def failed_twice() -> dict[str, object] | None:
            status = await site.status()
            return status if status.get("failures") == 2 else None

        status = await eventually(failed_twice)
    assert status is not None
    assert (status["state"], status["fault"]) == ("reconnecting", "not_a_video")
    assert restarts() == before


async def test_a_drained_worker_hands_over_and_the_clock_goes_on(site: Site, tmp_path: Path) -> None:
    await site.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=4)}")
    async with site.turns() as turns:
        async with site.worker("one"):
            before = (await turns.take(3))[-1]
        async with site.worker("two"):
            after = (await turns.take(1))[-1]
    assert after.fence == 2
    assert before.time_ms <= after.time_ms < before.time_ms + 3_000  # in one slot, the first to be coded counts
    captured_ms = (after.frames[0].capture_time_us - before.frames[0].capture_time_us) / 1_000
    assert after.time_ms - before.time_ms == pytest.approx(captured_ms, abs=200)
    assert age_s(after) < SOON_S


async def test_the_cadence_changes_while_it_is_watched(site: Site, tmp_path: Path) -> None:
    await site.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=4)}")
    data = SessionData(KEY.tenant, KEY.session, "cam", role="", worker="", reason="the client changed it")
    async with site.turns() as turns, site.worker("one"):
        await turns.take(1)
        await site.store.change_spec(KEY, lambda spec: replace(spec, cadence=Cadence(500, 2)))
        await site.bus.publish_stored(session_outgoing(Lifecycle.CHANGED, data, created_us=0, number=1, emit_time_us=0))
        async with asyncio.timeout(DEADLINE_S):
            while len((group := (await turns.take(1))[0]).frames) < 2:
                assert group.time_ms % 200 == 0 or group.time_ms % 500 == 0
        following = await turns.take(2)
    assert [later.time_ms - group.time_ms for later in following] == [500, 1_000]
    assert [len(later.frames) for later in following] == [2, 2]


async def test_a_bus_that_restarts_costs_turns_and_nothing_else(
    site: Site, nats_server: NatsServer, tmp_path: Path
) -> None:
    await site.open(f"file://{write_video(tmp_path / 'a.mp4', seconds=4)}")
    async with site.turns() as turns, site.worker("one") as claimer:
        before = (await turns.take(2))[-1]
        await nats_server.restart()
        after = (await turns.take(1))[-1]
        assert after.fence == before.fence
        assert [claim.key for claim in claimer.held] == [KEY]
    assert after.time_ms > before.time_ms
    captured_ms = (after.frames[0].capture_time_us - before.frames[0].capture_time_us) / 1_000
    assert after.time_ms - before.time_ms == pytest.approx(captured_ms, abs=200)


@pytest.mark.rtsp
async def test_a_camera_that_is_killed_and_restarted_is_watched_again_with_the_clock_right(
    site: Site, camera: Camera
) -> None:
    server = await camera()
    await site.open(server.url)
    async with site.turns() as turns, site.worker("one"):
        before = (await turns.take(3))[-1]
        await server.kill()

        async def is_lost() -> bool:
            return (await site.status()).get("state") == "reconnecting"

        await eventually(is_lost)
        await server.start()
        while (after := (await turns.take(1))[-1]).time_ms - before.time_ms < 1_000:
            assert after.fence == before.fence
    captured_ms = (after.frames[0].capture_time_us - before.frames[0].capture_time_us) / 1_000
    assert after.time_ms - before.time_ms == pytest.approx(captured_ms, abs=200)
    assert abs(age_s(after)) < SOON_S
    assert after.sequence > before.sequence
    assert (await site.status())["state"] == "watching"


async def test_a_camera_that_is_lost_and_back_is_told_once_each_over_workers(
    site: Site, camera: Camera, bus: Bus
) -> None:
    server = await camera()
    await site.open(server.url)
    async with site.turns() as turns:
        async with site.worker("one"):
            await turns.take(2)
            await server.kill()
            await eventually(lambda: _outages(bus), what="it is told that the camera is lost")
        async with site.worker("two"):
            await eventually(lambda: _failed_at("two", site), what="the second worker fails, too")
            await server.start()
            await eventually(lambda: _count_of(bus, 2), what="it is told that the camera is back")
    lost, back = await _outages(bus)
    assert (lost.type, lost.data["worker"], lost.data["cause"]) == ("vigil.session.source_lost", "one", "unreachable")
    assert (back.type, back.data["worker"], back.data["cause"]) == ("vigil.session.source_back", "two", "")
    assert lost.id.rpartition(".")[2] == back.id.rpartition(".")[2]


async def _outages(bus: Bus) -> list[CloudEvent]:
    """The stored events of lost and returned sources."""
    js, found = bus._jetstream(), []
    state = (await js.stream_info(SESSIONS.name)).state
    for sequence in range(1, state.last_seq + 1):
        message = await js.get_msg(SESSIONS.name, sequence)
        if "source_" in str(message.subject):
            found.append(decode_event(message.data or b""))
    return found


async def _count_of(bus: Bus, count: int) -> bool:
    return len(await _outages(bus)) == count


async def _failed_at(worker: str, site: Site) -> bool:
    status = await site.status()
    return status.get("state") == "reconnecting" and status.get("worker") == worker


async def test_somebody_who_looks_gets_a_smooth_picture_and_nobody_else_costs_anything(
    site: Site, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "v.mp4", seconds=6, rate=25)
    before = REGISTRY.get_sample_value("vigil_ingestion_preview_seconds_count") or 0.0
    await site.open(video.as_uri())
    async with site.turns() as turns, site.worker("w"), site.bus.keep_latest(subjects.preview_shown(KEY)) as shown:
        await turns.take(4)
        assert (REGISTRY.get_sample_value("vigil_ingestion_preview_seconds_count") or 0.0) == before
        await site.bus.publish(subjects.preview_asked(KEY), b"")
        async with asyncio.timeout(DEADLINE_S):
            pictures = [(await anext(shown)).payload for _ in range(5)]
        assert all(picture.startswith(b"\xff\xd8") for picture in pictures)
        assert len(set(pictures)) > 1
        await turns.take(2)


async def test_a_session_that_hears_its_source_gets_its_sound_by_the_clock_of_its_pictures(
    site: Site, tmp_path: Path
) -> None:
    video = write_sounding(tmp_path / "a.mp4", seconds=2)
    await site.open(f"file://{video}", hearing=Hearing(is_on=True, from_source=True))
    async with (
        site.bus.subscribe(subjects.audio_in(KEY), capacity=200) as heard,
        site.turns() as turns,
        site.worker("w"),
        asyncio.timeout(DEADLINE_S),
    ):
        (turn,) = await turns.take(1)
        chunks = [decode_audio((await anext(heard)).payload) for _ in range(40)]
    began_us = turn.frames[0].capture_time_us - turn.time_ms * 1_000
    assert [chunk.sequence for chunk in chunks] == list(range(chunks[0].sequence, chunks[0].sequence + 40))
    assert {(chunk.origin, chunk.stream, chunk.is_addressed) for chunk in chunks} == {
        (Origin.SOURCE, "source-1", False)
    }
    for chunk in chunks:
        since_s = (chunk.capture_time_us - began_us) / 1e6
        if 0.1 < since_s % 1 < 0.85:
            assert second_heard(chunk.pcm, SAMPLE_RATE_HZ) == int(since_s) % 2


async def test_a_session_that_is_not_to_hear_its_source_gets_no_sound(site: Site, tmp_path: Path) -> None:
    video = write_sounding(tmp_path / "a.mp4", seconds=2)
    await site.open(f"file://{video}", hearing=Hearing(is_on=True))
    async with site.bus.subscribe(subjects.audio_in(KEY), capacity=200) as heard, site.turns() as turns:
        async with site.worker("w"):
            await turns.take(4)
        assert heard.statistics.offered == 0


async def test_a_picture_that_is_asked_for_comes_at_once_and_not_with_the_next_turn(site: Site, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", seconds=4, rate=25)
    await site.open(video.as_uri(), interval_ms=LONGEST_CADENCE_MS)
    async with site.turns() as turns, site.worker("w"):
        (first,) = await turns.take(1)
        await eventually(lambda: site.bus.is_heard(subjects.frame_asked(KEY)), what="it is listened to")
        asked_us = time.time_ns() // 1_000
        await site.bus.publish(subjects.frame_asked(KEY), b"")
        (second,) = await turns.take(1)
    assert first.time_ms == 0
    assert 0 < second.time_ms < LONGEST_CADENCE_MS, "it is a turn of its own, between two of the cadence"
    (frame,) = second.frames
    assert frame.capture_time_us >= asked_us - PICTURE_US, "what it shows is what was there when it was asked for"
