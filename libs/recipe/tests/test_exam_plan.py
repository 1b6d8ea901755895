"""Which scripts an exam plays: the same for the same seed, its parts, and nothing that training can draw."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.exam.plan import Part, plan, planned
from vigil_recipe.scenarios import Said, Scenario
from vigil_recipe.world import Split


def test_the_same_seed_makes_the_same_exam() -> None:
    one, again, other = (list(plan(seed, 10, tuple(Scenario), Split.VALIDATION, 24)) for seed in (3, 3, 4))
    assert one == again
    assert [item.script for item in one] != [item.script for item in other]
    assert Counter(item.scenario for item in one if item.part is Part.EXAM) == dict.fromkeys(Scenario, 1)
    assert {item.script.episode.split for item in one} == {Split.VALIDATION}


def test_splits_share_no_script() -> None:
    made = [list(plan(0, 10, tuple(Scenario), split, 24)) for split in (Split.VALIDATION, Split.TRAIN)]
    assert not {item.script.episode.seed for item in made[0]} & {item.script.episode.seed for item in made[1]}


def test_memory_is_played_without_its_memory_too() -> None:
    items = list(plan(0, 2, (Scenario.MEMORY,), Split.VALIDATION, 24))
    assert [item.part for item in items] == [Part.EXAM, Part.MEMORY_OFF] * 2
    on, off = items[0].script, items[1].script
    assert on.memory
    assert (off.memory, off.turns, off.dues) == ("", on.turns, on.dues)


def test_modules_are_played_without_what_they_tell_too() -> None:
    items = list(plan(0, 2, (Scenario.MODULES,), Split.VALIDATION, 24))
    assert [item.part for item in items] == [Part.EXAM, Part.MODULES_OFF] * 2
    assert [item.condition for item in items] == ["", "modules off"] * 2
    told, untold = items[0].script, items[1].script
    assert told.observations
    assert (untold.observations, untold.dues) == ((), told.dues)
    assert [turn.reply for turn in untold.turns] == [turn.reply for turn in told.turns]
    left = [[line for line in turn.lines if line.said is not Said.OBSERVATION] for turn in told.turns]
    assert [list(turn.lines) for turn in untold.turns] == left
    assert sum(map(len, left)) < sum(len(turn.lines) for turn in told.turns)


def test_disturbances_are_on_and_off_over_the_same_seeds() -> None:
    items = [item for item in plan(0, 8, (Scenario.ALERTING,), Split.VALIDATION, 24) if item.part is Part.ROBUSTNESS]
    assert Counter(item.condition for item in items) == {
        f"{name} {state}": 4 for name in ("night", "noise", "jitter") for state in ("on", "off")
    }
    for item, other in zip(items[::2], items[1::2], strict=True):
        assert item.seed == other.seed
        assert item.script.turns == other.script.turns
        assert item.script.episode != other.script.episode


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.sets(st.sampled_from(Scenario), min_size=1))
def test_the_progress_bar_knows_its_end(episodes: int, some: set[Scenario]) -> None:
    scenarios = tuple(some)
    if episodes <= 12:
        assert planned(episodes, scenarios) == sum(1 for _ in plan(1, episodes, scenarios, Split.VALIDATION, 24))
    else:
        assert planned(episodes, scenarios) >= episodes


@pytest.mark.parametrize("seed", [21_474, 20261121, 2**40])
def test_any_seed_makes_an_exam(seed: int) -> None:
    items = list(plan(seed, 2, (Scenario.COUNTING,), Split.VALIDATION, 24))
    assert [item.seed for item in items] == [seed * 100_000, seed * 100_000 + 1]
    assert items == list(plan(seed, 2, (Scenario.COUNTING,), Split.VALIDATION, 24))


def test_fewer_episodes_than_scenarios_are_of_the_first_ones() -> None:
    items = [item for item in plan(0, 2, tuple(Scenario), Split.VALIDATION, 24) if item.part is Part.EXAM]
    assert [item.scenario for item in items] == list(Scenario)[:2]


def test_bad_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="0 episodes are no exam"):
        next(plan(0, 0, tuple(Scenario), Split.VALIDATION))
    with pytest.raises(ValueError, match="out of range"):
        next(plan(10**14, 9, tuple(Scenario), Split.VALIDATION))
