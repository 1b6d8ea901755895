"""Lessons with pictures: each answer is right for the pictures shown so far, by value. Needs the engine environment."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.lessons.pictures import LESSONS_IN_PICTURES, looking, reading
from vigil_recipe.render.clips import FRAMES, Clip, render_clip
from vigil_recipe.scenarios.questions import BACKWARD, NO, PRESENT, YES
from vigil_recipe.scenarios.translation import ASKS, READS, english_of, french_of
from vigil_recipe.text.dialogue import DESCRIBE, RESPONSE, SILENCE, describe
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind, Split, Stage

pytestmark = pytest.mark.engine
SEEDS = range(40)
TRUTH = [
    *[frozenset[Kind]()] * 6,
    *[frozenset({Kind.FIRE})] * 5,
    *[frozenset({Kind.FIRE, Kind.DOOR})] * 5,
    *[frozenset({Kind.OBJECT})] * 5,
    *[frozenset[Kind]()] * 6,
]


def lines_of(exchange: Exchange) -> list[str]:
    return exchange.user.split("<")[0].splitlines()


@pytest.fixture(scope="module")
def clip() -> Clip:
    return render_clip(3, Split.TRAIN, Stage.SIGN)


@pytest.mark.parametrize("name", LESSONS_IN_PICTURES)
def test_lessons_show_different_seconds_in_time_order_and_the_same_for_a_seed(name: str, clip: Clip) -> None:
    gaps = set()
    for seed in SEEDS:
        lesson = LESSONS_IN_PICTURES[name](np.random.default_rng(seed), clip, 12)
        assert lesson == LESSONS_IN_PICTURES[name](np.random.default_rng(seed), clip, 12)
        assert len(lesson.seconds) == len(lesson.exchanges) == 12
        assert list(lesson.seconds) == sorted(set(lesson.seconds))
        assert lesson.seconds[-1] < FRAMES
        gaps |= set(np.diff(lesson.seconds).tolist())
        assert all(exchange.said == exchange.reply for exchange in lesson.exchanges)
    assert {1, 5, 10} <= gaps, "any two seconds can stand side by side"


@pytest.mark.parametrize("name", LESSONS_IN_PICTURES)
def test_the_time_markers_are_as_far_apart_as_the_seconds_shown(name: str, clip: Clip) -> None:
    lesson = LESSONS_IN_PICTURES[name](np.random.default_rng(1), clip, 12)
    markers = [float(exchange.user.split("<")[1].split()[0]) for exchange in lesson.exchanges]
    assert np.diff(markers).tolist() == np.diff(lesson.seconds).tolist()


def test_a_sign_is_read_when_asked_and_translated_once() -> None:
    words = ["", "", *["EXIT"] * 5, "", *["FISH"] * 6, "", *["MILK"] * 4, ""]
    silent = 0
    for seed in SEEDS:
        made = reading(np.random.default_rng(seed), words, 12, 1)
        standing = any(line in ASKS for line in lines_of(made.exchanges[0]))
        last = ""
        for second, exchange in zip(made.seconds, made.exchanges, strict=True):
            word = words[second]
            due = [english_of(word)] if any(line in READS for line in lines_of(exchange)) else []
            due += [french_of(word)] if standing and word not in ("", last) else []
            assert exchange.reply == (f"{RESPONSE} {' '.join(due)}" if due else SILENCE)
            last, silent = word, silent + (not due)
    assert silent


def test_what_is_asked_about_now_and_before_is_answered_from_the_pictures_shown() -> None:
    answers = {YES: 0, NO: 0}
    unasked = 0
    for seed in SEEDS:
        seen: frozenset[Kind] = frozenset()
        made = looking(np.random.default_rng(seed), TRUTH, 12, 1)
        for second, exchange in zip(made.seconds, made.exchanges, strict=True):
            seen |= TRUTH[second]
            lines = lines_of(exchange)
            if not lines:
                assert exchange.reply == SILENCE
                unasked += 1
                continue
            (question,) = lines
            if question == DESCRIBE:
                assert exchange.reply == f"{RESPONSE} {describe(TRUTH[second])}"
                continue
            (now,) = [kind for kind in Kind if question in (*PRESENT[kind], *BACKWARD[kind])]
            holds = now in (TRUTH[second] if question in PRESENT[now] else seen)
            assert exchange.reply == f"{RESPONSE} {YES if holds else NO}"
            answers[YES if holds else NO] += 1
    assert 0.4 < answers[YES] / answers[NO] < 1.2, "half of the answers where anything holds, and in half nothing does"
    assert 0.1 < unasked / (12 * len(SEEDS)) < 0.2


def test_a_sign_cannot_be_read_from_a_clip_without_its_episode(clip: Clip) -> None:
    bare = Clip(clip.size, clip.images, clip.jpegs, clip.truth)
    with pytest.raises(ValueError, match="no episode"):
        LESSONS_IN_PICTURES["reading"](np.random.default_rng(0), bare, 12)
