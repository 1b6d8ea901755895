"""Pictures of a video at a steady rate, as JPEG in the size that a prompt profile wants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from vigil.core.profile import PromptProfile
from vigil_recipe.render.frames import to_jpeg

RATES = (1, 2, 4)


class VideoError(Exception):
    """A video cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a video becomes pictures: so many a second, in the profile's size and quality."""

    profile: PromptProfile
    images_per_second: int = 1

    def __post_init__(self) -> None:
        if self.images_per_second not in RATES:
            raise ValueError(f"pictures a second must be one of {RATES}, got {self.images_per_second}")

    @property
    def name(self) -> str:
        """Names what is in the pictures, for a cache."""
        profile = self.profile
        return f"{self.images_per_second}-{profile.max_pixels}-{profile.pixel_multiple}-{profile.jpeg_quality}"


def duration_s(path: Path) -> float:
    """The length of the first video stream. Raises VideoError."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            if container.duration is not None:
                return float(container.duration / av.time_base)
            return max(time_s for time_s, _ in _decoded(path))
    except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
        raise VideoError(f"{path}: {_why(path, error)}") from error


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of the first video stream. Raises VideoError."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            return stream.width, stream.height
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise VideoError(f"{path}: {_why(path, error)}") from error


def sample_jpegs(path: Path, sampling: Sampling) -> Iterator[bytes]:
    """The picture that shows at 0, 1/rate, 2/rate … seconds, up to the end of the video. Raises VideoError."""
    step_s = 1 / sampling.images_per_second
    sent = 0
    shown: npt.NDArray[np.uint8] | None = None
    try:
        for time_s, pixels in _decoded(path):
            while shown is not None and sent * step_s < time_s:
                yield _jpeg(shown, sampling.profile)
                sent += 1
            shown = pixels
        end_s = math.ceil(duration_s(path) * sampling.images_per_second) * step_s
        while shown is not None and sent * step_s < end_s:
            yield _jpeg(shown, sampling.profile)
            sent += 1
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise VideoError(f"{path}: {_why(path, error)}") from error


def _decoded(path: Path) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """Every frame with its time from the start of the stream."""
    with av.open(str(path)) as container:
        first_s: float | None = None
        for frame in container.decode(video=0):
            if frame.time is not None:
                first_s = frame.time if first_s is None else first_s
                yield frame.time - first_s, frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def _jpeg(pixels: npt.NDArray[np.uint8], profile: PromptProfile) -> bytes:
    size = profile.fit(pixels.shape[1], pixels.shape[0])
    fitted = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    return to_jpeg(fitted, profile.jpeg_quality)


def _why(path: Path, error: Exception) -> str:
    if not path.exists():
        return "there is no such video"
    return "there is no video in it" if isinstance(error, IndexError) else f"cannot be decoded: {error}"
