"""Which colours a decoded picture's numbers mean: its matrix, and high dynamic range brought to an ordinary screen.

Numbers are those of ITU-T H.273, which FFmpeg's frames carry.
"""

from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]


class Matrix(IntEnum):
    """Colour matrices that mean something here."""

    RGB = 0
    BT709 = 1
    UNSPECIFIED = 2
    YCGCO = 8
    BT2020 = 9
    BT2020_CONSTANT = 10
    SMPTE2085 = 11
    DERIVED = 12
    DERIVED_CONSTANT = 13
    ICTCP = 14
    IPT_C2 = 15
    YCGCO_RE = 16
    YCGCO_RO = 17


BT2020_PRIMARIES = 9
PQ, HLG = 16, 18
CONVERTED = frozenset({0, 1, 2, 4, 5, 6, 7, 9})  # matrices that FFmpeg's scaler knows
NAMES = {
    Matrix.YCGCO: "YCgCo",
    Matrix.SMPTE2085: "SMPTE ST 2085",
    Matrix.ICTCP: "ICtCp",
    Matrix.IPT_C2: "IPT-C2 (Dolby Vision)",
    Matrix.YCGCO_RE: "YCgCo-Re",
    Matrix.YCGCO_RO: "YCgCo-Ro",
}
HD_WIDTH, HD_HEIGHT = 1280, 576  # unmarked pictures this wide, or higher, are BT.709, as players take them

WHITE_NITS = 203.0  # the light of white paper in HDR, and so white on an ordinary screen (ITU-R BT.2408)
HLG_PEAK_NITS = 1_000.0
KNEE = 0.8  # below, light is shown as it is; above, all that is brighter is squeezed into what is left
LEVELS = 4_096
BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
BT2020_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)


def matrix_of(matrix: int, primaries: int, width: int, height: int) -> int | None:
    """The matrix to convert with. None when the picture's own cannot be converted.

    Constant luminance is taken for its common form, and a reserved number for none: the colours are then nearly right.
    """
    match matrix:
        case Matrix.BT2020_CONSTANT:
            return Matrix.BT2020
        case Matrix.DERIVED | Matrix.DERIVED_CONSTANT:
            return Matrix.BT2020 if primaries == BT2020_PRIMARIES else Matrix.BT709
        case _ if matrix in NAMES:
            return None
        case _ if matrix in CONVERTED and matrix != Matrix.UNSPECIFIED:
            return matrix
        case _:
            return Matrix.BT709 if width >= HD_WIDTH or height > HD_HEIGHT else Matrix.UNSPECIFIED


def is_hdr(transfer: int) -> bool:
    """Whether the numbers mean more light than an ordinary screen has."""
    return transfer in (PQ, HLG)


def for_screen(pixels: npt.NDArray[np.uint16], transfer: int, primaries: int) -> Pixels:
    """HDR pixels (height, width, 3) of 16 bits as an ordinary screen shows them (sRGB, 8 bits)."""
    light = _light(transfer)[pixels >> 4]
    if transfer == HLG:  # the light of the scene; a screen shows it with more contrast
        light *= np.power(np.maximum(light @ BT2020_LUMINANCE, 1e-6), 0.2)[..., None] * (HLG_PEAK_NITS / WHITE_NITS)
    if primaries == BT2020_PRIMARIES:
        light = np.maximum(light @ BT2020_TO_BT709.T, 0)
    levels = np.minimum(_squeezed(light) * (LEVELS - 1), LEVELS - 1).astype(np.uint16)
    return _srgb()[levels]


def _squeezed(light: Light) -> Light:
    """Light of at most 1. The brightest of the three colours decides, so hues stay."""
    peak = np.maximum(light.max(axis=-1, keepdims=True), KNEE)
    over, room = peak - KNEE, 1 - KNEE
    return np.asarray(light * ((KNEE + room * over / (over + room)) / peak), np.float32)


@cache
def _light(transfer: int) -> Light:
    """Light by level: 1 is white of an ordinary screen for PQ, and the brightest of the scene for HLG."""
    level = np.linspace(0, 1, LEVELS)
    if transfer == PQ:  # SMPTE ST 2084
        root = level ** (1 / 78.84375)
        nits = 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        return np.asarray(nits / WHITE_NITS, np.float32)
    bright = (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12  # ITU-R BT.2100
    return np.asarray(np.where(level <= 0.5, level**2 / 3, bright), np.float32)


@cache
def _srgb() -> Pixels:
    light = np.linspace(0, 1, LEVELS)
    return np.round(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)).astype(
        np.uint8
    )
