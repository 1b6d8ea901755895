"""A recording whose voice an engine is to imitate."""

import io
import wave
from dataclasses import dataclass
from pathlib import Path

from vigil.runtime.process.startup import StartupError

PROMPT_RATE_HZ = 16_000
MAX_SAMPLE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """`wav` is the file, `text` what is said in it."""

    wav: bytes
    text: str

    @property
    def pcm(self) -> bytes:
        """Its samples, at `PROMPT_RATE_HZ`."""
        with wave.open(io.BytesIO(self.wav)) as file:
            return bytes(file.readframes(file.getnframes()))


def read_sample(path: Path, text: str) -> Sample:
    """Read it. Raises `StartupError` unless it is a WAV file of 16-bit mono samples at 16,000 Hz."""
    try:
        if path.stat().st_size > MAX_SAMPLE_BYTES:
            raise StartupError(f"VIGIL_TTS_SAMPLE_FILE: {path} is over {MAX_SAMPLE_BYTES >> 20} MiB")
        wav = path.read_bytes()
        with wave.open(io.BytesIO(wav)) as file:
            found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
    except (OSError, wave.Error, EOFError) as error:
        raise StartupError(f"VIGIL_TTS_SAMPLE_FILE: {path} is no WAV file that can be read: {error}") from None
    if found != (1, 2, PROMPT_RATE_HZ):
        raise StartupError(
            f"VIGIL_TTS_SAMPLE_FILE: {path} has {found[0]} channels of {8 * found[1]} bits at {found[2]} Hz: "
            f"give 1 channel of 16 bits at {PROMPT_RATE_HZ} Hz"
        )
    return Sample(wav, text)
