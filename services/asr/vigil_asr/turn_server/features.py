"""Sound as smart-turn sees it: the logarithm of its energy in 80 bands of pitch, a hundred times a second, as Whisper's
own features are made. Runs without Vigil: numpy alone.
"""

from typing import Any

import numpy as np

RATE_HZ = 16_000
SECONDS = 8
SAMPLES = RATE_HZ * SECONDS
BANDS = 80
_WINDOW = 400
_HOP = 160
_LEAST_ENERGY = 1e-10
_RANGE = 8.0  # powers of ten below the loudest: what is softer counts as that
_LINEAR_HZ = 1_000.0  # up to here a mel is 200/3 Hz, above it the steps grow
_LINEAR_MELS = 15.0
_GROWTH = np.log(6.4) / 27.0


def features(pcm: bytes) -> Any:
    """Float32 of the shape (`BANDS`, 100 * `SECONDS`) for the last `SECONDS` of 16-bit mono samples at `RATE_HZ`;
    shorter sound has silence before it."""
    heard = np.frombuffer(pcm, "<i2")[-SAMPLES:].astype(np.float32) / 32_768
    sound = np.pad(heard, (SAMPLES - len(heard), 0))
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    padded = np.pad(sound, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:SAMPLES:_HOP]
    energy = np.abs(np.fft.rfft(windows * _HANN)) ** 2
    levels = np.log10(np.maximum(energy @ _FILTERS, _LEAST_ENERGY))
    levels = (np.maximum(levels, levels.max() - _RANGE) + 4.0) / 4.0
    return np.ascontiguousarray(levels.T, dtype=np.float32)


def _filters() -> Any:
    """One triangle a band over the frequencies of a window; each has the same area (Slaney's mel scale)."""
    edges = _hertz(np.linspace(0.0, _mels(RATE_HZ / 2), BANDS + 2))
    frequencies = np.linspace(0.0, RATE_HZ / 2, _WINDOW // 2 + 1)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))


def _mels(hertz: float) -> float:
    return float(_LINEAR_MELS + np.log(hertz / _LINEAR_HZ) / _GROWTH)


def _hertz(mels: Any) -> Any:
    return np.where(
        mels < _LINEAR_MELS, mels * _LINEAR_HZ / _LINEAR_MELS, _LINEAR_HZ * np.exp(_GROWTH * (mels - _LINEAR_MELS))
    )


_HANN = np.hanning(_WINDOW + 1)[:-1]
_FILTERS = _filters()
