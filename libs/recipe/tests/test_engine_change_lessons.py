"""Lessons about change: each answer is right for the pictures shown so far, by value. Needs the engine environment."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.lessons.changes import LESSONS_IN_CHANGES, awaiting, lasting, noticing, retelling
from vigil_recipe.lessons.pictures import Pictured
from vigil_recipe.lessons.words import LONGEST_S
from vigil_recipe.render.clips import FRAMES, Clip, render_clip
from vigil_recipe.scenarios import commentary
from vigil_recipe.scenarios.questions import COMING, ONCE
from vigil_recipe.scenarios.summary import MOST_SENTENCES, SUMMARISE, sentences, told_text
from vigil_recipe.scenarios.timing import HOW_LONG
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import RESPONSE, SILENCE
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind, Split

pytestmark = pytest.mark.engine
SEEDS = range(40)
NONE: frozenset[Kind] = frozenset()
FIRE, DOOR, OBJECT = frozenset({Kind.FIRE}), frozenset({Kind.DOOR}), frozenset({Kind.OBJECT})
TRUTH = [*[NONE] * 6, *[FIRE] * 5, *[FIRE | DOOR] * 5, *[OBJECT] * 5, *[NONE] * 6]
SENTENCE = re.compile(r"[^.]+\.")


def lines_of(exchange: Exchange) -> list[str]:
    return exchange.user.split("<")[0].splitlines()


def said_in(exchange: Exchange) -> list[str]:
    return [one.strip() for one in SENTENCE.findall(exchange.reply.removeprefix(RESPONSE))]


def changed(lesson: Pictured) -> list[set[tuple[Kind, bool]]]:
    """What each picture shows anew, told from the truth alone."""
    pairs = zip(lesson.seconds, lesson.seconds[1:], strict=False)
    return [set(), *({(kind, kind in TRUTH[now]) for kind in TRUTH[now] ^ TRUTH[then]} for then, now in pairs)]


@pytest.fixture(scope="module")
def clip() -> Clip:
    return render_clip(3, Split.TRAIN)


@pytest.mark.parametrize("name", LESSONS_IN_CHANGES)
def test_lessons_show_different_seconds_in_time_order_and_the_same_for_a_seed(name: str, clip: Clip) -> None:
    gaps = set()
    for seed in SEEDS:
        lesson = LESSONS_IN_CHANGES[name](np.random.default_rng(seed), clip, 12)
        assert lesson == LESSONS_IN_CHANGES[name](np.random.default_rng(seed), clip, 12)
        assert list(lesson.seconds) == sorted(set(lesson.seconds))
        assert lesson.seconds[-1] < FRAMES
        gaps |= set(np.diff(lesson.seconds).tolist())
        assert all(exchange.said == exchange.reply for exchange in lesson.exchanges)
        users = "".join(exchange.user for exchange in lesson.exchanges)
        assert users.count(prompt_format.image_block(1)) == len(lesson.seconds) * lesson.images
        markers = [float(one) for one in re.findall(r"<(\d+\.0) seconds>", users)]
        assert np.diff(markers).tolist() == np.diff(lesson.seconds).tolist()
    assert {1, 5, 10} <= gaps, "any two seconds can stand side by side"


def test_every_change_since_the_last_picture_is_told_and_nothing_else() -> None:
    told: set[str] = set()
    silent = 0
    for seed in SEEDS:
        made = noticing(np.random.default_rng(seed), TRUTH, 12, 1)
        assert lines_of(made.exchanges[0])[0] in commentary.ASKS
        for exchange, changes in zip(made.exchanges, changed(made), strict=True):
            assert (
                set(said_in(exchange)) == {commentary.CHANGE[change] for change in changes} or exchange.reply == SILENCE
            )
            assert bool(changes) == (exchange.reply != SILENCE)
            told.update(said_in(exchange) if changes else ())
            silent += not changes
    assert len(told) == 6
    assert silent


def test_what_is_awaited_is_told_once_and_what_is_not_is_not() -> None:
    asks = {f"{opening} {event}.": change for change, event in COMING.items() for opening in ONCE}
    told, unasked = 0, 0
    for seed in SEEDS:
        awaited: set[tuple[Kind, bool]] = set()
        made = awaiting(np.random.default_rng(seed), TRUTH, 12, 1)
        for exchange, changes in zip(made.exchanges, changed(made), strict=True):
            due = {commentary.CHANGE[change] for change in changes & awaited}
            assert (set(said_in(exchange)) if exchange.reply != SILENCE else set()) == due
            told, unasked = told + len(due), unasked + len(changes - awaited)
            awaited -= changes
            for line in lines_of(exchange):
                assert asks[line] not in awaited, "nothing is awaited twice at once"
                awaited.add(asks[line])
    assert told > 40
    assert unasked > 40


def test_how_long_is_asked_of_what_came_and_went_in_the_pictures_and_answered_from_their_times() -> None:
    answered, commented = 0, 0
    for seed in SEEDS:
        made = lasting(np.random.default_rng(seed), TRUTH, 12, 1)
        standing = lines_of(made.exchanges[0])[:1] and lines_of(made.exchanges[0])[0] in commentary.ASKS
        commented += bool(standing)
        began: dict[Kind, int] = {}
        ended: dict[Kind, int] = {}
        asked: set[tuple[Kind, int]] = set()
        for second, exchange, changes in zip(made.seconds, made.exchanges, changed(made), strict=True):
            for kind, started in changes:
                (began if started else ended)[kind] = second
            due = [commentary.CHANGE[kind, (kind, True) in changes] for kind in Kind if kind in dict(changes)]
            due = due if standing else []
            questions = [line for line in lines_of(exchange) if line not in commentary.ASKS]
            for question in questions:
                (kind,) = [kind for kind in Kind if question in HOW_LONG[kind]]
                assert began[kind] < ended[kind], "it was seen to begin, and is over"
                assert ended[kind] - began[kind] <= LONGEST_S
                due = [f"{ended[kind] - began[kind]} seconds.", *due]
                answered += 1
                assert (kind, began[kind]) not in asked, "an answer that was given is copied, not reckoned"
                asked.add((kind, began[kind]))
            assert (said_in(exchange) if exchange.reply != SILENCE else []) == due
    assert answered > 60
    assert 0 < commented < len(SEEDS) / 2


def test_every_few_pictures_are_retold_by_themselves() -> None:
    sizes = set()
    for seed in SEEDS:
        made = retelling(np.random.default_rng(seed), TRUTH, 20, 2)
        assert made.images == 1
        at = 0
        for exchange in made.exchanges:
            markers = [int(float(marker)) for marker in re.findall(r"<(\d+\.0) seconds>", exchange.user)]
            assert exchange.user == prompt_format.summary_text(SUMMARISE, [float(marker) for marker in markers])
            shown = made.seconds[at : at + len(markers)]
            told = sentences(markers, [TRUTH[second] for second in shown])
            assert len(told) <= MOST_SENTENCES
            assert exchange.reply == f"{RESPONSE} {told_text(told)}"
            at += len(markers)
            sizes.add(len(markers))
        assert at == len(made.seconds) == 20
    assert set(range(2, 11)) <= sizes, "the last few are those that are left"


def test_a_picture_with_too_much_to_tell_is_retold_with_fewer_beside_it() -> None:
    everything = frozenset(Kind)
    made = retelling(np.random.default_rng(2), [everything, NONE] * 10, 20, 1)
    assert made.seconds == tuple(range(20))
    assert max(len(said_in(exchange)) for exchange in made.exchanges) == MOST_SENTENCES


@pytest.mark.parametrize("name", LESSONS_IN_CHANGES)
def test_more_pictures_than_the_clip_has_are_refused(name: str, clip: Clip) -> None:
    with pytest.raises(ValueError, match=r"larger sample|high <= 0|low >= high"):
        LESSONS_IN_CHANGES[name](np.random.default_rng(0), clip, FRAMES + 1)
