"""Pictures as a person would see them: upright, in their true shape and colours, or refused with a name."""

import gc
import io
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from PIL import Image

from vigil.core.profile import JOYAI, VIGIL_SMALL, PromptProfile
from vigil.core.session import Cadence
from vigil_ingestion.address import resolve
from vigil_ingestion.colour import Matrix
from vigil_ingestion.conversion import Conversion
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.media import Limits, opened
from vigil_ingestion.orientation import Orientation, Pixels
from vigil_ingestion.picture import NotConvertible, encode
from vigil_ingestion.playback import Capture
from vigil_ingestion.probe import probe
from vigil_ingestion.stream import Order, streaming

LIMITS = Limits(open_s=2.0, read_s=1.0)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
Setup = Callable[[av.VideoStream], None]
Recolour = Callable[[av.VideoFrame], av.VideoFrame]


def quarters(width: int = 320, height: int = 192) -> Pixels:
    """Red and green above, blue and white below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, WHITE
    return pixels


def unchanged(frame: av.VideoFrame) -> av.VideoFrame:
    return frame


def write(
    path: Path,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (320, 192),
    setup: Setup = lambda _: None,
    recolour: Recolour = unchanged,
) -> Path:
    """A short video of `quarters`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"x265-params": "log-level=none"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        setup(stream)
        for _ in range(3):
            frame = recolour(av.VideoFrame.from_ndarray(quarters(*size), format="rgb24"))
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def marked(video: Path, matrix: int) -> Path:
    """The same video, said to be coded with another colour matrix."""
    return filtered(video, f"matrix_coefficients={matrix}")


def filtered(video: Path, metadata: str) -> Path:
    """The same video with other H.264 metadata."""
    out = video.with_name(f"filtered-{video.name}")
    with av.open(str(video)) as given, av.open(str(out), "w") as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        marker = BitStreamFilterContext(f"h264_metadata={metadata}", given.streams.video[0], stream)
        for packet in given.demux(video=0):
            for coded in marker.filter(packet if packet.size else None):
                coded.stream = stream
                container.mux(coded)
    return out


def seen(video: Path, profile: PromptProfile = JOYAI) -> Pixels:
    """What becomes of the video's last picture."""
    with opened(resolve(f"file://{video}", None), LIMITS) as media:
        frames = (frame for packet in media.packets() for frame in media.frames(packet))
        jpegs = [encode(frame, 0, profile, media.geometry) for frame in frames]
    return np.asarray(Image.open(io.BytesIO(jpegs[-1].jpeg)))


def corners(pixels: Pixels) -> list[list[int]]:
    """The colours of the four quarters, row by row."""
    height, width, _ = pixels.shape
    return [pixels[y, x].tolist() for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]


def assert_colours(pixels: Pixels, *colours: tuple[int, int, int], within: int = 12) -> None:
    for corner, colour in zip(corners(pixels), colours, strict=True):
        assert corner == pytest.approx(colour, abs=within)


ROTATIONS = [
    (90, False, False, (GREEN, WHITE, RED, BLUE)),
    (180, False, False, (WHITE, BLUE, GREEN, RED)),
    (270, False, False, (BLUE, RED, WHITE, GREEN)),
    (0, True, False, (GREEN, RED, WHITE, BLUE)),
    (0, False, True, (BLUE, WHITE, RED, GREEN)),
    (92, False, False, (GREEN, WHITE, RED, BLUE)),
]


@pytest.mark.parametrize(("degrees", "hflip", "vflip", "colours"), ROTATIONS)
def test_a_rotated_video_is_turned_upright(
    tmp_path: Path, degrees: int, hflip: bool, vflip: bool, colours: tuple[tuple[int, int, int], ...]
) -> None:
    video = write(tmp_path / "a.mp4", setup=lambda s: s.set_display_rotation(degrees, hflip=hflip, vflip=vflip))
    pixels = seen(video)
    assert_colours(pixels, *colours)
    assert pixels.shape[:2] == ((320, 192) if degrees in (90, 92, 270) else (192, 320))


@pytest.mark.parametrize(
    ("orientation", "colours"),
    [("rotate=90", (GREEN, WHITE, RED, BLUE)), ("flip=horizontal", (GREEN, RED, WHITE, BLUE))],
)
def test_a_camera_that_says_once_how_it_hangs_is_turned_all_the_time(
    tmp_path: Path, orientation: str, colours: tuple[tuple[int, int, int], ...]
) -> None:
    video = filtered(write(tmp_path / "a.mkv"), f"display_orientation=insert:{orientation}")
    assert_colours(seen(video), *colours)  # its last picture; the word is in its key frame


def test_pictures_go_without_the_garbage_collector(tmp_path: Path) -> None:
    """It looks rarely, and each picture that waits for it holds megabytes and two threads of the scaler."""
    video = write(tmp_path / "a.mp4")
    gc.collect()
    gc.disable()
    try:
        seen(video)
        assert sum(type(found) is av.VideoFrame for found in gc.get_objects()) == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("quarter", range(4))
def test_a_turn_is_that_of_numpy(quarter: int) -> None:
    pixels = quarters(64, 32)
    turn = Orientation.turned(quarter * 90)
    assert np.array_equal(turn.upright(pixels), np.rot90(pixels, quarter))
    assert turn.size(64, 32) == np.rot90(pixels, quarter).shape[1::-1]


def test_what_is_no_display_matrix_turns_nothing() -> None:
    assert Orientation.of(b"") == Orientation.of(bytes(36)) == Orientation()


@pytest.mark.parametrize(
    ("size", "aspect", "shape"),
    [
        ((720, 576), Fraction(64, 45), 1024 / 576),
        ((704, 288), Fraction(12, 11) / 2, 704 * 12 / 22 / 288),
        ((320, 192), Fraction(1, 90), 320 / 192),  # no camera has such pixels
    ],
)
def test_pixels_that_are_not_square_keep_their_shape(
    tmp_path: Path, size: tuple[int, int], aspect: Fraction, shape: float
) -> None:
    def setup(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = aspect

    height, width, _ = seen(write(tmp_path / "a.mp4", size=size, setup=setup)).shape
    assert width / height == pytest.approx(shape, rel=0.08)  # sides are multiples of 32


def test_a_wide_picture_on_its_side_is_tall(tmp_path: Path) -> None:
    def setup(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        stream.set_display_rotation(90)

    height, width, _ = seen(write(tmp_path / "a.mp4", size=(720, 576), setup=setup)).shape
    assert height / width == pytest.approx(1024 / 576, rel=0.08)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("8 bit.mp4", "libx264", "yuv420p"),
        ("10 bit.mp4", "libx264", "yuv420p10le"),
        ("10 bit 4:2:2.mp4", "libx264", "yuv422p10le"),
        ("4:4:4.mp4", "libx264", "yuv444p"),
        ("jpeg.mjpeg", "mjpeg", "yuvj420p"),
        ("rgb.mkv", "ffv1", "bgr0"),
        ("vp9.webm", "libvpx-vp9", "yuv420p"),
        ("transparent vp9.webm", "libvpx-vp9", "yuva420p"),
        ("transparent rgb.mkv", "ffv1", "bgra"),
        ("12 bit.mkv", "ffv1", "gbrp12le"),
        ("few colours.mkv", "ffv1", "yuv410p"),
    ],
)
def test_colours_are_right(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    assert_colours(seen(write(tmp_path / name.replace(":", ""), codec, pixel_format)), RED, GREEN, BLUE, WHITE)


def test_a_full_range_video_is_neither_pale_nor_crushed(tmp_path: Path) -> None:
    def setup(stream: av.VideoStream) -> None:
        stream.color_range = 2

    def dim(frame: av.VideoFrame) -> av.VideoFrame:
        grey = av.VideoFrame.from_ndarray(quarters() // 8, format="rgb24")
        return grey.reformat(format="yuv420p", dst_color_range=2)

    pixels = seen(write(tmp_path / "a.mp4", setup=setup, recolour=dim))
    assert corners(pixels)[3] == pytest.approx([31, 31, 31], abs=4)  # 17 if it were taken for the limited range


def test_a_picture_of_an_odd_size_is_shown(tmp_path: Path) -> None:
    assert_colours(seen(write(tmp_path / "a.mkv", "ffv1", "yuv444p", (321, 193))), RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("pixel_format", ["gray", "gray16le"])
def test_a_grey_video_keeps_its_levels(tmp_path: Path, pixel_format: str) -> None:
    pixels = seen(write(tmp_path / "a.mkv", "ffv1", pixel_format))
    assert_colours(pixels, (76, 76, 76), (150, 150, 150), (29, 29, 29), WHITE, within=4)


def test_a_grey_jpeg_camera_keeps_its_levels(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(quarters()).convert("L").save(buffer, "JPEG")
    (tmp_path / "a.mjpeg").write_bytes(buffer.getvalue() * 3)
    assert_colours(seen(tmp_path / "a.mjpeg"), (76, 76, 76), (150, 150, 150), (29, 29, 29), WHITE, within=4)


def test_a_jpeg_camera_that_hangs_on_its_side_is_turned_by_its_exif_data(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    buffer = io.BytesIO()
    Image.fromarray(quarters()).save(buffer, "JPEG", exif=exif)
    (tmp_path / "a.mjpeg").write_bytes(buffer.getvalue() * 3)
    assert_colours(seen(tmp_path / "a.mjpeg"), BLUE, RED, WHITE, GREEN)


def test_an_unmarked_hd_picture_is_bt709(tmp_path: Path) -> None:
    def as_bt709(frame: av.VideoFrame) -> av.VideoFrame:
        return frame.reformat(format="yuv420p", dst_colorspace=1)

    assert_colours(seen(write(tmp_path / "a.mp4", size=(1280, 720), recolour=as_bt709)), RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("matrix", [0, 3, 99])
def test_a_matrix_that_means_nothing_here_is_taken_for_the_usual_one(tmp_path: Path, matrix: int) -> None:
    assert_colours(seen(marked(write(tmp_path / "a.mp4"), matrix)), RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("matrix", [10, 12, 13])
def test_a_rare_matrix_is_nearly_right(tmp_path: Path, matrix: int) -> None:
    assert_colours(seen(marked(write(tmp_path / "a.mp4"), matrix)), RED, GREEN, BLUE, WHITE, within=45)


@pytest.mark.parametrize(("matrix", "name"), [(8, "YCgCo"), (11, "SMPTE ST 2085"), (14, "ICtCp")])
def test_a_matrix_that_cannot_be_converted_is_a_fault_with_a_name(tmp_path: Path, matrix: int, name: str) -> None:
    video = marked(write(tmp_path / "a.mp4"), matrix)
    with pytest.raises(NotConvertible, match=name):
        seen(video)
    with pytest.raises(SourceError, match=rf"can be decoded but not shown \(its colours are {name}") as caught:
        probe(f"file://{video}", None, LIMITS)
    assert caught.value.fault is Fault.NOT_A_VIDEO


@pytest.mark.parametrize("reserved", [3, 30])
def test_a_decoder_that_passes_a_reserved_matrix_on(reserved: int) -> None:
    frame = av.VideoFrame.from_ndarray(quarters(), format="rgb24").reformat(format="yuv420p")
    frame.colorspace = reserved
    pixels = np.asarray(Image.open(io.BytesIO(encode(frame, 0, VIGIL_SMALL).jpeg)))
    assert_colours(pixels, RED, GREEN, BLUE, WHITE)


def pq(nits: float) -> float:
    """The signal of a light in SMPTE ST 2084."""
    light: float = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * light) / (1 + 18.6875 * light)) ** 78.84375)


def hdr(light: list[list[float]], transfer: int, signal: Callable[[float], float]) -> av.VideoFrame:
    """A picture of vertical bars of these lights (red, green, blue in BT.2020), as a 10-bit camera codes it."""
    levels = np.array([[round(signal(max(part, 0)) * 65_535) for part in bar] for bar in light], np.uint16)
    pixels = np.repeat(np.repeat(levels[None], 32, axis=0), 32, axis=1)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le")
    frame = frame.reformat(format="yuv444p10le", dst_colorspace=9, dst_color_range=1)
    frame.colorspace, frame.color_trc, frame.color_primaries, frame.color_range = 9, transfer, 9, 1
    return frame


def bars(frame: av.VideoFrame) -> Iterator[list[int]]:
    pixels = np.asarray(Image.open(io.BytesIO(encode(frame, 0, JOYAI).jpeg)))
    for middle in range(16, pixels.shape[1], 32):
        yield pixels[16, middle].tolist()


def test_hdr10_looks_as_on_an_ordinary_screen() -> None:
    greys = [0.0, 50.0, 100.0, 203.0, 1_000.0, 4_000.0]
    found = list(bars(hdr([[nits] * 3 for nits in greys], 16, pq)))
    expected = [0, 136, 187, 244, 254, 255]  # up to the knee that of sRGB: 255 * (1.055 * (nits / 203) ** (1 / 2.4) …
    for bar, level in zip(found, expected, strict=True):
        assert bar == pytest.approx([level] * 3, abs=6)


def test_the_colours_of_hdr10_are_not_pale() -> None:
    red, green, blue = [62.7, 6.9, 1.6], [32.9, 92.0, 8.8], [4.3, 1.1, 89.6]  # BT.709's at 100 nits
    found = list(bars(hdr([red, red, green, green, blue, blue], 16, pq)))
    for bar, main in ((found[0], 0), (found[2], 1), (found[5], 2)):
        assert bar.pop(main) > 170
        assert max(bar) < 40


def test_hlg_keeps_the_order_of_its_lights() -> None:
    signals = [0.0, 0.25, 0.5, 0.75, 1.0]
    found = [bar[0] for bar in bars(hdr([[signal] * 3 for signal in signals], 18, lambda signal: signal))]
    assert found == sorted(set(found))
    assert found[0] == pytest.approx(0, abs=3)
    assert found[3] == pytest.approx(244, abs=6)  # HLG's white, at three quarters of the signal
    assert found[4] == pytest.approx(254, abs=3)


def coloured(matrix: int, time_s: float) -> Capture:
    frame = av.VideoFrame.from_ndarray(quarters(), format="rgb24").reformat(format="yuv420p")
    frame.colorspace = matrix
    return Capture(int(time_s * 1_000_000), frame)


def test_a_source_without_a_picture_that_can_be_shown_is_a_fault_within_seconds() -> None:
    conversion = Conversion(VIGIL_SMALL)
    assert conversion.frame(coloured(Matrix.UNSPECIFIED, 0)) is not None
    for tenth in range(30):
        assert conversion.frame(coloured(Matrix.ICTCP, 1 + tenth / 10)) is None
    with pytest.raises(SourceError, match="ICtCp") as caught:
        conversion.frame(coloured(Matrix.ICTCP, 4))
    assert caught.value.fault is Fault.NOT_A_VIDEO


def test_single_pictures_that_cannot_be_shown_are_left_out() -> None:
    conversion = Conversion(VIGIL_SMALL)
    for second in range(20):
        matrix = Matrix.ICTCP if second % 2 else Matrix.UNSPECIFIED
        assert (conversion.frame(coloured(matrix, second)) is None) == bool(second % 2)
    conversion.finish()


async def test_a_session_on_pictures_that_cannot_be_shown_is_told_the_reason(tmp_path: Path) -> None:
    video = marked(write(tmp_path / "a.mp4"), Matrix.YCGCO)
    order = Order(f"file://{video}", False, Cadence(200), VIGIL_SMALL, None, LIMITS)
    async with streaming(order, lambda capture_us: capture_us) as stream:
        with pytest.raises(SourceError, match="can be decoded but not shown") as caught:
            await anext(aiter(stream.turns))
    assert caught.value.fault is Fault.NOT_A_VIDEO
