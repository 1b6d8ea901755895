"""A speech engine within the process: it makes a quiet tone for as long as a text would take."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from vigil_tts.synthesizers.port import Sound, SpeakingVoice, SynthesizerError, Task

RATE_HZ = 8_000


def tone(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    """So many seconds of sound."""
    return b"\x10\x00\xf0\xff" * round(seconds * rate_hz / 2)


@dataclass(slots=True)
class ScriptedSynthesizer:
    """`seconds` is how long each text sounds, by the text; `usual_s` where that does not say. It waits for `may_speak`
    first. A text in `fails` breaks off after half of its sound; one in `mute` gives none."""

    usual_s: float = 0.3
    seconds: dict[str, float] = field(default_factory=dict)
    fails: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    may_speak: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[Task] = field(default_factory=list)
    closed: int = 0  # iterators that were closed or ended

    def __post_init__(self) -> None:
        self.may_speak.set()

    @property
    def texts(self) -> list[str]:
        """What it was asked to speak."""
        return [task.text for task in self.tasks]

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """See `Synthesizer`."""
        self.tasks.append(task)
        try:
            await self.may_speak.wait()
            if task.text in self.mute:
                raise SynthesizerError("the scripted engine gave no sound", "timeout")
            seconds = self.seconds.get(task.text, self.usual_s)
            yield Sound(tone(seconds / 2), RATE_HZ)
            if task.text in self.fails:
                raise SynthesizerError("the scripted engine broke off", "broken")
            yield Sound(tone(seconds / 2), RATE_HZ)
        finally:
            self.closed += 1

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """See `Synthesizer`."""
        return (SpeakingVoice("tone", ("en",)),)
