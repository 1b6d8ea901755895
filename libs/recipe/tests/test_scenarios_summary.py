"""The summariser's tasks: texts tell what the frames show, mergers keep what was told."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.scenarios.summary import MERGE, NOTHING, sample_merge, sample_summary, sentences
from vigil_recipe.world import Kind, Span, Split, make_episode

FIRE, FALL, OBJECT, DOOR = Kind.FIRE, Kind.FALL, Kind.OBJECT, Kind.DOOR
NONE: frozenset[Kind] = frozenset()
seeds = st.integers(0, 100_000)


def test_sentences_by_value() -> None:
    truth = [frozenset({DOOR}), frozenset({DOOR, FIRE}), NONE, frozenset({FALL}), frozenset({OBJECT})]
    assert sentences([12, 24, 30, 41, 50], truth) == [
        "At 12 seconds the door was open.",
        "At 24 seconds a fire started.",
        "At 30 seconds the fire was out.",
        "At 30 seconds the door closed.",
        "At 41 seconds someone fell.",
        "At 50 seconds someone got up.",
        "At 50 seconds an object was left.",
    ]
    assert sentences([1, 2], [NONE, NONE]) == []


@given(seed=seeds, seconds=st.integers(1, 100))
@settings(max_examples=150, deadline=None)
def test_a_summary_tells_what_its_frames_show(seed: int, seconds: int) -> None:
    episode = make_episode(seed, Split.TRAIN, 100)
    task = sample_summary(np.random.default_rng(seed), episode, seconds)
    assert 1 <= len(task.seconds) == len(task.markers_s) <= 12
    assert list(task.seconds) == sorted(set(task.seconds))
    assert task.seconds[-1] - task.seconds[0] < seconds
    assert len({marker - second for marker, second in zip(task.markers_s, task.seconds, strict=True)}) == 1
    told = sentences([int(marker) for marker in task.markers_s], [episode.truth(second) for second in task.seconds])
    assert task.text == (" ".join(told) or NOTHING)
    assert len(told) <= 8


def test_a_still_chunk_has_nothing_to_tell() -> None:
    episode = make_episode(3, Split.TRAIN, 60, spans=())
    assert sample_summary(np.random.default_rng(1), episode, 60).text == "Nothing happened."


def test_a_condition_that_never_ends_is_told_once() -> None:
    episode = make_episode(3, Split.TRAIN, 60, spans=(Span(FIRE, 0, 60),))
    assert re.fullmatch(
        r"At \d+ seconds there was a fire\.", sample_summary(np.random.default_rng(1), episode, 60).text
    )


@pytest.mark.parametrize("seconds", [0, 61])
def test_chunks_that_do_not_fit_are_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match=rf"a chunk of {seconds} s does not fit an episode of 60 s"):
        sample_summary(np.random.default_rng(1), make_episode(1, Split.TRAIN, 60), seconds)


def told_in(text: str) -> list[str]:
    return re.findall(r"At \d+ seconds [^.]+\.", text)


@given(seed=seeds)
@settings(max_examples=200, deadline=None)
def test_a_merger_keeps_changes_in_order_and_drops_repeated_states(seed: int) -> None:
    task = sample_merge(np.random.default_rng(seed))
    opening, *parts = task.lines
    assert opening == MERGE
    assert 2 <= len(parts) <= 3
    told = [sentence for part in parts for sentence in told_in(part)]
    states = ("there was a fire.", "someone lay there.", "an object stood there.", "the door was open.")
    assert told_in(task.text) == [sentence for sentence in told if not sentence.endswith(states)]
    assert (task.text == NOTHING) == (not told_in(task.text))
    times = [int(time) for time in re.findall(r"\d+", task.text)]
    assert times == sorted(times)


def test_mergers_are_their_seed_and_cover_the_cases() -> None:
    tasks = [sample_merge(np.random.default_rng(seed)) for seed in range(100)]
    assert tasks == [sample_merge(np.random.default_rng(seed)) for seed in range(100)]
    assert any(NOTHING in task.lines and task.text != NOTHING for task in tasks)
    assert any("there was a fire" in " ".join(task.lines) for task in tasks)
