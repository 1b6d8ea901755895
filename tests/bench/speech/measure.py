"""All of it, one after the other, on one system."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.progress import say
from bench.settings import BenchSettings
from bench.speech.capacity import Step, capacity, is_sustained
from bench.speech.dialogue import Dialogue, dialogue
from bench.speech.quiet import Quiet, quiet
from bench.speech.recognition import Recognition, recognition
from bench.speech.sounds import Samples, levelled
from bench.speech.stage import staged
from bench.speech.voices import SENTENCES, speak


@dataclass(frozen=True, slots=True)
class Speech:
    """What was measured with these voices."""

    voices: tuple[str, ...]
    recognition: Recognition
    dialogue: Dialogue
    quiet: tuple[Quiet, ...]
    steps: tuple[Step, ...]
    limit_s: float
    memory_mib: dict[str, dict[str, Any]] = field(default_factory=dict)
    elapsed_s: float = 0.0

    @property
    def invented(self) -> int:
        """Questions that nobody asked."""
        return sum(one.invented for one in self.quiet if one.is_held_to_nothing)

    @property
    def sustained(self) -> int:
        """The most sessions that were heard in time."""
        return max((step.sessions for step in self.steps if is_sustained(step, self.limit_s)), default=0)


async def measure(settings: BenchSettings) -> Speech:
    """Raises `RuntimeError` where the embedded engines are not installed, or nothing is understood."""
    began_s = time.monotonic()
    sentences = SENTENCES[: settings.speech_sentences]
    made = await asyncio.to_thread(speak, settings.speech_folder, settings.speech_voice_folder, sentences)
    voices = {name: [levelled(sound) for sound in spoken] for name, spoken in made.items()}
    say(f"{len(sentences)} sentences by {', '.join(voices)}")
    first = next(iter(voices.values()))
    async with staged(settings) as stage:
        understood = await recognition(stage, voices, sentences)
        answered = await dialogue(stage, questions(voices, sentences), settings.speech_exchanges)
        silent = await quiet(stage, first, settings.speech_minutes * 60)
        steps = await capacity(stage, first, settings)
        memory = stage.memory()
    elapsed_s = round(time.monotonic() - began_s, 1)
    return Speech(tuple(voices), understood, answered, silent, steps, settings.speech_limit_s, memory, elapsed_s)


def questions(voices: Mapping[str, Sequence[Samples]], sentences: Sequence[str]) -> dict[str, list[Samples]]:
    """What is answered, by voice: the other sentences set a watch, or say something."""
    return {
        name: [sound for sentence, sound in zip(sentences, sounds, strict=True) if sentence.endswith("?")]
        for name, sounds in voices.items()
    }
