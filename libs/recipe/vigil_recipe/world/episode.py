"""Episodes: what happens in front of one fixed camera, second by second."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from vigil_recipe.world.canvas import WORLD_WIDTH
from vigil_recipe.world.look import AS_DRAWN, Look, Robustness, disturbed, forced, make_look
from vigil_recipe.world.passages import crossing_second, draw_passages
from vigil_recipe.world.scene import ALL_LAYOUTS, Scene, make_scene
from vigil_recipe.world.sign import Sign, SignSpan, below_the_sign, draw_words, make_sign
from vigil_recipe.world.trips import Trip, make_trips

IN_VIEW = 0.05  # how far from the picture's edge the middle of a passer counts as in view


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


class Stage(StrEnum):
    """What an episode's place offers. Only PLAIN has no look of its own."""

    PLAIN = "plain"  # three layouts, the four conditions, passers-by
    VARIED = "varied"  # four layouts in many styles, worse cameras, occlusion
    CROSSING = "crossing"  # people or cars who cross one at a time; fires and doors are the only conditions
    SIGN = "sign"  # a sign that shows words, over a place with all conditions


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
    stage: Stage = Stage.PLAIN
    robustness: Robustness = AS_DRAWN
    look: Look | None = None
    sign: Sign | None = None
    screen: tuple[SignSpan, ...] = ()

    def truth(self, t_s: float) -> frozenset[Kind]:
        """The conditions that hold at ``t_s`` seconds."""
        return frozenset(span.kind for span in self.spans if span.holds(t_s))

    def spans_of(self, kind: Kind) -> tuple[Span, ...]:
        """The spans of one condition, in time order."""
        return tuple(span for span in self.spans if span.kind is kind)

    def word(self, t_s: float) -> str:
        """The word on the sign at ``t_s``; empty when it is blank or there is no sign."""
        return next((span.word for span in self.screen if span.holds(t_s)), "")

    @property
    def crossings(self) -> tuple[int, ...]:
        """The seconds at which a passer is first past the middle, in time order; none outside a CROSSING stage."""
        if self.stage is not Stage.CROSSING:
            return ()
        return tuple(second for second in map(crossing_second, self.trips) if second < self.seconds)

    def passer_side(self, second: int) -> str:
        """Which half of the picture a countable passer is in, "left" or "right"; empty when none is in view.

        True of every frame that is taken up to 0.45 s after the whole second: nobody crosses the middle then.
        """
        if self.stage is not Stage.CROSSING:
            return ""
        places = (trip.x(second) for trip in self.trips if trip.active(second))
        side = {True: "left", False: "right"}
        return next((side[x < WORLD_WIDTH / 2] for x in places if IN_VIEW < x < WORLD_WIDTH - IN_VIEW), "")

    @property
    def passers(self) -> str:
        """What crosses: "people", "cars", or nothing that could be counted."""
        if not self.crossings:
            return ""
        return "cars" if self.trips[0].pose == "car" else "people"


def seed_sequence(seed: int, split: Split) -> np.random.SeedSequence:
    """Entropy of one episode. The split's name is hashed into it, so no two splits can share an episode."""
    return np.random.SeedSequence([_digest(f"vigil-world/{split.value}"), seed])


def stream(seed: int, split: Split, purpose: str) -> np.random.Generator:
    """Random numbers for one ``purpose`` of a seed, independent of those that draw its plain episode."""
    return np.random.default_rng([_digest(f"vigil-world/{split.value}/{purpose}"), seed])


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def make_episode(
    seed: int,
    split: Split,
    seconds: int,
    *,
    spans: Sequence[Span] | None = None,
    layout: str | None = None,
    stage: Stage = Stage.PLAIN,
    robustness: Robustness = AS_DRAWN,
) -> Episode:
    """The episode of a seed on a stage. ``spans`` fixes the conditions instead of drawing them; ``layout`` the place.

    Raises ValueError when ``seconds`` is not positive or spans of one kind overlap.
    """
    if seconds <= 0:
        raise ValueError(f"an episode needs a positive length, got {seconds} s")
    rng, own = np.random.default_rng(seed_sequence(seed, split)), stream(seed, split, stage.value)
    if stage is not Stage.PLAIN and layout is None:
        layout = str(own.choice(ALL_LAYOUTS))
    scene = make_scene(rng, layout)
    drawn = draw_spans(rng, seconds, (Kind.FIRE, Kind.DOOR) if stage is Stage.CROSSING else tuple(Kind))
    chosen = tuple(sorted(drawn if spans is None else spans, key=lambda span: (span.start_s, span.kind)))
    _check_apart(chosen)
    look = None
    if stage is not Stage.PLAIN:
        scene = below_the_sign(disturbed(own, scene)) if stage is Stage.SIGN else disturbed(own, scene)
        look = make_look(own, scene, legible=stage is Stage.SIGN, occluded=stage is Stage.VARIED)
        look = replace(look, infrared=False) if robustness.night is False else look
    scene = forced(scene, robustness)
    if stage is Stage.CROSSING:
        trips = draw_passages(own, scene, seconds)
    else:
        objects = [(span.start_s, span.end_s) for span in chosen if span.kind is Kind.OBJECT]
        trips = make_trips(rng, scene, seconds, objects)
    sign = make_sign(own) if stage is Stage.SIGN else None
    screen = draw_words(own, seconds) if stage is Stage.SIGN else ()
    return Episode(seed, split, seconds, scene, chosen, trips, stage, robustness, look, sign, screen)


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
