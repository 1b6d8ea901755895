"""What a public benchmark asks over one video, and what is right when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SPEAK_WITHIN_S, ANSWER_WITHIN_S = 4.0, 10.0
LETTERS = "ABCDEFGH"


class Task(StrEnum):
    """How a case is scored."""

    PROACTIVE = "PO"
    REPETITIONS = "REC"
    STEP = "SSR"
    CLUE = "CRR"
    EPISODIC_MEMORY = "EPM"
    ACTION_SEQUENCE = "ASI"
    HALLUCINATION = "HLD"
    SPATIAL = "STU"
    OBJECT = "OJR"
    ATTRIBUTE = "ATR"
    ACTION = "ACR"
    TEXT = "OCR"
    FUTURE = "FPD"
    MEMORY_SHORT = "Retro-Memory@short"
    MEMORY_MEDIUM = "Retro-Memory@medium"
    MEMORY_LONG = "Retro-Memory@long"
    MEMORY_VERY_LONG = "Retro-Memory@very_long"

    @property
    def is_choice(self) -> bool:
        """Whether it is a question with lettered options."""
        return self not in (Task.PROACTIVE, Task.REPETITIONS, Task.STEP, Task.CLUE)

    @property
    def age_s(self) -> tuple[float, float] | None:
        """How long ago what a memory question asks about was seen, in seconds: least and most. None for other tasks."""
        return _AGES_S.get(self)


_AGES_S = {
    Task.MEMORY_SHORT: (15.0, 30.0),
    Task.MEMORY_MEDIUM: (30.0, 60.0),
    Task.MEMORY_LONG: (300.0, 900.0),
    Task.MEMORY_VERY_LONG: (1800.0, 3600.0),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What is right at a moment: the count so far (REC), whether to speak (1) or not (0), or the option's number."""

    time_s: float
    expected: int


@dataclass(frozen=True, slots=True)
class BenchmarkCase:
    """One instruction or question over one video.

    ``expected_s`` is when to speak (PO) or from when on (CRR); None where the ``probes`` alone say it. ``answer`` is
    the published one, for the reader. Timing is what is scored, but for a question with ``options``.
    """

    record: str
    task: Task
    video: Path
    instruction: str
    ask_s: float
    expected_s: float | None = None
    answer: str = ""
    probes: tuple[Probe, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def end_s(self) -> float:
        """How far the video has to be played: a few seconds past the last moment that counts."""
        last = [self.ask_s, self.expected_s or 0.0, *(probe.time_s for probe in self.probes)]
        return max(last) + (ANSWER_WITHIN_S if self.task.is_choice else SPEAK_WITHIN_S)


def choice_case(
    record: str, task: Task, video: Path, question: str, ask_s: float, options: tuple[str, ...], right: int
) -> BenchmarkCase:
    """A question that is asked with its options, each behind its letter; ``right`` is the number of the right one."""
    lettered = " ".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return BenchmarkCase(
        record=record,
        task=task,
        video=video,
        instruction=f"{question} {lettered} Answer with the letter of the right option.",
        ask_s=ask_s,
        answer=LETTERS[right],
        probes=(Probe(ask_s, right),),
        options=options,
    )
