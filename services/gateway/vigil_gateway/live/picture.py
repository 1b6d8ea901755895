"""A picture that a client pushes, to the one JPEG that everything downstream uses (as ingestion makes them)."""

import asyncio
import base64
import binascii
import io
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import ExifTags, Image

from vigil.core.profile import PromptProfile, profile
from vigil_gateway.api.turn_errors import PictureRefused

MAX_PICTURE_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 12_500_000  # a telephone's 12 megapixels, or a frame of 4K video
_DATA_URL = re.compile(r"data:image/(?:jpeg|jpg|png);base64,", re.IGNORECASE)
_HOW = "send a data URL: data:image/jpeg;base64,… or data:image/png;base64,…"

# A picture of a few hundred KiB may take 120 MiB while it is decoded: these threads bound how many do so at once.
_THREADS = ThreadPoolExecutor(3, thread_name_prefix="picture")
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


def decoded(url: str) -> bytes:
    """The bytes of a data URL, or `PictureRefused`. Nothing is ever fetched."""
    head = _DATA_URL.match(url)
    if head is None:
        what = "is an address, and pictures are never fetched" if "://" in url[:16] else "is no JPEG or PNG data URL"
        raise PictureRefused(f"the picture {what}: {_HOW}")
    try:
        data = base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise PictureRefused(f"the picture is not valid base64: {_HOW}") from None
    return bounded(data)


def bounded(data: bytes) -> bytes:
    """A picture's bytes when they are not too many, else `PictureRefused`."""
    if len(data) > MAX_PICTURE_BYTES:
        raise PictureRefused(f"the picture has {len(data):,} bytes: at most {MAX_PICTURE_BYTES:,} are allowed")
    return data


async def fitted_in_thread(pictures: Sequence[bytes], profile_name: str) -> tuple[Picture, ...]:
    """What `fitted` makes of each picture for a profile of that name. Raises `PictureRefused`, `UnknownProfile`."""
    wanted = profile(profile_name)
    in_thread = asyncio.get_running_loop().run_in_executor
    return tuple([await in_thread(_THREADS, fitted, picture, wanted) for picture in pictures])


def fitted(data: bytes, profile: PromptProfile) -> Picture:
    """Decode, turn upright, scale by area averaging to what the profile fits, encode once at its quality.

    Raises `PictureRefused`. Takes milliseconds of processor time: call it in a thread.
    """
    try:
        upright = _upright(data)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow raises for broken files
        raise PictureRefused("the picture cannot be read as JPEG or PNG: it is damaged, or something else") from None
    size = profile.fit(upright.width, upright.height)
    buffer = io.BytesIO()
    upright.resize(size, Image.Resampling.BOX).save(buffer, "JPEG", quality=profile.jpeg_quality)
    return Picture(buffer.getvalue(), *size)


def _upright(data: bytes) -> Image.Image:
    """The picture in RGB, upright, decoded without a copy where none is needed. EXIF data that is damaged is not used.
    Raises `PictureRefused`, and what Pillow does."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise PictureRefused(
                f"the picture has {opened.width} x {opened.height} pixels: at most {MAX_PIXELS:,} are allowed"
            )
        opened.load()
        picture = opened if opened.mode == "RGB" else opened.convert("RGB")
        turn = _turn(opened)
    return picture if turn is None else picture.transpose(turn)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """What makes the picture upright; None when it is, or when its EXIF data cannot be read."""
    try:
        return _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001  Pillow raises many kinds of errors for damaged EXIF data
        return None
