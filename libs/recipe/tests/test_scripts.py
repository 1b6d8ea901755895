"""Scripts of all scenarios: replies parse, dues and replies say the same, equal seeds give equal scripts."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.scenarios import Said, Scenario, Script, all_texts, exam_script, modules, sample_script, scenarios_for
from vigil_recipe.text.dialogue import RESPONSE, SILENCE, STOP
from vigil_recipe.world import Robustness, Split, Stage, make_episode

FORM = re.compile(r"</silence>|</response> [^<]+?(?: </delegation> [^<]+)?")
scenarios = st.sampled_from(list(Scenario))
seeds = st.integers(0, 100_000)


def stage_for(scenario: Scenario, seed: int) -> Stage:
    return Stage.SIGN if scenario is Scenario.TRANSLATION else list(Stage)[seed % len(Stage)]


def sample(seed: int, scenario: Scenario, turns: int = 40, first: int = 0) -> Script:
    episode = make_episode(seed, Split.TRAIN, first + turns + seed % 7, stage=stage_for(scenario, seed))
    return sample_script(np.random.default_rng(seed), scenario, episode, turns, first)


@given(seed=seeds, scenario=scenarios, turns=st.integers(8, 96), first=st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_replies_say_what_is_due_and_nothing_else(seed: int, scenario: Scenario, turns: int, first: int) -> None:
    script = sample(seed, scenario, turns, first)
    texts: list[list[str]] = [[] for _ in range(turns)]
    hidden: list[list[str]] = [[] for _ in range(turns)]
    for due in script.dues:
        assert 0 <= due.asked <= due.first < due.end <= turns
        for at in range(due.first, due.end if due.repeats else due.first + 1):
            texts[at].append(due.text)
            hidden[at] += [due.question] if due.question else []
    for index, turn in enumerate(script.turns):
        assert FORM.fullmatch(turn.reply), turn.reply
        if not texts[index]:
            assert turn.reply == SILENCE
            continue
        spoken, _, asked = turn.reply.removeprefix(f"{RESPONSE} ").partition(" </delegation> ")
        assert sorted(spoken) == sorted(" ".join(texts[index]))
        assert all(text in spoken for text in texts[index])
        assert [asked] * bool(asked) == hidden[index]


@given(seed=seeds, scenario=scenarios, first=st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_turns_show_consecutive_seconds(seed: int, scenario: Scenario, first: int) -> None:
    script = sample(seed, scenario, 30, first)
    assert [turn.second for turn in script.turns] == list(range(first, first + 30))
    assert script.scenario is scenario
    assert script.episode.seconds >= first + 30


@given(seed=seeds, scenario=scenarios)
@settings(max_examples=100, deadline=None)
def test_equal_seeds_give_equal_scripts(seed: int, scenario: Scenario) -> None:
    assert sample(seed, scenario) == sample(seed, scenario)


@given(seed=seeds, scenario=scenarios)
@settings(max_examples=200, deadline=None)
def test_only_what_was_asked_is_cleared(seed: int, scenario: Scenario) -> None:
    standing: Counter[str] = Counter()
    for turn in sample(seed, scenario, 60).turns:
        for line in turn.lines:
            if line.said is Said.CLEARING:
                assert standing[line.text.removeprefix(STOP)] == 1
                standing[line.text.removeprefix(STOP)] -= 1
            elif line.said is Said.INSTRUCTION:
                standing[line.text] += 1


@given(seed=seeds, scenario=scenarios)
@settings(max_examples=150, deadline=None)
def test_each_due_was_called_for(seed: int, scenario: Scenario) -> None:
    script = sample(seed, scenario, 60)
    assert all(script.turns[due.asked].lines for due in script.dues)


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]+", text)) | set(re.findall(r"\d", text)) | set(re.findall(r"[^\w\s]", text))


@given(seed=seeds, scenario=scenarios)
@settings(max_examples=300, deadline=None)
def test_all_words_are_among_all_texts(seed: int, scenario: Scenario) -> None:
    known = KNOWN | words(f"{SILENCE}{RESPONSE}</delegation>")
    script = sample(seed, scenario)
    said = [script.memory, *(line.text for turn in script.turns for line in turn.lines)]
    for text in [*said, *(turn.reply for turn in script.turns)]:
        assert words(text) <= known


KNOWN = frozenset[str]().union(*(words(text) for text in (*all_texts(), *modules.texts())))


def test_single_sentences_stay_short() -> None:
    lengths = [len(due.text) for seed in range(60) for scenario in Scenario for due in sample(seed, scenario).dues]
    assert max(lengths) <= 85  # a description of all four conditions
    assert np.quantile(lengths, 0.95) <= 30


@pytest.mark.parametrize("scenario", list(Scenario))
@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
def test_exam_scripts_examine(scenario: Scenario, split: Split) -> None:
    scripts = [exam_script(seed, scenario, split, 40) for seed in range(12)]
    assert scripts == [exam_script(seed, scenario, split, 40) for seed in range(12)]
    assert all(script.episode.split is split and len(script.turns) == 40 for script in scripts)
    assert len({script.episode.seed for script in scripts}) == 12
    if scenario is not Scenario.ALERTING:
        assert all(script.dues for script in scripts)


def test_some_alerting_exams_stay_silent() -> None:
    scripts = [exam_script(seed, Scenario.ALERTING, Split.TEST, 40) for seed in range(100)]
    silent = [script for script in scripts if not any(due.repeats for due in script.dues)]
    assert 5 <= len(silent) <= 30
    assert all(any(turn.lines for turn in script.turns) for script in silent)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_robustness_changes_pixels_alone(scenario: Scenario) -> None:
    for seed in range(5):
        plain = exam_script(seed, scenario, Split.TEST, 40)
        dark = exam_script(seed, scenario, Split.TEST, 40, robustness=Robustness(night=True, noise=True))
        assert (dark.turns, dark.dues, dark.results) == (plain.turns, plain.dues, plain.results)
        assert dark.episode.scene != plain.episode.scene


def test_translation_needs_a_sign() -> None:
    bare = make_episode(1, Split.TRAIN, 30)
    assert set(Scenario) - set(scenarios_for(bare)) == {Scenario.TRANSLATION}
    assert set(scenarios_for(make_episode(1, Split.TRAIN, 30, stage=Stage.SIGN))) == set(Scenario)
    with pytest.raises(ValueError, match=r"needs an episode with a sign: make it with stage=Stage\.SIGN"):
        sample_script(np.random.default_rng(1), Scenario.TRANSLATION, bare, 20)


def test_windows_that_do_not_fit_are_refused() -> None:
    episode, rng = make_episode(1, Split.TRAIN, 30), np.random.default_rng(1)
    with pytest.raises(ValueError, match="20 turns from second 15 do not fit an episode of 30 s"):
        sample_script(rng, Scenario.CHAT, episode, 20, 15)
    with pytest.raises(ValueError, match="at least 8 turns, got 3"):
        sample_script(rng, Scenario.CHAT, episode, 3)
