"""Planted mistakes: where they may be, how many, and alerts that are told late. Needs the engine environment."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="the engine environment has tokenizers")

from vigil_recipe.lessons.history import LATEST, exchanges_of_script, plant
from vigil_recipe.scenarios import Due, Said, Scenario, exam_script
from vigil_recipe.testing.scripts import instruction, question, script
from vigil_recipe.text.dialogue import RESPONSE, SILENCE
from vigil_recipe.world import Split

pytestmark = pytest.mark.engine
SEEDS = range(200)
FIRE, TURNS = "A fire has started.", 40
HELD = Due(0, 10, 30, FIRE, repeats=True)
WATCHED = script(
    Scenario.ALERTING,
    [HELD, Due(15, 15, 18, "I see a fire.")],
    {0: [instruction("Alert me when a fire starts.")], 15: [question("What do you see?")]},
    turns=TURNS,
)


def planted(seed: int) -> list[int]:
    """The turns of a history that are wrong."""
    said = plant(np.random.default_rng(seed), WATCHED)
    assert len(said) == TURNS
    return [index for index, (turn, one) in enumerate(zip(WATCHED.turns, said, strict=True)) if one != turn.reply]


def test_a_mistake_is_silence_for_speech_or_the_scripts_own_words_for_silence() -> None:
    spoken = {turn.reply for turn in WATCHED.turns} - {SILENCE}
    for seed in SEEDS:
        said = plant(np.random.default_rng(seed), WATCHED)
        for turn in planted(seed):
            assert said[turn] == SILENCE if WATCHED.turns[turn].reply != SILENCE else said[turn] in spoken
            assert turn != 15, "what is asked is answered rightly"


def test_some_histories_are_right_and_some_tell_an_alert_late_and_go_on_rightly() -> None:
    histories = [planted(seed) for seed in SEEDS]
    assert sum(not history for history in histories) > len(SEEDS) * 0.1
    lates = [
        history
        for history in histories
        if history and history == [turn for turn in range(10, 10 + LATEST) if turn <= history[-1]]
    ]
    asked_within = [
        history for history in histories if set(history) == set(range(10, max(history, default=0) + 1)) - {15}
    ]
    assert len(lates) + len(asked_within) > len(SEEDS) * 0.05, "silent from the first turn on, and right after it"
    assert {one[-1] for one in lates + asked_within if one} <= set(range(10, 10 + LATEST - 1))


@pytest.mark.parametrize("scenario", [Scenario.COUNTING, Scenario.TIMING, Scenario.DELEGATION])
def test_where_later_replies_lean_on_earlier_ones_mistakes_are_rare(scenario: Scenario) -> None:
    wrong = turns = 0
    for seed in range(40):
        made = exam_script(seed, scenario, Split.TRAIN, 24)
        said = plant(np.random.default_rng(seed), made)
        turns += len(said)
        wrong += sum(shown != turn.reply for shown, turn in zip(said, made.turns, strict=True))
    assert wrong < turns * 0.03


def test_exchanges_carry_the_memory_the_lines_and_the_time_from_their_offset() -> None:
    made = exam_script(3, Scenario.MEMORY, Split.TRAIN, 12)
    exchanges = exchanges_of_script(np.random.default_rng(1), made, 1, offset_s=30.0)
    assert exchanges[0].user.startswith(f"{made.memory}\n")
    for index, (exchange, turn) in enumerate(zip(exchanges, made.turns, strict=True)):
        assert f"<{30 + index}.0 seconds>" in exchange.user
        assert exchange.reply == turn.reply
        assert all(line.text in exchange.user for line in turn.lines if line.said is not Said.RESULT)
        assert exchange.said == SILENCE or exchange.said.startswith(RESPONSE)
