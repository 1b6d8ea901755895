"""Lessons in words alone: what is asked can be answered from what was said, by value. Needs the engine environment."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.lessons.words import (
    LESSONS_IN_WORDS,
    LONGEST_S,
    NOTES,
    REPEAT,
    SINCE,
    START,
    echo,
    recall,
    remembering,
    since,
    spans,
    vocabulary,
)
from vigil_recipe.scenarios.chat import UNKNOWN
from vigil_recipe.scenarios.commentary import CHANGE
from vigil_recipe.scenarios.memory import OPENING, TOPICS
from vigil_recipe.scenarios.timing import HOW_LONG
from vigil_recipe.text.dialogue import DELEGATION, RESPONSE, SILENCE
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind

pytestmark = pytest.mark.engine
MARKER = re.compile(r"<(\d+)\.0 seconds>\n$")
SEEDS = range(40)


def lines_of(exchange: Exchange) -> list[str]:
    return MARKER.sub("", exchange.user).splitlines()


def second_of(exchange: Exchange) -> int:
    found = MARKER.search(exchange.user)
    assert found
    return int(found[1])


@pytest.mark.parametrize("name", LESSONS_IN_WORDS)
def test_lessons_are_of_the_length_asked_for_in_time_order_and_the_same_for_a_seed(name: str) -> None:
    for seed in SEEDS:
        lesson = LESSONS_IN_WORDS[name](np.random.default_rng(seed), 9)
        assert lesson == LESSONS_IN_WORDS[name](np.random.default_rng(seed), 9)
        seconds = [second_of(exchange) for exchange in lesson]
        assert len(seconds) == 9
        assert seconds == sorted(set(seconds))
        assert all(exchange.said == exchange.reply for exchange in lesson)


@pytest.mark.parametrize("name", ["since", "spans"])
def test_half_of_the_lessons_about_time_are_of_a_sessions_first_minute(name: str) -> None:
    first = [second_of(LESSONS_IN_WORDS[name](np.random.default_rng(seed), 4)[0]) for seed in range(200)]
    assert 0.4 < sum(second < 60 for second in first) / len(first) < 0.7
    assert max(first) > 400


def test_an_echo_says_or_delegates_what_was_said() -> None:
    said, delegated = 0, 0
    for seed in SEEDS:
        for exchange in echo(np.random.default_rng(seed), 6):
            (line,) = lines_of(exchange)
            if line.startswith(REPEAT):
                assert exchange.reply == f"{RESPONSE}{line.removeprefix(REPEAT)}"
                said += 1
            else:
                assert exchange.reply.endswith(f"{DELEGATION} {line}")
                delegated += 1
    assert said > delegated > 0


def test_what_is_recalled_stands_in_the_last_notes() -> None:
    changes = 0
    for seed in SEEDS:
        notes = ""
        for number, exchange in enumerate(recall(np.random.default_rng(seed), 12)):
            lines = lines_of(exchange)
            if lines[0].startswith(NOTES):
                notes = lines.pop(0)
                changes += number > 0
            key, answer = lines[0].removesuffix("?").lower(), exchange.reply.removeprefix(f"{RESPONSE} ")
            assert f" {key} {answer.lower()}" in notes
    assert changes


def test_since_tells_the_time_markers_apart() -> None:
    longest = quiet = asked = 0
    for seed in SEEDS:
        started = 0
        for exchange in since(np.random.default_rng(seed), 30):
            line = next(iter(lines_of(exchange)), "")
            if line == START:
                started = second_of(exchange)
                assert exchange.reply == SILENCE
            elif not line:
                assert exchange.reply == SILENCE
                quiet += 1
            else:
                asked += 1
                assert line == SINCE
                passed = second_of(exchange) - started
                assert exchange.reply == f"{RESPONSE} {passed} seconds."
                longest = max(longest, passed)
    assert 10 <= longest <= LONGEST_S + 4
    assert asked > quiet > 0


def test_how_long_something_lasted_is_from_when_it_began_to_when_it_ended() -> None:
    events = {text: change for change, text in CHANGE.items()}
    lengths: list[int] = []
    over = 0
    for seed in SEEDS:
        began: dict[Kind, int] = {}
        ended: dict[Kind, int] = {}
        asked: set[tuple[Kind, int]] = set()
        for exchange in spans(np.random.default_rng(seed), 24):
            line = next(iter(lines_of(exchange)), "")
            if not line:
                assert exchange.reply == SILENCE
            elif line in events:
                kind, started = events[line]
                assert started == (kind not in began or ended.get(kind, -1) >= began[kind]), "no beginning twice"
                (began if started else ended)[kind] = second_of(exchange)
                assert exchange.reply == SILENCE
                over += not started
            else:
                (kind,) = [kind for kind in Kind if line in HOW_LONG[kind]]
                assert began[kind] < ended[kind], "it is over"
                assert (kind, began[kind]) not in asked, "an answer that was given is copied, not reckoned"
                asked.add((kind, began[kind]))
                lengths.append(ended[kind] - began[kind])
                assert exchange.reply == f"{RESPONSE} {lengths[-1]} seconds."
    assert set(range(1, 12)) <= set(lengths)
    assert max(lengths) <= LONGEST_S
    assert len(lengths) > over * 0.6, "most of what is over is asked for"


def test_what_is_remembered_stands_in_the_memory() -> None:
    unknown = 0
    for seed in SEEDS:
        memory = ""
        for number, exchange in enumerate(remembering(np.random.default_rng(seed), 12)):
            lines = lines_of(exchange)
            memory = lines.pop(0) if number == 0 else memory
            (question,) = lines
            answer = exchange.reply.removeprefix(f"{RESPONSE} ")
            topic = next(topic for topic in TOPICS.values() if question in topic.questions)
            assert memory.startswith(OPENING)
            assert answer == UNKNOWN or answer.removesuffix(".").lower() in memory.lower(), topic
            unknown += answer == UNKNOWN
    assert 0 < unknown < 0.15 * 12 * len(SEEDS)


def test_the_vocabulary_is_that_of_the_scenarios() -> None:
    words = vocabulary()
    assert len(words) == len(set(words)) > 300
    assert {"kettle", "mira", "sortie", "seconds", "door"} <= set(words)
