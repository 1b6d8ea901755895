"""Sources that are not as they claim: each is a fault with words that fit, at the probe and in a running session."""

from pathlib import Path

import pytest

from vigil.core.profile import VIGIL_SMALL
from vigil.core.session import Cadence
from vigil.runtime.errors import StoreUnavailable
from vigil.testing.rtsp import Camera
from vigil.testing.videos import write_video
from vigil_ingestion.faults import Fault, SourceError, as_source_errors
from vigil_ingestion.media import Limits
from vigil_ingestion.probe import probe
from vigil_ingestion.stream import Order, Origin, streaming

LIMITS = Limits(open_s=5.0, read_s=2.0)


def at_once(capture_us: int) -> int:
    return capture_us


async def failure(url: str, origin: Origin = at_once) -> Exception:
    """What ends a running session's source."""
    async with streaming(Order(url, False, Cadence(200), VIGIL_SMALL, None, LIMITS), origin) as stream:
        with pytest.raises(Exception) as caught:  # noqa: PT011  the test looks at its kind
            async for _ in stream.turns:
                pass
    return caught.value


async def both_faults(url: str) -> SourceError:
    """The fault at the probe, which is that of a running session."""
    with pytest.raises(SourceError) as caught:
        probe(url, None, LIMITS)
    running = await failure(url)
    assert isinstance(running, SourceError)
    assert (running.fault, running.message) == (caught.value.fault, caught.value.message)
    return running


@pytest.mark.parametrize(
    ("tag", "told"), [(b"evc1", "codec that cannot be decoded"), (b"xxxx", "codec that cannot be")]
)
async def test_a_codec_without_a_decoder_is_no_video(tmp_path: Path, tag: bytes, told: str) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    video.write_bytes(video.read_bytes().replace(b"avc1", tag))
    error = await both_faults(f"file://{video}")
    assert error.fault is Fault.NOT_A_VIDEO
    assert told in error.message


async def test_a_file_of_damaged_pictures_alone_is_no_video(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    data = bytearray(video.read_bytes())
    begin, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[begin:end] = bytes(place * 7_919 % 251 for place in range(begin, end))
    video.write_bytes(data)
    with pytest.raises(SourceError, match="no picture that can be decoded"):
        probe(f"file://{video}", None, LIMITS)
    error = await failure(f"file://{video}")
    assert isinstance(error, SourceError)
    assert error.fault is Fault.NOT_A_VIDEO


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://169.254.169.254/a.ts\n#EXT-X-ENDLIST\n",
    "hidden.mp4": "#EXTM3U\n#EXTINF:9,\na.ts\n",
    "list.ffconcat": "ffconcat version 1.0\nfile a.ts\n",
    "list.txt": "file 'a.ts'\nfile 'b.ts'\n",
    "list.mpd": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>\n',
}


@pytest.mark.parametrize("name", PLAYLISTS)
async def test_a_playlist_is_refused_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(PLAYLISTS[name])
    error = await both_faults(f"file://{tmp_path / name}")
    assert error.fault is Fault.NOT_A_VIDEO
    assert "is a playlist, and playlists are not played" in error.message


async def test_an_error_that_nobody_thought_of_is_a_fault() -> None:
    def origin(_capture_us: int) -> int:
        raise ZeroDivisionError("rtsp://user:s3cret@host")

    with pytest.raises(SourceError, match=r"failed on it \(ZeroDivisionError\)") as caught, as_source_errors("it"):
        origin(0)
    assert caught.value.fault is Fault.NOT_A_VIDEO
    assert "s3cret" not in str(caught.value)


async def test_it_ends_a_running_session_as_a_fault_too(tmp_path: Path) -> None:
    def broken(_capture_us: int) -> int:
        raise ZeroDivisionError

    error = await failure(f"file://{write_video(tmp_path / 'a.mp4', seconds=1)}", broken)
    assert isinstance(error, SourceError)
    assert error.fault is Fault.NOT_A_VIDEO


async def test_an_error_of_the_store_stays_what_it_is(tmp_path: Path) -> None:
    def away(_capture_us: int) -> int:
        raise StoreUnavailable("Redis is away")

    error = await failure(f"file://{write_video(tmp_path / 'a.mp4', seconds=1)}", away)
    assert isinstance(error, StoreUnavailable)


@pytest.mark.rtsp
async def test_a_camera_that_offers_udp_alone_is_watched(camera: Camera) -> None:
    server = await camera(udp=True)
    async with streaming(Order(server.url, False, Cadence(200), VIGIL_SMALL, None, LIMITS), at_once) as stream:
        turns = aiter(stream.turns)
        times_ms = [(await anext(turns)).time_ms for _ in range(4)]
    assert times_ms == sorted(set(times_ms))


@pytest.mark.rtsp
async def test_a_password_of_special_characters_is_understood(camera: Camera) -> None:
    server = await camera("admin", "p@s#s?w/d")
    url = server.url.replace("rtsp://", "rtsp://admin:p%40s%23s%3Fw%2Fd@")
    async with streaming(Order(url, False, Cadence(200), VIGIL_SMALL, None, LIMITS), at_once) as stream:
        assert (await anext(aiter(stream.turns))).time_ms == 0
