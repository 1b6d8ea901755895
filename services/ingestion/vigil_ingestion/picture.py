"""Turns a decoded picture into the JPEG that everything downstream uses: as a person would see it."""

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation
from PIL import Image

from vigil.contract.frames import Frame
from vigil.core.profile import PromptProfile
from vigil_ingestion import colour
from vigil_ingestion.media import SQUARE
from vigil_ingestion.orientation import Orientation, Pixels

Image.preinit()  # otherwise the first picture imports the formats, and is late

FLATTEST, TALLEST = Fraction(1, 5), Fraction(5)  # a pixel of another shape is a damaged header, and is not believed


class NotConvertible(Exception):
    """The picture was decoded and cannot be shown; the message says why."""


def encode(picture: av.VideoFrame, capture_us: int, profile: PromptProfile, aspect: Fraction = SQUARE) -> Frame:
    """Turn upright, scale by area averaging to the profile's size, encode at its quality.

    `aspect` is a pixel's width by its height. Raises `NotConvertible`.
    """
    try:
        pixels = _seen(picture, profile, aspect)
        height, width, _ = pixels.shape
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=profile.jpeg_quality)
    except NotConvertible:
        raise
    except Exception as error:
        raise NotConvertible(f"{picture.format.name} fails with {type(error).__name__}") from error
    return Frame(buffer.getvalue(), width, height, capture_us)


def _seen(picture: av.VideoFrame, profile: PromptProfile, aspect: Fraction) -> Pixels:
    """The picture's pixels (height, width, 3) at the profile's size."""
    turn = _orientation(picture)
    size = turn.size(*profile.fit(*turn.size(*_square(picture.width, picture.height, aspect))))
    matrix = colour.matrix_of(picture.colorspace, picture.color_primaries, picture.width, picture.height)
    if matrix is None:
        raise NotConvertible(f"its colours are {colour.NAMES[colour.Matrix(picture.colorspace)]}, which is not read")
    picture.colorspace = matrix
    if colour.is_hdr(picture.color_trc):
        wide = np.asarray(_scaled(picture, size, "rgb48le"), np.uint16)
        return turn.upright(colour.for_screen(wide, picture.color_trc, picture.color_primaries))
    return turn.upright(np.asarray(_scaled(picture, size, "rgb24"), np.uint8))


def _scaled(picture: av.VideoFrame, size: tuple[int, int], pixel_format: str) -> npt.NDArray[Any]:
    return picture.reformat(*size, format=pixel_format, interpolation=Interpolation.AREA).to_ndarray()


def _square(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """The size that a picture has when its pixels are made square; none are lost."""
    if not FLATTEST <= aspect <= TALLEST:
        return width, height
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _orientation(picture: av.VideoFrame) -> Orientation:
    try:
        side_data: Any = picture.side_data  # its stubs know one kind alone
        matrices = [bytes(data) for data in side_data if data.type is SideDataType.DISPLAYMATRIX]
    except ValueError:  # PyAV does not know every kind, and then gives none; the turn alone can still be asked for
        return Orientation.turned(picture.rotation)
    return Orientation.of(matrices[0]) if matrices else Orientation()
