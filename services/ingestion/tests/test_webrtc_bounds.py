"""What aiortc and aioice keep of a client has an end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from itertools import pairwise

import av
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from aiortc.codecs import CODECS
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcrtpreceiver import logger
from prometheus_client import REGISTRY

from vigil.testing.eventually import eventually
from vigil_ingestion.testing.sender import recorded
from vigil_ingestion.webrtc.bounds import (
    KEY_AGAIN_S,
    MOST_COMING,
    MOST_DATAGRAMS,
    MOST_PACKED,
    MOST_PACKED_BYTES,
    MOST_SHOWN,
    MOST_STREAMS,
    Datagrams,
    Packed,
    PackedPictures,
    PackedSound,
    Shown,
    is_crowded,
)
from vigil_ingestion.webrtc.decode_errors import count_decode_errors
from vigil_ingestion.webrtc.feedback import LEAST_MS, PacedEstimator
from vigil_ingestion.webrtc.key_pictures import is_key

VP8, OPUS = CODECS["video"][0], CODECS["audio"][0]
KEY, DELTA = b"\x00key", b"\x01delta"


@pytest.fixture
async def receiver() -> AsyncIterator[RTCRtpReceiver]:
    """A receiver of video that receives nothing."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    yield connection.addTransceiver("video", direction="recvonly").receiver
    await connection.close()


def dropped(what: str) -> float:
    return REGISTRY.get_sample_value("vigil_ingestion_webrtc_dropped_total", {"what": what}) or 0.0


def picture(data: bytes) -> Packed:
    return VP8, JitterFrame(data, 0)


def data_of(item: Packed) -> bytes:
    assert item is not None
    return item[1].data


def is_asked(receiver: RTCRtpReceiver) -> bool:
    """Whether the client will be asked for a key picture; it counts as asked then."""
    event = receiver._RTCRtpReceiver__decoder_error  # type: ignore[attr-defined]
    asked = bool(event.is_set())
    event.clear()
    return asked


async def test_a_decoder_that_falls_behind_begins_anew_at_a_key_picture(receiver: RTCRtpReceiver) -> None:
    packed, before = PackedPictures(receiver, Shown()), dropped("coded")
    packed.put(picture(KEY))
    for _ in range(10 * MOST_PACKED):
        packed.put(picture(DELTA))
        assert packed.qsize() <= MOST_PACKED
    assert is_asked(receiver)
    assert packed.empty()
    packed.put(picture(DELTA))
    packed.put(picture(KEY))
    packed.put(picture(DELTA))
    assert dropped("coded") - before == 10 * MOST_PACKED + 2
    assert [data_of(packed.get()) for _ in range(2)] == [KEY, DELTA]


async def test_a_client_is_asked_for_a_key_picture_once_a_second(receiver: RTCRtpReceiver) -> None:
    packed = PackedPictures(receiver, Shown())
    for _ in range(MOST_PACKED + 1):
        packed.put(picture(KEY))
    packed._skipping = True
    packed.put(picture(DELTA))
    assert is_asked(receiver)
    packed.put(picture(DELTA))
    assert not is_asked(receiver)
    packed._asked_s -= KEY_AGAIN_S
    packed.put(picture(DELTA))
    assert is_asked(receiver)


async def test_large_pictures_count_by_their_bytes(receiver: RTCRtpReceiver) -> None:
    packed, large = PackedPictures(receiver, Shown()), KEY + bytes(MOST_PACKED_BYTES // 3)
    for _ in range(10):
        packed.put(picture(large))
        assert packed.qsize() <= 2
    while packed.qsize():
        packed.get()
    assert packed._bytes == 0


async def test_the_end_does_not_wait_for_the_decoder(receiver: RTCRtpReceiver) -> None:
    for packed in (PackedPictures(receiver, Shown()), PackedSound(Shown())):
        packed.put(picture(KEY))
        packed.put(None)
        assert packed.get() is None


def test_the_newest_sound_is_kept() -> None:
    packed = PackedSound(Shown())
    for number in range(3 * MOST_PACKED):
        packed.put((OPUS, JitterFrame(b"%d" % number, 0)))
    assert packed.qsize() == MOST_PACKED
    assert data_of(packed.get()) == b"%d" % (2 * MOST_PACKED)


def decode(shown: Shown, loop: asyncio.AbstractEventLoop, decoded: list[int]) -> threading.Thread:
    """A decoder of fifty pictures, as aiortc's thread hands them over."""

    def work() -> None:
        for number in range(50):
            asyncio.run_coroutine_threadsafe(shown.put(number), loop)
            decoded.append(number)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def hold_up(thread: threading.Thread, decoded: list[int]) -> None:
    """Keep the event loop busy until the decoder is as far ahead as it may be, and a moment longer."""
    until_s = time.monotonic() + 30
    while len(decoded) < MOST_COMING and time.monotonic() < until_s:
        thread.join(0.01)
    thread.join(0.1)


async def test_a_decoder_waits_while_the_loop_is_busy() -> None:
    shown, decoded = Shown(), list[int]()
    thread = decode(shown, asyncio.get_running_loop(), decoded)
    hold_up(thread, decoded)
    assert len(decoded) == MOST_COMING
    await eventually(lambda: len(decoded) == 50, what="the loop has time again")
    await eventually(lambda: shown.qsize() == MOST_SHOWN, what="all have come")
    assert [shown.get_nowait() for _ in range(MOST_SHOWN)] == [48, 49]
    thread.join()


@pytest.mark.parametrize("kind", ["pictures", "sound"])
async def test_the_end_lets_a_decoder_go_that_waits_for_the_loop(receiver: RTCRtpReceiver, kind: str) -> None:
    shown, decoded = Shown(), list[int]()
    packed = PackedPictures(receiver, shown) if kind == "pictures" else PackedSound(shown)
    thread = decode(shown, asyncio.get_running_loop(), decoded)
    hold_up(thread, decoded)
    packed.put(None)
    thread.join(30)  # as aiortc does it: in the event loop
    assert not thread.is_alive()
    assert len(decoded) == 50


async def test_the_newest_pictures_and_the_end_are_kept() -> None:
    shown, before = Shown(), dropped("decoded")
    for number in (*range(10), None):
        await shown.put(number)
    assert [shown.get_nowait() for _ in range(MOST_SHOWN)] == [9, None]
    assert dropped("decoded") - before == 9


async def test_what_nobody_reads_from_the_network_is_dropped() -> None:
    datagrams: asyncio.Queue[object] = Datagrams()
    for _ in range(2 * MOST_DATAGRAMS):
        datagrams.put_nowait((b"", 1))
    datagrams.put_nowait(None)
    assert datagrams.qsize() == MOST_DATAGRAMS + 1


async def test_a_client_that_sends_too_many_streams_is_found_out(receiver: RTCRtpReceiver) -> None:
    streams = receiver.transport._rtp_router.ssrc_table
    streams.update(dict.fromkeys(range(MOST_STREAMS), receiver))
    assert not is_crowded(receiver)
    streams[MOST_STREAMS] = receiver
    assert is_crowded(receiver)


def test_a_client_whose_packets_come_late_is_told_five_times_a_second_at_most() -> None:
    """Packets of 1,200 bytes that are sent every 10 ms, and each of which comes 5 ms later than the one before."""
    told: dict[type[RemoteBitrateEstimator], list[int]] = {}
    for kind in (RemoteBitrateEstimator, PacedEstimator):
        estimator, times = kind(), [(packet * 15, (packet * 10 << 18) // 1_000) for packet in range(400)]
        told[kind] = [at_ms for at_ms, sent in times if estimator.add(at_ms, sent & 0xFFFFFF, 1_200, 1)]
    assert len(told[RemoteBitrateEstimator]) > 100
    assert 0 < len(told[PacedEstimator]) <= 6_000 / LEAST_MS
    assert all(later - earlier >= LEAST_MS for earlier, later in pairwise(told[PacedEstimator]))


def test_aiortc_has_what_is_replaced(receiver: RTCRtpReceiver) -> None:
    for name in ("decoder_queue", "decoder_error", "remote_bitrate_estimator"):
        assert hasattr(receiver, f"_RTCRtpReceiver__{name}")


def test_pictures_that_are_broken_are_counted_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    count_decode_errors()
    count_decode_errors()
    before = REGISTRY.get_sample_value("vigil_ingestion_decode_errors_total") or 0.0
    for _ in range(3):
        logger.warning("RTCRtpReceiver(%s) failed to decode %s frame: %s", "video", "VP8", "broken")
    logger.warning("something else")
    assert REGISTRY.get_sample_value("vigil_ingestion_decode_errors_total") == before + 3
    assert caplog.messages == ["something else"]


def test_key_pictures_of_vp8_are_known() -> None:
    recording = recorded(seconds=1, rate=10)
    assert [is_key("VP8", coded) for coded in recording.pictures] == ([True] + [False] * 4) * 2
    assert not is_key("VP8", b"")


def test_key_pictures_of_h264_are_known() -> None:
    coder = av.CodecContext.create("libx264", "w")
    assert isinstance(coder, av.VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt, coder.time_base = 64, 64, "yuv420p", Fraction(1, 10)
    coder.gop_size, coder.options = 3, {"tune": "zerolatency", "preset": "ultrafast"}
    coded = [coder.encode(av.VideoFrame(64, 64, "yuv420p")) for _ in range(6)]
    assert [is_key("H264", bytes(packet)) for packets in coded for packet in packets] == [True, False, False] * 2
    assert not is_key("H264", b"\x00\x00\x01")
    assert is_key("opus", b"")
