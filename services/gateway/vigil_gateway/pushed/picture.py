"""A picture that a client pushes, to the one JPEG that everything downstream uses (as ingestion makes them)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import ExifTags, Image, WebPImagePlugin

from vigil.core.profile import PromptProfile
from vigil.runtime.process.logs import get_log
from vigil_gateway.api.turn_errors import PictureRefused

log = get_log()

MAX_PIXELS = 12_500_000  # a telephone's 12 megapixels, or a frame of 4K video
FORMATS = ("JPEG", "PNG", WebPImagePlugin.WebPImageFile.format)
# What people send instead, by its first bytes and where they stand, so that the refusal can name it.
_OTHERS = (
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"%PDF", "PDF"),
    (0, b"<svg", "SVG"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "a video"),
)

_Turn = Image.Transpose
# What makes a picture upright, by the orientation that its EXIF data names.
_UPRIGHT = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_90,
}

Image.preinit()  # its formats are otherwise imported with the first picture, which would then be late


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG as the model will see it."""

    jpeg: bytes
    width: int
    height: int


def pixels_of(data: bytes) -> int:
    """How many pixels the picture has, by its header: nothing is decoded. Raises `PictureRefused`, also for more than
    `MAX_PIXELS`."""
    with _readable(data), Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        return _bounded_pixels(opened)


def fitted(data: bytes, profile: PromptProfile) -> Picture:
    """Decode, turn upright, scale by area averaging to what the profile fits, encode once at its quality.

    Raises `PictureRefused`. Takes milliseconds of processor time: call it in a thread.
    """
    with _readable(data):
        upright = _upright(data)
    size = profile.fit(upright.width, upright.height)
    buffer = io.BytesIO()
    upright.resize(size, Image.Resampling.BOX).save(buffer, "JPEG", quality=profile.jpeg_quality)
    return Picture(buffer.getvalue(), *size)


def _upright(data: bytes) -> Image.Image:
    """The picture in RGB, upright, decoded without a copy where none is needed. EXIF data that is damaged is not used.
    Raises `PictureRefused`, and what Pillow does."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        _bounded_pixels(opened)
        opened.load()
        picture = _rgb(opened)
        turn = _turn(opened)
    return picture if turn is None else picture.transpose(turn)


@contextmanager
def _readable(data: bytes) -> Iterator[None]:
    """Refuse the picture for whatever Pillow raises in the block."""
    try:
        yield
    except PictureRefused:
        raise
    except Exception as error:  # noqa: BLE001  Pillow raises many kinds of errors for damaged files
        log.info("picture refused", reason=f"it cannot be decoded: {type(error).__name__}")
        raise PictureRefused(f"the picture {_what_instead(data)}: send JPEG, PNG or WebP") from None


def _bounded_pixels(opened: Image.Image) -> int:
    """The pixels of a picture that is not decoded yet, or `PictureRefused`."""
    pixels = opened.width * opened.height
    if pixels > MAX_PIXELS:
        raise PictureRefused(
            f"the picture has {opened.width} x {opened.height} pixels: at most {MAX_PIXELS:,} are allowed"
        )
    return pixels


def _rgb(picture: Image.Image) -> Image.Image:
    """What a person would see: 16-bit grey scaled to 8 bits, and what is transparent on white."""
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda level: level * (1 / 256)).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    ground = Image.new("RGBA", seen.size, "white")
    ground.alpha_composite(seen)
    return ground.convert("RGB")


def _what_instead(data: bytes) -> str:
    if not data:
        return "has no bytes"
    for start, magic, kind in _OTHERS:
        if data.startswith(magic, start):
            return f"is {kind}, which is not read here"
    return "cannot be read: it is damaged, or something else than a picture"


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """What makes the picture upright; None when it is, or when its EXIF data cannot be read."""
    try:
        return _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001  Pillow raises many kinds of errors for damaged EXIF data
        return None
