"""How a decoded picture is turned to be upright, from the display matrix that its file or camera gives."""

import struct
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType

Pixels = npt.NDArray[np.uint8]
MATRIX = struct.Struct("9i")  # row by row, in 16.16 fixed point: a b u, c d v, x y w


@dataclass(frozen=True, slots=True)
class Orientation:
    """Swap the axes when `transposed`, then mirror left and right when `mirrored`, then up and down when `flipped`."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @classmethod
    def of(cls, matrix: bytes) -> "Orientation":
        """The nearest quarter turn, with its mirroring. What is no display matrix turns nothing."""
        if len(matrix) != MATRIX.size:
            return cls()
        a, b, _, c, d, *_ = MATRIX.unpack(matrix)  # a pixel at (x, y) is shown at (ax + cy, bx + dy), y downwards
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, mirrored=c < 0, flipped=b < 0)
        return cls(False, mirrored=a < 0, flipped=d < 0)

    @classmethod
    def turned(cls, degrees: int) -> "Orientation":
        """The nearest quarter turn to that many degrees counterclockwise."""
        quarters = round(degrees / 90) % 4
        return cls(quarters % 2 == 1, mirrored=quarters in (2, 3), flipped=quarters in (1, 2))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The size of an upright picture of a picture of that size, and the other way round."""
        return (height, width) if self.transposed else (width, height)

    def upright(self, pixels: Pixels) -> Pixels:
        """Pixels (height, width, 3) as they are to be seen."""
        turned = pixels.transpose(1, 0, 2) if self.transposed else pixels
        turned = turned[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]
        return np.ascontiguousarray(turned)


def orientation_of(picture: av.VideoFrame) -> Orientation:
    """What the picture itself says."""
    try:
        # Not `picture.side_data`: the picture keeps that, which keeps the picture, until the garbage collector looks.
        container: Any = SideDataContainer  # its stubs know neither how it is made nor all kinds
        matrices = [bytes(data) for data in container(picture) if data.type is SideDataType.DISPLAYMATRIX]
    except ValueError:  # PyAV does not know every kind, and then gives none; the turn alone can still be asked for
        return Orientation.turned(picture.rotation)
    return Orientation.of(matrices[0]) if matrices else Orientation()
