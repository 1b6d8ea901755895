"""Interactions: replies by value, instructions given and cleared, planted mistakes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.text.dialogue import (
    ALERT,
    DESCRIBE,
    KEEP,
    RESPONSE,
    SILENCE,
    STOP,
    Mode,
    describe,
    reply_to,
    sample_turns,
    wordings,
)
from vigil_recipe.world import Kind

FIRE, FALL, OBJECT, DOOR = Kind.FIRE, Kind.FALL, Kind.OBJECT, Kind.DOOR
NONE: frozenset[Kind] = frozenset()
truths = st.lists(st.frozensets(st.sampled_from(list(Kind))), min_size=12, max_size=100)


@pytest.mark.parametrize(
    ("truth", "asked", "query", "reply"),
    [
        (NONE, {FIRE}, False, "</silence>"),
        ({FIRE}, NONE, False, "</silence>"),
        ({DOOR}, {FIRE}, False, "</silence>"),
        ({FIRE}, {FIRE}, False, "</response> A fire has started."),
        ({DOOR, FIRE, FALL}, {DOOR, FIRE}, False, "</response> A fire has started. The door is open."),
        (NONE, NONE, True, "</response> I see nothing unusual."),
        ({OBJECT}, NONE, True, "</response> I see an unattended object."),
        ({FIRE}, {FIRE}, True, "</response> I see a fire. A fire has started."),
    ],
)
def test_replies(truth: frozenset[Kind], asked: frozenset[Kind], query: bool, reply: str) -> None:
    assert reply_to(frozenset(truth), frozenset(asked), query=query) == reply


def test_descriptions_list_in_fixed_order() -> None:
    assert describe(frozenset({DOOR, FIRE})) == "I see a fire and an open door."
    assert describe(frozenset(Kind)) == "I see a fire, a fallen person, an unattended object and an open door."


def test_no_wording_asks_for_two_kinds() -> None:
    every = [text for kind in Kind for text in wordings(kind)]
    assert len(every) == len(set(every))
    assert "Alert me when a fire starts." in wordings(FIRE)


def kind_of(text: str) -> Kind:
    return next(kind for kind in Kind if text in wordings(kind))


@given(seed=st.integers(0, 2**31), truth=truths)
@settings(max_examples=200, deadline=None)
def test_every_reply_follows_from_the_lines_and_the_truth(seed: int, truth: list[frozenset[Kind]]) -> None:
    asked: list[str] = []
    for turn in sample_turns(np.random.default_rng(seed), truth, 12, Mode.WATCH):
        for line in turn.lines:
            if line.startswith(STOP):
                asked.remove(line.removeprefix(STOP))
            elif line != DESCRIBE and not line.startswith(KEEP):
                asked.append(line)
        stops = any(line.startswith(STOP) for line in turn.lines)
        kept = [line.removeprefix(KEEP) for line in turn.lines if line.startswith(KEEP)]
        assert kept == (asked if stops else []), "what is left is named after what is taken back"
        kinds = frozenset(kind_of(text) for text in asked)
        assert turn.reply == reply_to(truth[turn.clip_turn], kinds, query=DESCRIBE in turn.lines)


@given(seed=st.integers(0, 2**31), truth=truths)
@settings(max_examples=100, deadline=None)
def test_markers_run_with_the_shown_turns(seed: int, truth: list[frozenset[Kind]]) -> None:
    turns = sample_turns(np.random.default_rng(seed), truth, 10, Mode.IDLE)
    shown = [turn.clip_turn for turn in turns]
    markers = [turn.marker_s for turn in turns]
    pairs = zip(pairwise(shown), pairwise(markers), strict=True)
    steps = {(later - sooner) / (b - a) for (a, b), (sooner, later) in pairs}
    assert len(turns) == 10
    assert shown == sorted(set(shown))
    assert len(steps) == 1
    assert 0 <= markers[0] <= 200


def test_dense_asks_every_turn_and_idle_never() -> None:
    truth = [frozenset({FIRE})] * 30
    dense = sample_turns(np.random.default_rng(1), truth, 20, Mode.DENSE)
    idle = [sample_turns(np.random.default_rng(seed), [NONE] * 30, 20, Mode.IDLE) for seed in range(20)]
    assert all(turn.lines == (DESCRIBE,) and turn.reply == f"{RESPONSE} I see a fire." for turn in dense)
    assert all(turn.reply == SILENCE for turns in idle for turn in turns if not turn.lines)


def test_planted_mistakes_are_wrong_and_a_minority() -> None:
    truth = [frozenset({FIRE} if second % 9 < 4 else NONE) for second in range(100)]
    turns = [t for seed in range(60) for t in sample_turns(np.random.default_rng(seed), truth, 48, Mode.WATCH)]
    planted = [turn for turn in turns if turn.said != turn.reply]
    assert 0.1 < len(planted) / len(turns) < 0.3
    assert all((turn.said == SILENCE) != (turn.reply == SILENCE) for turn in planted)
    assert {turn.said for turn in planted} - {SILENCE} <= {f"{RESPONSE} {text}" for text in ALERT.values()}


def test_a_window_longer_than_the_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="12 turns does not fit a clip of 5"):
        sample_turns(np.random.default_rng(1), [NONE] * 5, 12, Mode.WATCH)
