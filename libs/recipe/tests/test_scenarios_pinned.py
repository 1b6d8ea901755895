"""What the shipped model was trained on and examined in may not change: its scripts, its words, its exam's plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import pytest

from vigil_recipe.exam.plan import plan, planned
from vigil_recipe.scenarios import TAUGHT, Scenario, Script, all_texts, exam_script, sample_script
from vigil_recipe.world import Split, Stage, make_episode

NINE = "alerting counting timing translation commentary memory questions chat delegation"


def digest(scripts: Iterable[Script]) -> str:
    """Of all that a script says, and of the episode that it is over."""
    written = [
        (
            script.scenario,
            [asdict(turn) for turn in script.turns],
            [asdict(due) for due in script.dues],
            [asdict(result) for result in script.results],
            script.memory,
            (script.episode.seed, script.episode.split, script.episode.stage),
        )
        for script in scripts
    ]
    return hashlib.sha256(json.dumps(written).encode()).hexdigest()[:16]


def trained(seed: int, scenario: Scenario) -> Script:
    """A script as training draws it, over a window of an episode."""
    stage = Stage.SIGN if scenario is Scenario.TRANSLATION else Stage.VARIED
    episode = make_episode(seed, Split.TRAIN, 60, stage=stage)
    return sample_script(np.random.default_rng([7, seed]), scenario, episode, 48, seed)


def test_the_shipped_model_was_taught_nine_scenarios() -> None:
    assert " ".join(TAUGHT) == NINE
    assert set(Scenario) - set(TAUGHT) == {Scenario.MODULES}


PINNED = {
    "alerting": ("5c0ac7af4d9bc46a", "82838c68971b3a60"),
    "counting": ("86d677cbcdb77659", "5a3e394f3e6303fa"),
    "timing": ("7a51c78694cafb3f", "077159ab9214cd55"),
    "translation": ("468c09e0a31be3b5", "3cd45180e9b81a05"),
    "commentary": ("bf2e9ead88a24cce", "982a02a8c80dc4f5"),
    "memory": ("87e532ed11db724c", "8eec1b591fb6ea87"),
    "questions": ("c19aaa92815aa0a5", "ea06d818666a90f7"),
    "chat": ("e70be6476ce5d5d9", "7d772fa34866f184"),
    "delegation": ("1ac33c669e22261e", "9aee58bab19005dd"),
}


@pytest.mark.parametrize("scenario", TAUGHT)
def test_scripts_stay_what_they_were(scenario: Scenario) -> None:
    examined = digest(exam_script(seed, scenario, Split.TEST, 40) for seed in range(4))
    assert (examined, digest(trained(seed, scenario) for seed in range(8))) == PINNED[scenario.value]


def test_the_words_that_lessons_and_the_tokenizer_draw_from_stay_what_they_were() -> None:
    assert hashlib.sha256("\n".join(all_texts()).encode()).hexdigest()[:16] == "c1bcf0755fb10adf"


def test_the_exam_of_the_shipped_model_stays_what_it_was() -> None:
    items = list(plan(10, 18, TAUGHT, Split.TEST, 24))
    assert len(items) == planned(18, TAUGHT)
    written = [(item.part, item.scenario, item.seed, item.condition, digest([item.script])) for item in items]
    assert hashlib.sha256(json.dumps(written).encode()).hexdigest()[:16] == "10e23ed50442564a"
