"""Win, tie, loss of one player against another, in the form of the paper's Tables 1 and 2.

There people judged pairs of recordings; here the episode with the higher SW-F1 wins. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vigil_recipe.exam.scoring.episode_scores import EpisodeScore
from vigil_recipe.exam.scoring.targets import counted
from vigil_recipe.scenarios import Scenario

TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Tally:
    """Episodes won, tied and lost."""

    wins: int = 0
    ties: int = 0
    losses: int = 0

    @property
    def episodes(self) -> int:
        """How many there were."""
        return self.wins + self.ties + self.losses

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.wins + other.wins, self.ties + other.ties, self.losses + other.losses)


def compare(mine: float, theirs: float) -> Tally:
    """One episode."""
    if abs(mine - theirs) <= TIE:
        return Tally(ties=1)
    return Tally(wins=1) if mine > theirs else Tally(losses=1)


def head_to_head(
    mine: Mapping[Scenario, Sequence[EpisodeScore]], theirs: Mapping[Scenario, Sequence[EpisodeScore]]
) -> dict[str, Tally]:
    """A tally for each scenario that both played, and ``overall`` for those of them that are `counted`. Only episodes
    that both played are compared."""
    found: dict[Scenario, Tally] = {}
    for scenario, scores in mine.items():
        others = {_key(episode): episode.sw_f1 for episode in theirs.get(scenario, ())}
        both = [compare(scored.sw_f1, others[_key(scored)]) for scored in scores if _key(scored) in others]
        if both:
            found[scenario] = sum(both, Tally())
    overall = sum((found[scenario] for scenario in counted(found)), Tally())
    return {scenario.value: tally for scenario, tally in found.items()} | {"overall": overall}


def _key(episode: EpisodeScore) -> tuple[object, ...]:
    return episode.script.episode.seed, episode.script.episode.split, episode.script.turns
