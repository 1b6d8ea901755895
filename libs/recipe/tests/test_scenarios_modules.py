"""The scenario of modules replayed by other means: the right replies follow from the lines and the episode alone."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.scenarios import Observed, Purpose, Said, Scenario, Script, ScriptTurn, exam_script, sample_script
from vigil_recipe.scenarios.questions import NO, PRESENT, YES
from vigil_recipe.scenarios.senses import CLAIM, NOTES, ORDERS, SCENE, SENSES, WARMTH, Sense
from vigil_recipe.text.dialogue import ALERT, KEEP, RESPONSE, SILENCE, STOP, wordings
from vigil_recipe.text.prompt_format import observation_line
from vigil_recipe.world import Kind, Split, Stage, make_episode

seeds = st.integers(0, 100_000)
many = settings(max_examples=150, deadline=None)
LINE = re.compile(r"Observed: (\w+) \((\w+)(?:, (0\.[5-9]\d|1\.00))?\): (.+)")


@cache
def examined(split: Split = Split.VALIDATION) -> tuple[Script, ...]:
    return tuple(exam_script(seed, Scenario.MODULES, split, 40) for seed in range(60))


def sample(seed: int, turns: int = 48) -> Script:
    stage = (Stage.PLAIN, Stage.VARIED, Stage.CROSSING)[seed % 3]
    episode = make_episode(seed, Split.TRAIN, turns + 20, stage=stage)
    return sample_script(np.random.default_rng(seed), Scenario.MODULES, episode, turns, seed % 20)


def lines(turn: ScriptTurn, said: Said) -> list[str]:
    return [line.text for line in turn.lines if line.said is said]


def watched_by(text: str) -> tuple[Sense, str] | None:
    """The sense and the value that a watch is about; None for a watch on the picture."""
    for sense in SENSES:
        for pattern in sense.watches:
            found = re.fullmatch(re.escape(pattern).replace(r"\{\}", "(.+)"), text)
            if found:
                return sense, found[1]
    return None


class Listener:
    """Reads a script turn by turn as its model does, and says what is right by these rules:

    a question about a sense is answered with what was told last of it; a watch on one speaks when its value is told, of
    the temperature when it comes to be over its limit; what a picture shows is answered and alerted by the picture.
    """

    def __init__(self) -> None:
        self.told: dict[Sense, str] = {}
        self.standing: dict[str, bool] = {}

    def replies(self, turn: ScriptTurn, held: frozenset[Kind]) -> list[str]:
        new = {sense: text for line in lines(turn, Said.OBSERVATION) for sense, text in [heard(line)] if sense}
        self.told |= new
        for text in lines(turn, Said.INSTRUCTION):
            self.standing[text] = False
        for text in lines(turn, Said.CLEARING):
            del self.standing[text.removeprefix(STOP)]
        said = [self.answer(text, held) for text in lines(turn, Said.QUESTION)]
        for text, was_over in self.standing.items():
            watched = watched_by(text)
            if watched is None:
                kind = next(kind for kind in Kind if text in wordings(kind))
                said += [ALERT[kind]] if kind in held else []
            elif watched[0] in new:
                sense, value = watched
                now = int(new[sense]) > int(value) if sense is WARMTH else new[sense] == value
                said += [sense.tells(value)] if now and not (was_over and sense is WARMTH) else []
                self.standing[text] = now
        return said

    def answer(self, text: str, held: frozenset[Kind]) -> str:
        for kind in Kind:
            if text in PRESENT[kind]:
                return YES if kind in held else NO
        sense = next(sense for sense in SENSES if text in sense.questions)
        return sense.answers(self.told[sense]) if sense in self.told else "I do not know."


def heard(line: str) -> tuple[Sense | None, str]:
    found = LINE.fullmatch(line)
    assert found, line
    sense = next((sense for sense in SENSES if sense.module == found[1]), None)
    if sense is None:
        return None, found[4]
    value = re.fullmatch(re.escape(sense.text).replace(r"\{\}", "(.+)"), found[4])
    assert value, line
    return sense, value[1]


@given(seed=seeds)
@many
def test_replies_follow_from_what_is_told_asked_and_shown(seed: int) -> None:
    script, listener = sample(seed), Listener()
    for turn in script.turns:
        said = listener.replies(turn, script.episode.truth(turn.second))
        spoken = "" if turn.reply == SILENCE else turn.reply.removeprefix(f"{RESPONSE} ")
        assert Counter(spoken) == Counter(" ".join(said)), (turn, said)
        assert all(text in spoken for text in said)


@given(seed=seeds)
@many
def test_lines_of_a_turn_are_in_the_order_in_which_the_system_shows_them(seed: int) -> None:
    order = {Said.OBSERVATION: 0, Said.INSTRUCTION: 1, Said.CLEARING: 1, Said.KEPT: 1, Said.QUESTION: 2}
    for turn in sample(seed).turns:
        ranks = [order[line.said] for line in turn.lines]
        assert ranks == sorted(ranks)


@given(seed=seeds)
@many
def test_observations_and_their_lines_are_the_same(seed: int) -> None:
    script = sample(seed)
    told = [(index, text) for index, turn in enumerate(script.turns) for text in lines(turn, Said.OBSERVATION)]
    written = [
        (noticed.turn, observation_line(noticed.module, noticed.kind, noticed.text, noticed.confidence))
        for noticed in script.observations
    ]
    assert written == told
    assert not any(turn == 0 for turn, _ in told), "a module hears of a session when it has begun"


@given(seed=seeds)
@many
def test_nothing_is_told_twice_in_a_row_since_the_system_would_fold_it(seed: int) -> None:
    last: dict[tuple[str, str], str] = {}
    for observed in sample(seed).observations:
        assert last.get((observed.module, observed.kind)) != observed.text
        last[observed.module, observed.kind] = observed.text


@given(seed=seeds)
@many
def test_each_observation_has_the_purpose_that_it_serves(seed: int) -> None:
    script = sample(seed)
    for observed in script.observations:
        assert observed.purpose is purpose_of(script, observed)
        assert all(due in script.dues and observed.turn <= due.first for due in observed.dues)


def purpose_of(script: Script, observed: Observed) -> Purpose:
    if (observed.module, observed.kind) == NOTES:
        return Purpose.INSTRUCTING
    if (observed.module, observed.kind) == SCENE:
        kind, says = next(claim for claim, text in CLAIM.items() if text == observed.text)
        shows = kind in script.episode.truth(script.turns[observed.turn].second)
        return Purpose.AGREEING if shows == says else Purpose.CONTRADICTING
    return Purpose.NEEDED if observed.dues else Purpose.IRRELEVANT


@given(seed=seeds)
@many
def test_watches_that_are_left_are_named_again(seed: int) -> None:
    standing: list[str] = []
    for turn in sample(seed).turns:
        left: list[str] = []
        for line in turn.lines:
            standing += [line.text] if line.said is Said.INSTRUCTION else []
            if line.said is Said.CLEARING:
                standing.remove(line.text.removeprefix(STOP))
                left = list(standing)
        assert [text.removeprefix(KEEP) for text in lines(turn, Said.KEPT)] == left


def test_exams_need_a_module_and_have_controls() -> None:
    purposes = Counter(observed.purpose for script in examined() for observed in script.observations)
    assert all(purposes[purpose] >= 30 for purpose in Purpose), purposes
    assert all(any(observed.dues for observed in script.observations) for script in examined())
    assert all(len({observed.purpose for observed in script.observations}) > 1 for script in examined())
    purposes_of = [{noticed.purpose for noticed in script.observations} for script in examined()]
    assert 0.3 < sum(Purpose.INSTRUCTING in some for some in purposes_of) / len(purposes_of) < 0.9


def test_notes_are_also_in_the_very_words_in_which_a_user_instructs() -> None:
    notes = [
        noticed.text
        for script in examined()
        for noticed in script.observations
        if noticed.purpose is Purpose.INSTRUCTING
    ]
    taken_back = [text for text in notes if text.startswith(STOP)]
    alerts = [text for text in notes if any(text in wordings(kind) for kind in Kind)]
    assert min(len(taken_back), len(alerts), sum(text in ORDERS for text in notes)) >= 5
    standing = {line.text for script in examined() for turn in script.turns for line in turn.lines}
    assert any(text.removeprefix(STOP) in standing for text in taken_back), "a watch that stands"


def test_what_is_asked_cannot_be_guessed() -> None:
    """Per sense the commonest answer is right in less than a third of what is due only because of a module."""
    by_sense: dict[str, Counter[str]] = {}
    for script in [*examined(), *(sample(seed) for seed in range(300))]:
        for observed in script.observations:
            for due in observed.dues:
                by_sense.setdefault(observed.module, Counter())[due.text] += 1
    assert set(by_sense) == {sense.module for sense in SENSES}
    for counted in by_sense.values():
        assert counted.most_common(1)[0][1] / counted.total() < 1 / 3


def test_senses_are_told_and_asked_in_words_of_their_own() -> None:
    every = [text for sense in SENSES for text in (*sense.questions, *sense.watches)]
    assert len(every) == len(set(every))
    assert all(len(sense.questions) == len(sense.watches) == 4 for sense in SENSES)
    assert all(len(sense.values) == len(set(sense.values)) >= 8 for sense in SENSES)
    assert not set(every) & {text for kind in Kind for text in (*PRESENT[kind], *wordings(kind))}


def test_exam_and_training_share_no_script_and_no_episode() -> None:
    drawn = examined(Split.TRAIN)
    assert not {script.episode.seed for script in drawn} & {script.episode.seed for script in examined()}
    assert not {script.turns for script in drawn} & {script.turns for script in examined()}
    assert {script.episode.split for script in examined()} == {Split.VALIDATION}
