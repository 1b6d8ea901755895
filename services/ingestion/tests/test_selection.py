"""Which of several video streams is watched."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from vigil_ingestion.address import resolve
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits, opened

NOTHING = Disposition(0)
LIMITS = Limits(open_s=2.0, read_s=1.0)


@dataclass(frozen=True)
class Kind:
    """A stream to write: its width tells it from the others."""

    width: int
    codec: str = "libx264"
    disposition: Disposition = NOTHING


COVER = Kind(64, "mjpeg", Disposition.attached_pic)
MAIN = Kind(320, disposition=Disposition.default)
SECOND = Kind(160)


def write(path: Path, kinds: Sequence[Kind]) -> Path:
    with av.open(str(path), "w") as container:
        streams = []
        for kind in kinds:
            stream = container.add_stream(kind.codec, rate=10)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = kind.width, 64
            stream.pix_fmt = "yuvj420p" if kind.codec == "mjpeg" else "yuv420p"
            stream.disposition = kind.disposition
            streams.append(stream)
        for stream, kind in zip(streams, kinds, strict=True):
            for _ in range(1 if kind.disposition & Disposition.attached_pic else 5):
                pixels = np.zeros((64, kind.width, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
    return path


def watched_width(path: Path) -> int:
    with opened(resolve(f"file://{path}", None), LIMITS) as media:
        widths = {frame.width for packet in media.packets() for frame in media.frames(packet)}
    assert len(widths) == 1
    return widths.pop()


@pytest.mark.parametrize(
    ("name", "kinds", "width"),
    [
        ("cover first.mp4", [COVER, MAIN], 320),
        ("cover last.mp4", [MAIN, COVER], 320),
        ("cover and another.mp4", [COVER, SECOND], 160),
        ("cover first.mkv", [COVER, MAIN], 320),
        ("default last.mp4", [SECOND, MAIN], 320),
        ("default last.mkv", [SECOND, MAIN], 320),
        ("default first.mkv", [MAIN, SECOND], 320),
        ("two alike.mp4", [SECOND, Kind(320)], 160),
        ("two alike.ts", [SECOND, Kind(320)], 160),
    ],
)
def test_the_stream_that_a_player_shows_is_watched(
    tmp_path: Path, name: str, kinds: Sequence[Kind], width: int
) -> None:
    assert watched_width(write(tmp_path / name, kinds)) == width


def test_a_cover_alone_is_no_video(tmp_path: Path) -> None:
    song = tmp_path / "song.m4a"
    cover = io.BytesIO()
    Image.new("RGB", (64, 64)).save(cover, "JPEG")
    with av.open(str(song), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=44_100)
        picture = container.add_stream("mjpeg", rate=1)
        assert isinstance(sound, av.AudioStream)
        assert isinstance(picture, av.VideoStream)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
        picture.disposition = Disposition.attached_pic
        container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1_024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 44_100
        container.mux(sound.encode(samples))
        container.mux(sound.encode(None))
    with (
        pytest.raises(SourceError, match="holds only a cover picture") as caught,
        opened(resolve(f"file://{song}", None), LIMITS),
    ):
        pass
    assert caught.value.fault is Fault.NOT_A_VIDEO


def without_decoder(path: Path) -> Path:
    """The video, said to be coded as EVC, for which FFmpeg has a name and no decoder."""
    path.write_bytes(path.read_bytes().replace(b"avc1", b"evc1"))
    return path


def test_a_codec_without_a_decoder_is_named(tmp_path: Path) -> None:
    video = without_decoder(write(tmp_path / "a.mp4", [MAIN]))
    with (
        pytest.raises(SourceError, match="is coded by a codec that cannot be decoded here") as caught,
        opened(resolve(f"file://{video}", None), LIMITS),
    ):
        pass
    assert caught.value.fault is Fault.NOT_A_VIDEO
