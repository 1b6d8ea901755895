"""Episodes: what happens in front of one fixed camera, second by second."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vigil_recipe.world.scene import Scene, make_scene
from vigil_recipe.world.trips import Trip, make_trips


class Kind(StrEnum):
    """A condition that someone may ask to be alerted of; the order is the order of the sentences."""

    FIRE = "fire"
    FALL = "fall"
    OBJECT = "object"
    DOOR = "door"


class Split(StrEnum):
    """Which part of the data an episode belongs to; the name is part of the seed."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Span:
    """One condition holds from ``start_s`` until before ``end_s``."""

    kind: Kind
    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        if self.end_s <= self.start_s:
            raise ValueError(f"a span must end after it starts, got {self.start_s}..{self.end_s} for {self.kind}")

    def holds(self, t_s: float) -> bool:
        """Whether the condition holds at ``t_s``."""
        return self.start_s <= t_s < self.end_s


@dataclass(frozen=True, slots=True)
class Episode:
    """A scene, the conditions in it and the people who pass. Equal seeds give equal pixels."""

    seed: int
    split: Split
    seconds: int
    scene: Scene
    spans: tuple[Span, ...]
    trips: tuple[Trip, ...]

    def truth(self, t_s: float) -> frozenset[Kind]:
        """The conditions that hold at ``t_s`` seconds."""
        return frozenset(span.kind for span in self.spans if span.holds(t_s))

    def spans_of(self, kind: Kind) -> tuple[Span, ...]:
        """The spans of one condition, in time order."""
        return tuple(span for span in self.spans if span.kind is kind)


def seed_sequence(seed: int, split: Split) -> np.random.SeedSequence:
    """Entropy of one episode. The split's name is hashed into it, so no two splits can share an episode."""
    digest = hashlib.sha256(f"vigil-world/{split.value}".encode()).digest()
    return np.random.SeedSequence([int.from_bytes(digest[:8], "big"), seed])


def make_episode(
    seed: int, split: Split, seconds: int, *, spans: Sequence[Span] | None = None, layout: str | None = None
) -> Episode:
    """The episode of a seed. ``spans`` fixes the conditions instead of drawing them; ``layout`` fixes the place.

    Raises ValueError when ``seconds`` is not positive or spans of one kind overlap.
    """
    if seconds <= 0:
        raise ValueError(f"an episode needs a positive length, got {seconds} s")
    rng = np.random.default_rng(seed_sequence(seed, split))
    scene = make_scene(rng, layout)
    drawn = draw_spans(rng, seconds)
    chosen = tuple(sorted(drawn if spans is None else spans, key=lambda span: (span.start_s, span.kind)))
    _check_apart(chosen)
    objects = [(span.start_s, span.end_s) for span in chosen if span.kind is Kind.OBJECT]
    return Episode(seed, split, seconds, scene, chosen, make_trips(rng, scene, seconds, objects))


def draw_spans(rng: np.random.Generator, seconds: int, kinds: Collection[Kind] = tuple(Kind)) -> list[Span]:
    """Random conditions: each kind occurs with chance 0.7, 2..20 s at a time, at least 5 s apart."""
    spans = []
    for kind in kinds:
        if rng.random() > 0.7:
            continue
        start_s = int(rng.integers(-6, 25))
        while start_s < seconds:
            end_s = start_s + int(rng.integers(2, 21))
            if start_s >= 0:
                spans.append(Span(kind, start_s, end_s))
            elif end_s > 0:
                spans.append(Span(kind, 0, end_s))
            start_s = end_s + int(rng.integers(5, 28))
    return spans


def _check_apart(spans: Sequence[Span]) -> None:
    last_end_s: dict[Kind, int] = {}
    for span in spans:
        if span.start_s < last_end_s.get(span.kind, span.start_s):
            raise ValueError(f"two {span.kind} spans overlap at {span.start_s} s: give each kind one span at a time")
        last_end_s[span.kind] = span.end_s
