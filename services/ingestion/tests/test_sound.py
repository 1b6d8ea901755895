"""The sound of real sources: decoded beside the pictures, by the same clock, and never in their way."""

import asyncio
import itertools
import time
from pathlib import Path

import av
import numpy as np
import pytest
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.contract.audio import AudioChunk, decode_audio
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey
from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence
from vigil.core.sound import SAMPLE_RATE_HZ, duration_ms
from vigil.core.sound_cutter import CHUNK_MS, Piece
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.cancellation import first_to_end
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.rtsp import Camera
from vigil.testing.videos import second_heard, tone_of, write_sounding, write_video
from vigil_ingestion.clock import WallClock
from vigil_ingestion.media import Limits
from vigil_ingestion.sound.buffer import Sound, SoundBuffer
from vigil_ingestion.sound.carrying import carry_sound
from vigil_ingestion.sound.ear import PUBLISHED_MS, Ear, listening
from vigil_ingestion.sound.packet import SoundFormat, SoundPacket
from vigil_ingestion.stream import Order, streaming

LIMITS = Limits(open_s=5.0, read_s=2.0)
KEY = SessionKey("demo", "s-1")
S = 1_000_000
ALL = 100  # turns that wait: none is lost where the event loop of a busy machine comes late


def order(path: Path, loop: bool = False) -> Order:
    return Order(f"file://{path}", loop, Cadence(200), VIGIL_SMALL, None, LIMITS)


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("vigil_ingestion_sound_dropped_total", {"reason": reason}) or 0.0


def begun(now_us: int) -> int:
    """A session whose file begins at its first picture."""
    return now_us


async def heard(ear: Ear, count: int) -> list[Piece]:
    async with asyncio.timeout(DEADLINE_S):
        return [(await ear.pieces.take())[0] for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.mp4", "aac", 44_100), ("a.mkv", "libopus", 48_000), ("a.ts", "aac", 32_000)]
)
async def test_the_sound_of_a_file_has_the_time_of_its_pictures(
    tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    video = write_sounding(tmp_path / name, seconds=2, codec=codec, sample_rate_hz=rate)
    origin_us = time.time_ns() // 1_000
    async with listening() as ear, streaming(order(video, loop=True), lambda _: origin_us, ear=ear):
        pieces = await heard(ear, 60)
    lengths = [duration_ms(piece.pcm) for piece in pieces]
    assert lengths.count(CHUNK_MS) > 55
    assert all(20 <= length <= CHUNK_MS for length in lengths), "one before a gap may be shorter"
    for piece in pieces:
        since_us = piece.time_us - origin_us
        if 0.1 * S < since_us % S < 0.85 * S:  # not across the border of two seconds
            assert second_heard(piece.pcm, SAMPLE_RATE_HZ) == since_us // S % 2, since_us


async def test_a_file_is_heard_as_fast_as_it_was_recorded_and_from_where_its_playback_is(tmp_path: Path) -> None:
    video = write_sounding(tmp_path / "a.mp4", seconds=3)
    origin_us = time.time_ns() // 1_000 - S  # playback began a second ago
    async with listening() as ear, streaming(order(video), lambda _: origin_us, ear=ear):
        pieces = await heard(ear, 30)
        now_us = time.time_ns() // 1_000
    assert 0 <= pieces[0].time_us - origin_us - S < 0.8 * S
    assert second_heard(pieces[5].pcm, SAMPLE_RATE_HZ) == 1
    assert pieces[-1].time_us + CHUNK_MS * 1_000 <= now_us, "nothing is heard before its time"


async def test_a_source_without_sound_is_watched_as_any_other(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    async with listening() as ear, streaming(order(video), begun, ear=ear, waiting_turns=ALL) as stream:
        turns = [turn async for turn in stream.turns]
        assert ear.pieces.statistics.offered == 0
    assert len(turns) >= 4


async def test_pictures_do_not_wait_for_an_ear_that_hears_nothing(tmp_path: Path) -> None:
    """An ear whose thread never runs stands for a decoder that hangs: every turn comes all the same."""
    video = write_sounding(tmp_path / "a.mp4", seconds=2)
    deaf = Ear(asyncio.get_running_loop())
    async with streaming(order(video), begun, ear=deaf, waiting_turns=ALL) as stream:
        turns = [turn async for turn in stream.turns]
    assert len(turns) >= 9
    assert deaf.pieces.statistics.offered == 0


async def test_damaged_sound_is_left_out_and_the_rest_is_heard(tmp_path: Path) -> None:
    before, clock = dropped("broken"), WallClock()
    mulaw = SoundFormat("pcm_mulaw", None, 8_000, "mono")
    async with listening() as ear:
        ear.live(SoundFormat("no such codec", None, 8_000, "mono"), clock)(SoundPacket(b"x", 0, 20_000))
        hear = ear.live(mulaw, clock)
        for number in range(10):
            hear(SoundPacket(bytes(160), number * 20_000, 20_000))
        pieces = await heard(ear, 4)
    assert dropped("broken") == before + 1
    assert abs(np.frombuffer(pieces[0].pcm, np.int16)).max() > 30_000, "zero bytes of mu-law are the loudest"


async def test_decoded_sound_of_any_form_is_heard_also_when_its_form_changes() -> None:
    before, clock = dropped("broken"), WallClock()
    async with listening() as ear:
        for rate, number in ((48_000, 0), (48_000, 1), (48_000, 2), (24_000, 3), (24_000, 4), (24_000, 5)):
            frame = av.AudioFrame.from_ndarray(tone_of(1, rate)[None, : rate // 10], format="s16", layout="mono")
            frame.sample_rate = rate
            ear.decoded(frame, clock.now_us() + number * 100_000)
        pieces = await heard(ear, 9)
    assert {second_heard(piece.pcm, SAMPLE_RATE_HZ) for piece in pieces[1:5]} == {1}
    assert dropped("broken") - before == 1, "the piece with which the form changed"


def test_of_what_waits_to_be_decoded_the_newest_stays() -> None:
    waiting = SoundBuffer(most_us=100_000)
    assert [waiting.put(Sound(b"", number, 40_000)) for number in range(4)] == [0, 0, 1, 1]
    assert [sound.time_us for sound in (waiting.take(), waiting.take()) if sound] == [2, 3]
    waiting.end()
    assert waiting.take() is None


async def test_what_was_heard_is_published_and_a_gap_in_the_numbers_says_what_was_dropped(bus: Bus) -> None:
    ear, waiting = Ear(asyncio.get_running_loop()), PUBLISHED_MS // CHUNK_MS
    before = dropped("replaced")
    pcm = bytes(1_280)
    for number in range(waiting + 3):  # nobody publishes yet
        ear.pieces.offer(Piece(number * 40_000, pcm))
    await bus.connected()
    async with bus.subscribe(subjects.audio_in(KEY), capacity=100) as messages:

        async def take() -> list[AudioChunk]:
            async with asyncio.timeout(DEADLINE_S):
                return [decode_audio((await anext(messages)).payload) for _ in range(waiting)]

        chunks = await first_to_end(carry_sound(bus, KEY, "source-1", ear.pieces, lambda: True), take())
    assert [chunk.sequence for chunk in chunks] == list(range(3, waiting + 3))
    assert chunks[0] == AudioChunk(KEY, Origin.SOURCE, "source-1", 3, 3 * 40_000, pcm)
    assert dropped("replaced") == before + 3


async def test_sound_that_is_not_wanted_is_not_published_and_counted_all_the_same(bus: Bus) -> None:
    ear, wanted = Ear(asyncio.get_running_loop()), iter([True, False, False, True])
    for number in range(4):
        ear.pieces.offer(Piece(number * 40_000, bytes(1_280)))
    await bus.connected()
    async with bus.subscribe(subjects.audio_in(KEY), capacity=100) as messages:

        async def take() -> list[int]:
            async with asyncio.timeout(DEADLINE_S):
                return [decode_audio((await anext(messages)).payload).sequence for _ in range(2)]

        sequences = await first_to_end(carry_sound(bus, KEY, "source-1", ear.pieces, lambda: next(wanted)), take())
    assert sequences == [0, 3]


async def test_sound_of_a_file_that_comes_too_late_is_let_go() -> None:
    before, clock = dropped("late"), WallClock()
    mulaw = SoundFormat("pcm_mulaw", None, 8_000, "mono")
    async with listening() as ear:
        ear.played(SoundPacket(bytes(800), 0, 100_000), clock.now_us() - 3 * S, mulaw, clock)
        ear.played(SoundPacket(bytes(800), 0, 100_000), clock.now_us() - S, mulaw, clock)
        pieces = await heard(ear, 2)
        await eventually(lambda: dropped("late") == before + 1, what="the late one is counted")
    assert all(later.time_us > earlier.time_us for earlier, later in itertools.pairwise(pieces))


@pytest.mark.rtsp
@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
async def test_the_sound_of_a_camera_is_heard_as_it_arrives(camera: Camera, udp: bool) -> None:
    server = await camera(udp=udp, sound_hz=500)
    asked = Order(server.url, False, Cadence(200), VIGIL_SMALL, None, LIMITS)
    async with listening() as ear, streaming(asked, begun, ear=ear) as stream:
        pieces = await heard(ear, 70)
        now_us = time.time_ns() // 1_000
        assert (await anext(stream.turns)).frames
    assert {second_heard(piece.pcm, SAMPLE_RATE_HZ) for piece in pieces[5:]} == {1}, "500 Hz"
    spans_us = [later.time_us - earlier.time_us for earlier, later in itertools.pairwise(pieces[5:])]
    assert 20_000 <= min(spans_us) <= max(spans_us) <= 50_000, "what came at once while it was opened is told faster"
    assert min(spans_us[-10:]) >= 30_000
    assert 0 <= now_us - pieces[-1].time_us < 3 * S


@pytest.mark.rtsp
async def test_a_camera_without_a_microphone_is_watched_as_any_other(camera: Camera) -> None:
    server = await camera()
    asked = Order(server.url, False, Cadence(200), VIGIL_SMALL, None, LIMITS)
    async with listening() as ear, streaming(asked, begun, ear=ear) as stream:
        assert (await anext(stream.turns)).frames
        assert ear.pieces.statistics.offered == 0
