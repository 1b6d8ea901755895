"""Small pictures for tests, and how red one is."""

import io
from random import Random

from PIL import Image

_RED_LEAD = 60  # how far red must lead green and blue (of 255) for a pixel to count as red


def jpeg(color: tuple[int, int, int] = (40, 90, 160), size: tuple[int, int] = (96, 64)) -> bytes:
    """A JPEG of one RGB colour; `size` is width and height in pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def busy_jpeg(seed: int, size: tuple[int, int] = (160, 96)) -> bytes:
    """A JPEG of soft coloured blotches, as many bytes as a camera's; the same seed gives the same picture."""
    small = (size[0] // 4, size[1] // 4)
    blotches = Image.frombytes("RGB", small, Random(seed).randbytes(small[0] * small[1] * 3))
    buffer = io.BytesIO()
    blotches.resize(size).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def redness(picture: bytes) -> float:
    """The share of a picture's pixels, 0 to 1, that are clearly red."""
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = opened.convert("RGB").resize((32, 32)).tobytes()
    triples = zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True)
    return sum(red > max(green, blue) + _RED_LEAD for red, green, blue in triples) / (32 * 32)


def mean_color(picture: bytes) -> tuple[int, int, int]:
    """The picture's mean red, green and blue, 0 to 255 each."""
    with Image.open(io.BytesIO(picture)) as opened:
        red, green, blue = opened.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    return red, green, blue
