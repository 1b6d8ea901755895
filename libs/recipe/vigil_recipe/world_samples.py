"""Training samples from a clip of the world: which exchanges, and which of the clip's frames they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vigil_recipe.clips import Clip
from vigil_recipe.dialogue import Mode, sample_turns
from vigil_recipe.history import exchanges_of_script, exchanges_of_turns
from vigil_recipe.samples import Exchange
from vigil_recipe.scenarios import Scenario, sample_script
from vigil_recipe.world import Stage

# Descriptions at every turn, watching, and idle: the first lessons, before any scenario.
LESSONS = {"describing": Mode.DENSE, "watching": Mode.WATCH, "idle": Mode.IDLE}
DATA_KINDS = (*LESSONS, *(scenario.value for scenario in Scenario), "summary", "merge")

# On which stages each kind of data is learnt, and how often each: signs only with words, passers where they cross.
EVERYWHERE: Mapping[Stage, float] = {
    Stage.PLAIN: 1.0,
    Stage.VARIED: 1.0,
    Stage.CROSSING: 0.5,
    Stage.SIGN: 0.7,
}
SPECIAL_STAGES: Mapping[str, Mapping[Stage, float]] = {
    Scenario.COUNTING: {Stage.CROSSING: 2.0, Stage.PLAIN: 0.5, Stage.VARIED: 0.5},
    Scenario.TRANSLATION: {Stage.SIGN: 1.0},
}


@dataclass(frozen=True, slots=True)
class WorldSample:
    """One chunk over a clip. ``shown`` holds the clip's turn behind each exchange's pictures, in order."""

    kind: str
    exchanges: tuple[Exchange, ...]
    shown: tuple[int, ...]


def stages_of(kind: str) -> Mapping[Stage, float]:
    """The stages on which a kind of data is learnt, with their shares."""
    return SPECIAL_STAGES.get(kind, EVERYWHERE)


def sample_world(kind: str, rng: np.random.Generator, clip: Clip, turns: int) -> WorldSample:
    """A random sample of one of ``DATA_KINDS`` with at most ``turns`` turns."""
    if kind in LESSONS:
        lesson = sample_turns(rng, clip.truth, turns, LESSONS[kind])
        return WorldSample(kind, exchanges_of_turns(lesson, clip.images), tuple(turn.clip_turn for turn in lesson))
    script = sample_script(rng, Scenario(kind), clip.episode, turns)
    return WorldSample(
        kind, exchanges_of_script(rng, script, clip.images), tuple(turn.second for turn in script.turns)
    )
