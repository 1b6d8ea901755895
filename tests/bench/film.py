"""More than two hours of one fixed camera, of which everything is known: a fire and a fall in the first ten minutes,
doors and things left behind before, between and ever after.

The pictures are those of the recipe's world. After the first ten minutes its last two minutes are shown again and
again: nothing that is asked about happens in them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np

from vigil.core.memory import MemoryRequest, RequestKind, clipped
from vigil_recipe.exam.players.pictures import camera_jpeg, model_jpeg
from vigil_recipe.scenarios.memory import TOPICS
from vigil_recipe.scenarios.summary import NOTHING, PAST, sentences, told_text
from vigil_recipe.world import Episode, Kind, Span, Split, Stage, make_episode

SIZE = (160, 96)
EVENTS_S = 600
LOOP_S = 120
NEAR_S = 5  # a summary of twelve pictures of 40 seconds sees a change up to four seconds later
_STAGES = (Stage.PLAIN, Stage.VARIED)
_KINDS: Mapping[str, Kind] = MappingProxyType({"fire": Kind.FIRE, "fall": Kind.FALL})
_HALVES = ((40, 280), (320, 560))  # in which one of the two begins each
_LASTS_S = (12, 20)
_OTHERS = (Span(Kind.DOOR, 640, 652), Span(Kind.OBJECT, 668, 690), Span(Kind.DOOR, 696, 704))  # of the last two minutes
_SECOND = re.compile(r"\bat (\d+)(?:\.0)? seconds?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Happened:
    """What a question is about: that it began, at this second."""

    topic: str
    second: int

    @property
    def sentence(self) -> str:
        """What memory tells of it after the time."""
        return PAST[_KINDS[self.topic], True]

    @property
    def questions(self) -> tuple[str, ...]:
        """Ways to ask for its time, which the small model knows."""
        return TOPICS[self.topic].questions

    def is_told(self, text: str) -> bool:
        """Whether a text says that it began at about its second."""
        told = re.findall(rf"\bAt (\d+) seconds {re.escape(self.sentence)}", text, re.IGNORECASE)
        return any(abs(int(second) - self.second) <= NEAR_S for second in told)

    def off_s(self, answer: str) -> int | None:
        """How many seconds an answer is off; None where it names no second."""
        said = _SECOND.search(answer)
        return abs(int(said[1]) - self.second) if said else None


class About(Protocol):
    """What a question is about: when it began to be seen, and whether a text tells of it."""

    @property
    def second(self) -> int:
        """Negative for what nobody saw."""
        ...

    def is_told(self, text: str) -> bool:
        """Whether the text tells what is asked for."""
        ...

    def off_s(self, answer: str) -> int | None:
        """How many seconds an answer is off; None for one that does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at a second of the film; `about` happened so long ago as `age` says."""

    second: int
    age: str
    text: str
    about: About


class Shown(Protocol):
    """What a session watches, and what an exact summariser knows of it."""

    def jpeg(self, second: int) -> bytes:
        """What the model gets of a second."""
        ...

    def summary(self, request: MemoryRequest) -> str:
        """An exact block."""
        ...


@dataclass(slots=True)
class Film:
    """The film of a seed."""

    seed: int
    happened: tuple[Happened, ...] = ()
    episode: Episode = field(init=False)
    _jpegs: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([20, self.seed])
        topics = sorted(_KINDS, reverse=self.seed % 2 == 1)
        begins = [int(rng.integers(*half)) for half in _HALVES]
        self.happened = tuple(map(Happened, topics, begins))
        spans = [
            Span(_KINDS[about.topic], about.second, about.second + int(rng.integers(*_LASTS_S)))
            for about in self.happened
        ]
        doors = [Span(Kind.DOOR, begin, begin + int(rng.integers(5, 20))) for begin in range(12, EVENTS_S - 40, 90)]
        self.episode = make_episode(
            int(rng.integers(2**31)),
            Split.TEST,
            EVENTS_S + LOOP_S,
            spans=(*spans, *doors, *_OTHERS),
            stage=_STAGES[self.seed // 2 % len(_STAGES)],
        )

    def jpeg(self, second: int) -> bytes:
        """What the model gets of a second."""
        shown = _shown(second)
        if shown not in self._jpegs:
            self._jpegs[shown] = model_jpeg(camera_jpeg(self.episode, shown))
        return self._jpegs[shown]

    def truth(self, second: int) -> frozenset[Kind]:
        """What holds at a second."""
        return self.episode.truth(_shown(second))

    def told(self, from_s: int, to_s: int) -> str:
        """Everything that changed from one second until before another one, each change once."""
        before = max(0, from_s - 1)
        seconds = range(before, to_s)
        found = sentences(seconds, [self.truth(second) for second in seconds])
        return told_text([line for line in found if not line.startswith(f"At {before} seconds ") or not from_s])

    def summary(self, request: MemoryRequest) -> str:
        """An exact block, as far as it fits: of the film, or of the blocks that it is to be merged from."""
        if request.kind is RequestKind.SUMMARY:
            text = self.told(request.from_ms // 1_000, -(-request.to_ms // 1_000))
        else:
            text = " ".join(block.text for block in request.blocks if block.text != NOTHING) or NOTHING
        return clipped(text, request.max_tokens)

    def questions(self, ages_s: Mapping[str, tuple[int, int]], count: int) -> dict[int, list[Question]]:
        """So many questions on each thing that happened at each age, by the second at which they are asked."""
        rng = np.random.default_rng([21, self.seed])
        found: dict[int, list[Question]] = {}
        for about in self.happened:
            for age, (low, high) in ages_s.items():
                for place in range(count):
                    second = about.second + int(rng.integers(low, high))
                    text = about.questions[place % len(about.questions)]
                    found.setdefault(second, []).append(Question(second, age, text, about))
        return found


def _shown(second: int) -> int:
    """The second of the episode that a second of the film shows."""
    return second if second < EVENTS_S else EVENTS_S + (second - EVENTS_S) % LOOP_S
