"""Sound as samples between -1 and 1 at the rate that sessions hear: rooms, noise, music, and where speech is. Pure."""

import numpy as np
from numpy.typing import NDArray

from vigil.core.sound import SAMPLE_RATE_HZ

Samples = NDArray[np.float64]

LOUDNESS = 0.08  # root mean square of speech
_VOICED_SHARE = 0.05  # of the loudest frame: from there on a frame counts as speech
_FRAME = SAMPLE_RATE_HZ // 100
_ROOM_S = 0.4  # until the echo is 60 dB softer
_ECHO_BEGINS_S = 0.015
_ECHO_TO_DIRECT = 0.5  # energy of all echoes to that of the direct sound


def resampled(sound: Samples, rate_hz: int) -> Samples:
    """Sound of another rate at `SAMPLE_RATE_HZ`, without what that cannot carry."""
    count = len(sound) * SAMPLE_RATE_HZ // rate_hz
    spectrum = np.fft.rfft(sound)[: count // 2 + 1]
    return np.fft.irfft(np.pad(spectrum, (0, count // 2 + 1 - len(spectrum))), count) * count / len(sound)


def levelled(speech: Samples) -> Samples:
    """Speech without the silence around it, at the usual loudness."""
    begin, end = voiced(speech)
    cut = speech[begin:end]
    found: Samples = np.clip(cut * LOUDNESS / _loudness(cut), -1, 1)
    return found


def voiced(sound: Samples) -> tuple[int, int]:
    """The samples between which somebody speaks. Raises `ValueError` for sound without any."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME)
    loud = np.sqrt((frames**2).mean(axis=1)) if len(frames) else np.zeros(0)
    if not len(loud) or loud.max() == 0:
        raise ValueError("sound in which nobody speaks")
    places = np.flatnonzero(loud >= _VOICED_SHARE * loud.max())
    return int(places[0]) * _FRAME, (int(places[-1]) + 1) * _FRAME


def framed(speech: Samples, before_s: float, after_s: float) -> Samples:
    """With silence before and behind it."""
    return np.pad(speech, (round(before_s * SAMPLE_RATE_HZ), round(after_s * SAMPLE_RATE_HZ)))


def noisy(sound: Samples, signal_to_noise_db: float, seed: int) -> Samples:
    """With pink noise all along, so much softer than speech of the usual loudness."""
    noise = pink(len(sound), seed)
    return np.clip(sound + noise * LOUDNESS / 10 ** (signal_to_noise_db / 20) / _loudness(noise), -1, 1)


def in_a_room(sound: Samples, seed: int) -> Samples:
    """With the echo of a room: noise that dies away, folded with the sound. As long as the sound."""
    count = round(_ROOM_S * SAMPLE_RATE_HZ)
    times = np.arange(count) / SAMPLE_RATE_HZ
    echo = np.random.default_rng(seed).standard_normal(count) * 10 ** (-3 * times / _ROOM_S)
    echo[times < _ECHO_BEGINS_S] = 0
    echo *= np.sqrt(_ECHO_TO_DIRECT / (echo**2).sum())
    echo[0] = 1
    size = len(sound) + count
    folded = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)]
    return np.clip(folded, -1, 1)


def pink(count: int, seed: int) -> Samples:
    """Noise with as much energy in each octave, as that of rooms and streets."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    weights = 1 / np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum * weights, count)


def music(seconds: float, seed: int) -> Samples:
    """Chords, a melody above them and a drum, twice a second; no two bars are alike."""
    random, beat = np.random.default_rng(seed), SAMPLE_RATE_HZ // 2
    scale = 220 * 2 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12]) / 12)
    times = np.arange(beat) / SAMPLE_RATE_HZ
    fade = np.exp(-3 * times)
    bars = []
    for _ in range(round(seconds * 2)):
        pitches = (*random.choice(scale, 3, replace=False), 2 * random.choice(scale))
        tones = sum(np.sin(2 * np.pi * pitch * k * times) / k for pitch in pitches for k in (1, 2, 3))
        drum = random.standard_normal(beat) * np.exp(-40 * times)
        bars.append(fade * tones + drum)
    played = np.concatenate(bars)
    return played * LOUDNESS / _loudness(played)


def pcm(sound: Samples) -> bytes:
    """As the bus carries it."""
    return (np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes()


def _loudness(sound: Samples) -> float:
    return float(np.sqrt((sound**2).mean()))
