"""The cameras' pictures: made once from seeds, so that the load and the engine agree on which one is red."""

import io
from random import Random

from PIL import Image

SIDE = 512
# A picture costs what a busy street or a person at a door does at this size and quality (12 to 32 KB in real footage).
_BLOTCHES = 16
_QUALITY = 85


def scene(seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> bytes:
    """A JPEG of soft blotches with some sensor noise: about 30 KB at 512 x 512. The same seed, the same bytes."""
    random = Random(seed)
    soft = Image.frombytes("RGB", (_BLOTCHES, _BLOTCHES), random.randbytes(_BLOTCHES * _BLOTCHES * 3)).resize(size)
    half = (size[0] // 2, size[1] // 2)
    noise = Image.frombytes("RGB", half, random.randbytes(half[0] * half[1] * 3)).resize(size)
    return _jpeg(Image.blend(soft, noise, 0.01))


def scenes(count: int, size: tuple[int, int] = (SIDE, SIDE)) -> list[bytes]:
    """That many different pictures."""
    return [scene(seed, size) for seed in range(count)]


def red(size: tuple[int, int] = (SIDE, SIDE)) -> bytes:
    """What a scripted engine takes for fire."""
    return _jpeg(Image.new("RGB", size, (230, 30, 20)))


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
