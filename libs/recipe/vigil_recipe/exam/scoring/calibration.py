"""Whether p(silence) means what it says: of the turns with p(silence) near 0.8, silence was right in four of five.

Reliability bins and the expected calibration error (Guo et al. 2017, arXiv 1706.04599). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vigil_recipe.exam.scoring.dues import speaking_turns
from vigil_recipe.exam.scoring.episode_scores import EpisodeScore

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The turns with p(silence) from ``low`` on: how many, their mean p(silence), and how often silence was right."""

    low: float
    turns: int
    mean_p: float
    silence_right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bins that hold any turn, and the mean gap between p and frequency, weighted by turns."""

    bins: tuple[Bin, ...]
    expected_error: float | None
    turns: int


def ticks(scores: Sequence[EpisodeScore]) -> list[tuple[float, bool]]:
    """p(silence) of every turn that has one, and whether silence was right in it. For what is due once, only its
    best turn is a turn to speak in: words a second late count against the model here, though not in the match."""
    found = []
    for episode in scores:
        speaking = speaking_turns(episode.dues, len(episode.transcript.turns))
        found += [
            (heard.p.silent, not speak)
            for heard, speak in zip(episode.transcript.turns, speaking, strict=True)
            if heard.p is not None
        ]
    return found


def calibration(pairs: Sequence[tuple[float, bool]], bins: int = BINS) -> Calibration:
    """Reliability of ``pairs`` (probability, outcome) over equally wide bins."""
    kept: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for p, outcome in pairs:
        kept[min(int(p * bins), bins - 1)].append((p, outcome))
    made = tuple(
        Bin(
            index / bins,
            len(pairs_of_bin),
            sum(p for p, _ in pairs_of_bin) / len(pairs_of_bin),
            sum(hit for _, hit in pairs_of_bin) / len(pairs_of_bin),
        )
        for index, pairs_of_bin in enumerate(kept)
        if pairs_of_bin
    )
    gap = sum(bin_.turns * abs(bin_.mean_p - bin_.silence_right) for bin_ in made)
    return Calibration(made, gap / len(pairs) if pairs else None, len(pairs))
