"""Turns a decoded picture into the JPEG that everything downstream uses: as a person would see it."""

import io
from typing import Any, Protocol

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation
from PIL import Image

from vigil.contract.frames import Frame
from vigil_ingestion import colour
from vigil_ingestion.geometry import Geometry
from vigil_ingestion.orientation import Pixels

Image.preinit()  # otherwise the first picture imports the formats, and is late


PLAIN = Geometry()


class Shape(Protocol):
    """Of what size a picture is wanted, and how well encoded; a prompt profile is one."""

    @property
    def jpeg_quality(self) -> int:
        """From 1 to 95."""
        ...

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size for a picture of that size, aspect kept."""
        ...


class NotConvertible(Exception):
    """The picture was decoded and cannot be shown; the message says why."""


def encode(picture: av.VideoFrame, capture_us: int, shape: Shape, geometry: Geometry = PLAIN) -> Frame:
    """Turn upright, scale by area averaging to the shape's size, encode at its quality.

    Raises `NotConvertible`.
    """
    try:
        pixels = _seen(picture, shape, geometry)
        height, width, _ = pixels.shape
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=shape.jpeg_quality)
    except NotConvertible:
        raise
    except Exception as error:
        raise NotConvertible(f"{picture.format.name} fails with {type(error).__name__}") from error
    return Frame(buffer.getvalue(), width, height, capture_us)


def _seen(picture: av.VideoFrame, shape: Shape, geometry: Geometry) -> Pixels:
    """The picture's pixels (height, width, 3) at the shape's size."""
    size = geometry.turn.size(*shape.fit(*geometry.size(picture.width, picture.height)))
    matrix = colour.matrix_of(picture.colorspace, picture.color_primaries, picture.width, picture.height)
    if matrix is None:
        raise NotConvertible(f"its colours are {colour.NAMES[colour.Matrix(picture.colorspace)]}, which is not read")
    picture.colorspace = matrix
    if colour.is_hdr(picture.color_trc):
        wide = np.asarray(_scaled(picture, size, "rgb48le"), np.uint16)
        return geometry.turn.upright(colour.for_screen(wide, picture.color_trc, picture.color_primaries))
    return geometry.turn.upright(np.asarray(_scaled(picture, size, "rgb24"), np.uint8))


def _scaled(picture: av.VideoFrame, size: tuple[int, int], pixel_format: str) -> npt.NDArray[Any]:
    return picture.reformat(*size, format=pixel_format, interpolation=Interpolation.AREA).to_ndarray()
