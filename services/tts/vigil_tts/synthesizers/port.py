"""What every speech engine offers, and what it is given."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from vigil.core.sound import duration_ms


@dataclass(frozen=True, slots=True)
class Task:
    """A text to be spoken, as a voice reads it. An empty `voice` or `language` leaves it to the engine."""

    text: str
    voice: str = ""
    speed: float = 1.0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of sound: whole 16-bit little-endian mono samples."""

    pcm: bytes
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return duration_ms(self.pcm, self.sample_rate_hz) / 1_000


@dataclass(frozen=True, slots=True)
class SpeakingVoice:
    """A voice that the engine has. `languages` are BCP 47 tags; empty where that is not known."""

    name: str
    languages: tuple[str, ...] = ()


class SynthesizerError(Exception):
    """No sound came, or no more. `reason` is for people, `kind` for the metric."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class Synthesizer(Protocol):
    """Speaks texts, several at once if it is asked to. What it sends is not trusted: see `checked`."""

    def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """The sound, piece by piece as it is made; all pieces have one rate. Raises `SynthesizerError`. Closing the
        iterator ends the work at the engine, as far as it can be ended."""
        ...

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """The voices that can be asked for; empty where the engine does not tell. Raises `SynthesizerError`."""
        ...
