"""Sentences as synthetic voices speak them: hibari, and espeak-ng and flite where this machine has them."""

import ctypes
import io
import shutil
import subprocess
import wave
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from bench.speech.sounds import Samples, resampled

SENTENCES = (
    "Alert me when a fire starts.",
    "How many people are in the kitchen now?",
    "Is the front door open or closed?",
    "Tell me when the delivery van leaves the yard.",
    "What is the man in the blue jacket doing?",
    "Did anybody walk past the window this morning?",
    "Please watch the stairs and call me if a child falls.",
    "Where did I leave my keys?",
    "Which car came through the gate last?",
    "Stop telling me about the dog.",
    "Has the water on the stove begun to boil?",
    "Describe what you see on the table.",
    "Let me know if somebody opens the fridge.",
    "Is there smoke near the machine on the left?",
    "How long has the red truck been standing there?",
    "Remind me when the parking lot is empty.",
    "What color is the bag next to the chair?",
    "Who was at the door while I was away?",
    "Warn me if the old lady tries to stand up.",
    "Is it still raining outside?",
)
_HIBARI = """
import sys
import numpy as np
from hibari import Hibari
speaker = Hibari(threads=1)
for sentence in sys.argv[1:]:
    sound = (np.asarray(speaker(sentence)) * 24_000).astype("<i2").tobytes()
    sys.stdout.buffer.write(len(sound).to_bytes(4, "little") + sound)
"""
_HIBARI_HZ = 24_000


class VoicesMissing(RuntimeError):
    """The embedded speech engines are not installed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"there is no embedded voice in {folder}: run make speech")


def speak(folder: Path, sentences: Sequence[str]) -> dict[str, list[Samples]]:
    """The sentences by each voice. `folder` is where `make speech` installed the engines. Raises `VoicesMissing`."""
    spoken = {"hibari": _hibari(folder / "bin" / "python", sentences)}
    if espeak := shutil.which("espeak-ng"):
        spoken["espeak-ng"] = [_espeak(espeak, sentence) for sentence in sentences]
    with suppress(OSError):  # a shared library that this machine does not have
        spoken["flite"] = _flite(sentences)
    return spoken


def _hibari(python: Path, sentences: Sequence[str]) -> list[Samples]:
    if not python.exists():
        raise VoicesMissing(python.parents[1])
    said = subprocess.run([str(python), "-c", _HIBARI, *sentences], stdout=subprocess.PIPE, check=True).stdout
    found: list[Samples] = []
    while said:
        end = 4 + int.from_bytes(said[:4], "little")
        found.append(resampled(_samples(said[4:end]), _HIBARI_HZ))
        said = said[end:]
    return found


def _espeak(program: str, sentence: str) -> Samples:
    said = subprocess.run([program, "-v", "en-us", "--stdout", sentence], stdout=subprocess.PIPE, check=True).stdout
    with wave.open(io.BytesIO(said)) as file:
        rate_hz = file.getframerate()
    return resampled(_samples(said[44:]), rate_hz)  # a pipe's head does not know how much follows


class _Wave(ctypes.Structure):
    """flite's `cst_wave`."""

    _fields_ = (
        ("type", ctypes.c_char_p),
        ("rate_hz", ctypes.c_int),
        ("count", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


def _flite(sentences: Sequence[str]) -> list[Samples]:
    """Raises `OSError` where flite is not installed."""
    flite, voices = ctypes.CDLL("libflite.so.1", ctypes.RTLD_GLOBAL), ctypes.CDLL("libflite_cmu_us_slt.so.1")
    flite.flite_init()
    voices.register_cmu_us_slt.restype = ctypes.c_void_p
    flite.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
    flite.flite_text_to_wave.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    voice = voices.register_cmu_us_slt(None)
    found: list[Samples] = []
    for sentence in sentences:
        said = flite.flite_text_to_wave(sentence.encode(), voice)
        samples = np.ctypeslib.as_array(said.contents.samples, (said.contents.count,)).astype(np.float64) / 32_768
        found.append(resampled(samples, said.contents.rate_hz))
        flite.delete_wave(said)
    return found


def _samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float64) / 32_768
