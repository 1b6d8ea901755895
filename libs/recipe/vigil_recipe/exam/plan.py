"""Which scripts an exam plays. Pure: the same seed makes the same exam.

Script ``i`` of exam ``seed`` has the seed ``seed`` · 100000 + ``i``. Seeds count within their split, whose name is part
of every random stream that script and episode are drawn from: what the test split holds is disjoint by construction
from all that training or validation can draw, whatever the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from vigil_recipe.scenarios import Said, Scenario, Script, exam_script
from vigil_recipe.world import Robustness, Split

SEED_STEP = 100_000
LARGEST_SEED = 2**63 // SEED_STEP - 1
TURNS = 40
DISTURBANCES = ("night", "noise", "jitter")
ROBUSTNESS_SHARE = 0.5  # of the alerting episodes, for each disturbance on and off


class Part(StrEnum):
    """Parts of an exam: the exam itself, and what is played to explain it."""

    EXAM = "exam"
    MEMORY_OFF = "memory_off"
    MODULES_OFF = "modules_off"
    ROBUSTNESS = "robustness"


@dataclass(frozen=True, slots=True)
class Item:
    """One script to play. ``condition`` says what was forced (``noise on``); empty in the exam itself."""

    part: Part
    scenario: Scenario
    seed: int
    script: Script
    condition: str = ""


def plan(seed: int, episodes: int, scenarios: Sequence[Scenario], split: Split, turns: int = TURNS) -> Iterator[Item]:
    """The scripts, scenario by scenario in turn, so that an exam that is broken off has some of each.

    ``episodes`` are shared evenly, the first scenarios get one more, or the only ones where there are fewer episodes
    than scenarios. Memory scripts are played once more without their memory line, those of modules without what the
    modules tell, and some alerting ones with each disturbance forced on and off. Raises ValueError.
    """
    if episodes < 1:
        raise ValueError(f"{episodes} episodes are no exam: give 1 or more")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed {seed} is out of range: give 0 to {LARGEST_SEED}")
    for index in range(episodes):
        scenario, world_seed = scenarios[index % len(scenarios)], seed * SEED_STEP + index
        script = exam_script(world_seed, scenario, split, turns)
        yield Item(Part.EXAM, scenario, world_seed, script)
        if scenario is Scenario.MEMORY:
            yield Item(Part.MEMORY_OFF, scenario, world_seed, replace(script, memory=""), "memory off")
        if scenario is Scenario.MODULES:
            yield Item(Part.MODULES_OFF, scenario, world_seed, untold(script), "modules off")
    if Scenario.ALERTING in scenarios:
        yield from _disturbed(seed, episodes, -(-episodes // len(scenarios)), split, turns)


def untold(script: Script) -> Script:
    """The script without what modules tell; what is due stays due."""
    turns = tuple(
        replace(turn, lines=tuple(line for line in turn.lines if line.said is not Said.OBSERVATION))
        for turn in script.turns
    )
    return replace(script, turns=turns, observations=())


def _disturbed(seed: int, first: int, alerting: int, split: Split, turns: int) -> Iterator[Item]:
    """Alerting with each disturbance on and off, the same seeds on both sides."""
    for index in range(max(1, round(alerting * ROBUSTNESS_SHARE))):
        world_seed = seed * SEED_STEP + first + index
        for name in DISTURBANCES:
            for on in (False, True):
                forced = Robustness(**{name: on})
                script = exam_script(world_seed, Scenario.ALERTING, split, turns, robustness=forced)
                condition = f"{name} {'on' if on else 'off'}"
                yield Item(Part.ROBUSTNESS, Scenario.ALERTING, world_seed, script, condition)


def planned(episodes: int, scenarios: Sequence[Scenario]) -> int:
    """How many scripts ``plan`` makes, so that a progress bar knows its end."""
    share = [episodes // len(scenarios) + (index < episodes % len(scenarios)) for index in range(len(scenarios))]
    by_scenario = dict(zip(scenarios, share, strict=True))
    disturbed = 0
    if Scenario.ALERTING in by_scenario:
        each = max(1, round(-(-episodes // len(scenarios)) * ROBUSTNESS_SHARE))
        disturbed = 2 * len(DISTURBANCES) * each
    twice = by_scenario.get(Scenario.MEMORY, 0) + by_scenario.get(Scenario.MODULES, 0)
    return episodes + twice + disturbed
