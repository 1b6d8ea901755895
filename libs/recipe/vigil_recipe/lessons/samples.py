"""Training samples from a clip of the world: which exchanges, and which of the clip's frames they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vigil_recipe.lessons.changes import LESSONS_IN_CHANGES
from vigil_recipe.lessons.history import exchanges_of_script, exchanges_of_turns
from vigil_recipe.lessons.observations import LESSONS_IN_OBSERVATIONS
from vigil_recipe.lessons.pictures import LESSONS_IN_PICTURES
from vigil_recipe.lessons.watches import LESSONS_IN_WATCHES
from vigil_recipe.lessons.words import LESSONS_IN_WORDS
from vigil_recipe.render.clips import Clip
from vigil_recipe.scenarios import Scenario, Script, sample_script
from vigil_recipe.scenarios.summary import sample_merge, sample_summary
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import RESPONSE, SILENCE, Mode, sample_turns
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Episode, Stage

SUMMARY, MERGE = "summary", "merge"
LATEST_OFFSET_S = 400  # a chunk begins anywhere in a session
# Descriptions at every turn, watching, and idle: the first lessons, before any scenario.
LESSONS = {"describing": Mode.DENSE, "watching": Mode.WATCH, "idle": Mode.IDLE}
WORDED = {**LESSONS_IN_WORDS, **LESSONS_IN_OBSERVATIONS}
PICTURED = {**LESSONS_IN_PICTURES, **LESSONS_IN_CHANGES, **LESSONS_IN_WATCHES}
DATA_KINDS = (
    *LESSONS,
    *WORDED,
    *PICTURED,
    *(scenario.value for scenario in Scenario),
    SUMMARY,
    MERGE,
)
# What can be learnt from words alone: to copy from a memory, a result or a name, and to compute with time markers.
WORDS_ALONE = frozenset({*WORDED, Scenario.TIMING, Scenario.MEMORY, Scenario.CHAT, Scenario.DELEGATION, MERGE})
# An alert is said in every turn of its span, and an interval is counted in turns: these keep all of theirs.
WHOLE = frozenset({Scenario.ALERTING, Scenario.TIMING})

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
    "reading": {Stage.SIGN: 1.0},
}


@dataclass(frozen=True, slots=True)
class WorldSample:
    """One chunk over a clip. ``shown`` holds the clip's turns whose pictures it shows, in order, ``images`` of each."""

    kind: str
    exchanges: tuple[Exchange, ...]
    shown: tuple[int, ...]
    images: int

    def jpegs(self, clip: Clip) -> list[bytes]:
        """The pictures, in order."""
        return [jpeg for turn in self.shown for jpeg in clip.frames_at(turn)[-self.images :]]


def stages_of(kind: str) -> Mapping[Stage, float]:
    """The stages on which a kind of data is learnt, with their shares."""
    return SPECIAL_STAGES.get(kind, EVERYWHERE)


def sample_world(
    kind: str, rng: np.random.Generator, clip: Clip, turns: int, *, thin: float = 0.0, blind: bool = False
) -> WorldSample:
    """A random sample of one of ``DATA_KINDS`` over at most ``turns`` turns of a clip.

    ``thin`` is the share of a scenario's idle turns that are left out; ``blind`` leaves out all pictures, over a time
    in which nothing happens. Raises ValueError when the clip is too short, or was made by hand and has no episode to
    talk about.
    """
    if kind in LESSONS:
        lesson = sample_turns(rng, clip.truth, turns, LESSONS[kind])
        shown = tuple(turn.clip_turn for turn in lesson)
        return WorldSample(kind, exchanges_of_turns(lesson, clip.images), shown, clip.images)
    if kind in WORDED:
        return WorldSample(kind, WORDED[kind](rng, turns), (), 0)
    if kind == MERGE:
        task = sample_merge(rng)
        return WorldSample(kind, (_answered(prompt_format.merge_text(task.lines), task.text),), (), 0)
    if kind in PICTURED:
        pictured = PICTURED[kind](rng, clip, turns)
        return WorldSample(kind, pictured.exchanges, pictured.seconds, pictured.images)
    if clip.episode is None:
        raise ValueError("the clip has no episode: render it with vigil_recipe.render.clips")
    if kind == SUMMARY:
        return _summary(rng, clip.episode, turns)
    first = int(rng.integers(0, clip.turns - turns + 1))
    episode = replace(clip.episode, spans=()) if blind else clip.episode
    script = sample_script(rng, Scenario(kind), episode, turns, first)
    offset_s = float(rng.integers(0, LATEST_OFFSET_S + 1)) if rng.random() < 0.5 else 0.0
    images = 0 if blind else clip.images
    exchanges = exchanges_of_script(rng, script, images, offset_s)
    kept = range(turns) if kind in WHOLE or not thin else kept_turns(rng, script, thin)
    shown = tuple(script.turns[turn].second for turn in kept) if images else ()
    return WorldSample(kind, tuple(exchanges[turn] for turn in kept), shown, images)


def kept_turns(rng: np.random.Generator, script: Script, thin: float) -> list[int]:
    """The turns of a script without a share ``thin`` of its idle ones, in which nobody speaks.

    The first turn stays because it may carry the memory. The turn before something is said stays too: a change is
    visible only beside the picture before it.
    """
    busy = [bool(turn.lines) or turn.reply != SILENCE for turn in script.turns]
    after = [*busy[1:], False]
    return [turn for turn in range(len(busy)) if turn == 0 or busy[turn] or after[turn] or rng.random() >= thin]


def _summary(rng: np.random.Generator, episode: Episode, turns: int) -> WorldSample:
    task = sample_summary(rng, episode, turns)
    asked = prompt_format.summary_text(task.prompt, task.markers_s)
    return WorldSample(SUMMARY, (_answered(asked, task.text),), task.seconds, 1)


def _answered(asked: str, text: str) -> Exchange:
    reply = f"{RESPONSE} {text}"
    return Exchange(asked, reply, reply)
