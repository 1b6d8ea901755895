"""A voice without words: a vowel, sung by arithmetic, that Silero's detector takes for speech."""

import math
from array import array

from vigil.core.sound import SAMPLE_RATE_HZ

PITCH_HZ = 120.0
SYLLABLES_HZ = 4.0
_FORMANTS = ((700.0, 1.0), (1_220.0, 0.5), (2_600.0, 0.25))  # of "a": where it resounds, and how much
_HARMONICS = 24
_LOUDNESS = 5_000


def vowel(milliseconds: int) -> bytes:
    """So much of it, in syllables, as sound that a session hears."""
    strengths = [_strength(number * PITCH_HZ) for number in range(1, _HARMONICS + 1)]
    samples = array("h")
    for sample in range(SAMPLE_RATE_HZ * milliseconds // 1_000):
        time_s = sample / SAMPLE_RATE_HZ
        phase = 2 * math.pi * PITCH_HZ * (time_s + 0.02 * math.sin(2 * math.pi * 3 * time_s))
        wave = sum(strength * math.sin(number * phase) for number, strength in enumerate(strengths, 1))
        swell = 0.5 - 0.5 * math.cos(2 * math.pi * SYLLABLES_HZ * time_s)
        samples.append(max(-32_768, min(32_767, int(wave * swell * _LOUDNESS))))
    return samples.tobytes()


def _strength(frequency_hz: float) -> float:
    return 0.02 + sum(weight * math.exp(-(((frequency_hz - peak) / 150) ** 2)) for peak, weight in _FORMANTS)
