"""From rendered pixels to the JPEG that serving would send: the model must train on exactly those."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

PATCH_PIXELS = 32


def fit(pixels: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Area-average down to ``size`` = (width, height); both must be multiples of 32, one visual token each way."""
    if size[0] % PATCH_PIXELS or size[1] % PATCH_PIXELS:
        raise ValueError(f"frame size {size[0]}x{size[1]} must be multiples of {PATCH_PIXELS}")
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def visual_tokens(size: tuple[int, int]) -> int:
    """How many tokens a frame of ``size`` becomes: one per 32x32 pixels."""
    return (size[0] // PATCH_PIXELS) * (size[1] // PATCH_PIXELS)


def to_jpeg(pixels: npt.NDArray[np.uint8], quality: int) -> bytes:
    """JPEG bytes, with the chroma subsampling that cameras use."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def from_jpeg(jpeg: bytes) -> npt.NDArray[np.uint8]:
    """Decoded pixels, uint8 of shape (height, width, 3)."""
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.array(image.convert("RGB"))
