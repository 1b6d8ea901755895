"""Scripts of every scenario: for training over any window of an episode, for the exam over an episode of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vigil_recipe.scenarios import (
    alerting,
    chat,
    commentary,
    counting,
    delegation,
    memory,
    modules,
    questions,
    summary,
    timing,
    translation,
)
from vigil_recipe.scenarios.script import Purpose, Said, Scenario, Script
from vigil_recipe.scenarios.window import Window
from vigil_recipe.world import AS_DRAWN, Episode, Robustness, Split, Stage, make_episode, stream

TAUGHT_TEXTS = (alerting, questions, counting, timing, commentary, translation, chat, memory, delegation, summary)
COMPOSE: dict[Scenario, Callable[[np.random.Generator, Window], Script]] = {
    Scenario.ALERTING: alerting.compose,
    Scenario.QUESTIONS: questions.compose,
    Scenario.COUNTING: counting.compose,
    Scenario.TIMING: timing.compose,
    Scenario.COMMENTARY: commentary.compose,
    Scenario.TRANSLATION: translation.compose,
    Scenario.CHAT: chat.compose,
    Scenario.MEMORY: memory.compose,
    Scenario.DELEGATION: delegation.compose,
    Scenario.MODULES: modules.compose,
}
STAGES: dict[Scenario, tuple[Stage, ...]] = {
    Scenario.COUNTING: (Stage.CROSSING, Stage.CROSSING, Stage.VARIED),
    Scenario.TRANSLATION: (Stage.SIGN,),
}
ANY_STAGE = (Stage.VARIED, Stage.PLAIN)
SILENT_SHARE = 0.15  # of the alerting scripts of the exam: something is watched and never happens
ATTEMPTS = 400


def sample_script(
    rng: np.random.Generator, scenario: Scenario, episode: Episode, turns: int, first_second: int = 0
) -> Script:
    """A random script over ``turns`` seconds of an episode. Wordings come from the same lists for every split.

    Raises ValueError when the window does not fit, or when the episode has not what the scenario needs.
    """
    return COMPOSE[scenario](rng, Window(episode, first_second, turns))


def scenarios_for(episode: Episode) -> tuple[Scenario, ...]:
    """The scenarios that an episode can serve: all, but translation only with a sign."""
    return tuple(scenario for scenario in Scenario if scenario is not Scenario.TRANSLATION or episode.sign is not None)


def exam_script(
    seed: int, scenario: Scenario, split: Split, turns: int, *, robustness: Robustness = AS_DRAWN
) -> Script:
    """The script of a seed over an episode of its own, always the same; ``robustness`` changes its pixels alone.

    Something is due in every script, except in the share of alerting scripts that stay silent.
    """
    silent = scenario is Scenario.ALERTING and stream(seed, split, "exam silence").random() < SILENT_SHARE
    for attempt in range(ATTEMPTS):
        rng = stream(seed, split, f"exam {scenario.value} {attempt}")
        stages = STAGES.get(scenario, ANY_STAGE)
        stage = stages[rng.integers(len(stages))]
        episode = make_episode(int(rng.integers(2**31)), split, turns, stage=stage, robustness=robustness)
        script = sample_script(rng, scenario, episode, turns)
        if _is_exam(script, silent=silent):
            return script
    raise ValueError(f"no {scenario.value} script of {turns} turns in {ATTEMPTS} attempts: allow it more turns")


def all_texts() -> Iterator[str]:
    """Every string that the model may read or write in any scenario that is `TAUGHT` or in a summary, numbers by
    example. The tokenizer is trained on these and lessons in words draw from them, so they stay what they are: what a
    later scenario adds is in its own module."""
    for family in TAUGHT_TEXTS:
        yield from family.texts()


def _is_exam(script: Script, *, silent: bool) -> bool:
    """Whether a script examines what its scenario is about."""
    asked = any(line.said is not Said.CLEARING for turn in script.turns for line in turn.lines)
    if script.scenario is Scenario.ALERTING:
        return asked and silent != any(due.repeats for due in script.dues)
    if script.scenario is Scenario.MEMORY:
        return bool(script.memory) and any(due.text != chat.UNKNOWN for due in script.dues)
    if script.scenario is Scenario.MODULES:
        purposes = {observed.purpose for observed in script.observations}
        return Purpose.NEEDED in purposes and len(purposes) > 1
    if script.scenario is Scenario.COUNTING:
        return any(due.asked != due.first for due in script.dues)
    if script.scenario is Scenario.TRANSLATION:
        return any(line.said is Said.INSTRUCTION for turn in script.turns for line in turn.lines) and bool(script.dues)
    return bool(script.dues)
