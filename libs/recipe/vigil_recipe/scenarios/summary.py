"""The summariser's tasks: key frames of a chunk to memory text, and several such texts to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vigil_recipe.world import Episode, Kind

SUMMARISE = "Summarise the frames."
MERGE = "Merge the memories."
NOTHING = "Nothing happened."
MOST_FRAMES = 12
MOST_SENTENCES = 8
PAST: dict[tuple[Kind, bool], str] = {
    (Kind.FIRE, True): "a fire started",
    (Kind.FIRE, False): "the fire was out",
    (Kind.FALL, True): "someone fell",
    (Kind.FALL, False): "someone got up",
    (Kind.OBJECT, True): "an object was left",
    (Kind.OBJECT, False): "the object was taken",
    (Kind.DOOR, True): "the door opened",
    (Kind.DOOR, False): "the door closed",
}
ALREADY: dict[Kind, str] = {
    Kind.FIRE: "there was a fire",
    Kind.FALL: "someone lay there",
    Kind.OBJECT: "an object stood there",
    Kind.DOOR: "the door was open",
}


@dataclass(frozen=True, slots=True)
class SummaryTask:
    """Key frames at these ``seconds`` of the episode, each with its time marker, to be put into ``text``."""

    seconds: tuple[int, ...]
    markers_s: tuple[float, ...]
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class MergeTask:
    """The lines of the prompt (its opening, then one memory text a line) and the merged ``text``."""

    lines: tuple[str, ...]
    text: str


def sample_summary(rng: np.random.Generator, episode: Episode, seconds: int) -> SummaryTask:
    """At most 12 frames spread over a random chunk of ``seconds`` s, and what changed between them.

    Only what the frames show is told: a change at the time of the first frame that shows it. The markers start
    anywhere. Raises ValueError when the chunk does not fit the episode.
    """
    if not 0 < seconds <= episode.seconds:
        raise ValueError(f"a chunk of {seconds} s does not fit an episode of {episode.seconds} s")
    start = int(rng.integers(episode.seconds - seconds + 1))
    count = int(rng.integers(min(4, seconds), min(MOST_FRAMES, seconds) + 1))
    edges = np.linspace(start, start + seconds, count + 1).astype(int)
    shown = [int(rng.integers(low, high)) for low, high in pairwise(edges)]
    offset_s = int(rng.integers(0, 600)) if rng.random() < 0.7 else 0
    while True:
        markers = [offset_s + second - start for second in shown]
        told = sentences(markers, [episode.truth(second) for second in shown])
        if len(told) <= MOST_SENTENCES:
            break
        shown = shown[:-1]
    return SummaryTask(tuple(shown), tuple(float(marker) for marker in markers), SUMMARISE, told_text(told))


def sentences(markers: Sequence[int], truth: Sequence[frozenset[Kind]]) -> list[str]:
    """What frames with these times and conditions tell: what holds in the first, then each change, by kind."""
    told = [f"At {markers[0]} seconds {ALREADY[kind]}." for kind in Kind if kind in truth[0]]
    for index in range(1, len(markers)):
        before, now = truth[index - 1], truth[index]
        told += [
            f"At {markers[index]} seconds {PAST[kind, kind in now]}."
            for kind in Kind
            if (kind in now) != (kind in before)
        ]
    return told


def told_text(told: Sequence[str]) -> str:
    """The memory text of these sentences."""
    return " ".join(told) if told else NOTHING


def sample_merge(rng: np.random.Generator) -> MergeTask:
    """Two or three memory texts of following chunks, and their merger."""
    at_s, held = int(rng.integers(0, 300)), frozenset[Kind]()
    parts: list[str] = []
    merged: list[str] = []
    for _ in range(int(rng.integers(2, 4))):
        markers, truth = _walk(rng, at_s, held)
        told = sentences(markers, truth)
        parts.append(told_text(told))
        repeated = {f"At {markers[0]} seconds {ALREADY[kind]}." for kind in truth[0] & held}
        merged += [sentence for sentence in told if sentence not in repeated]
        at_s, held = markers[-1] + 1, truth[-1]
    return MergeTask((MERGE, *parts), told_text(merged))


def texts() -> Iterator[str]:
    """All that is read or written, with digits."""
    yield from (SUMMARISE, MERGE, NOTHING)
    for told in (*PAST.values(), *ALREADY.values()):
        yield f"At 12 seconds {told}."


def _walk(rng: np.random.Generator, start_s: int, held: frozenset[Kind]) -> tuple[list[int], list[frozenset[Kind]]]:
    """Frames of one chunk whose conditions change at random: their times and truth; a third of chunks are still."""
    changes = 0 if rng.random() < 0.35 else int(rng.integers(1, 4))
    markers, truth = [start_s + int(rng.integers(0, 10))], [held]
    for _ in range(changes):
        markers.append(markers[-1] + int(rng.integers(3, 30)))
        truth.append(truth[-1] ^ {list(Kind)[rng.integers(len(Kind))]})
    return markers, truth
