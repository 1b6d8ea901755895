"""The lesson about several watches: each reply is right for what is asked by then. Needs the engine environment."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.lessons.watches import LATEST, LESSONS_IN_WATCHES, MOST, minding
from vigil_recipe.render.clips import FRAMES, render_clip
from vigil_recipe.text.dialogue import ALERT, DESCRIBE, KEEP, RESPONSE, SILENCE, STOP, describe, wordings
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind, Split

pytestmark = pytest.mark.engine
SEEDS = range(60)
NONE: frozenset[Kind] = frozenset()
TRUTH = [*[NONE] * 6, *[frozenset({Kind.FIRE})] * 8, *[frozenset({Kind.FIRE, Kind.DOOR})] * 8, *[NONE] * 6]
TURNS = 20
KIND_OF = {text: kind for kind in Kind for text in wordings(kind)}


def lines_of(exchange: Exchange) -> list[str]:
    return exchange.user.split("<")[0].splitlines()


def test_each_reply_tells_what_holds_and_is_still_asked_for() -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        watched: dict[str, Kind] = {}
        made = minding(np.random.default_rng(seed), TRUTH, TURNS, 1)
        for second, exchange in zip(made.seconds, made.exchanges, strict=True):
            lines = lines_of(exchange)
            for line in lines:
                if line.startswith(STOP):
                    del watched[line.removeprefix(STOP)]  # its own words, while it stands
                    assert [KEEP + text for text in watched] == [line for line in lines if line.startswith(KEEP)]
                    seen["taken back while another stands"] += bool(watched)
                elif line != DESCRIBE and not line.startswith(KEEP):
                    assert KIND_OF[line] not in watched.values(), "nothing is watched twice at once"
                    watched[line] = KIND_OF[line]
            due = [describe(TRUTH[second])] if DESCRIBE in lines_of(exchange) else []
            due += [ALERT[kind] for kind in Kind if kind in TRUTH[second] and kind in watched.values()]
            assert exchange.reply == (f"{RESPONSE} {' '.join(due)}" if due else SILENCE)
            seen[f"{len(watched)} watched"] += 1
            seen["held and not asked for"] += bool(TRUTH[second] - set(watched.values()))
            seen["told"] += bool(due)
    assert all(seen[f"{count} watched"] > 20 for count in range(MOST + 1))
    assert not seen[f"{MOST + 1} watched"]
    assert min(seen["taken back while another stands"], seen["held and not asked for"], seen["told"]) > 40


def test_some_histories_are_silent_about_the_first_pictures_of_what_holds_and_then_tell_it() -> None:
    made_good = slips = right = 0
    for seed in SEEDS:
        made = minding(np.random.default_rng(seed), TRUTH, TURNS, 1)
        silent = 0
        for exchange in made.exchanges:
            if exchange.said == exchange.reply:
                made_good += 0 < silent < LATEST and exchange.reply != SILENCE
                right += 1
            slips += exchange.said != exchange.reply
            silent = silent + 1 if exchange.said == SILENCE != exchange.reply else 0
            assert exchange.said == exchange.reply or DESCRIBE not in exchange.user, "a question is answered rightly"
    assert made_good > 10
    assert slips > 40
    assert right > 5 * slips


def test_half_of_the_lessons_show_every_second_of_a_stretch() -> None:
    steps = [set(np.diff(minding(np.random.default_rng(seed), TRUTH, TURNS, 1).seconds)) for seed in SEEDS]
    assert len(SEEDS) * 0.3 < sum(step == {1} for step in steps) < len(SEEDS) * 0.7


def test_a_seed_gives_the_same_lesson_on_a_clip_with_its_pictures_in_order() -> None:
    clip = render_clip(3, Split.TRAIN)
    for name, lesson in LESSONS_IN_WATCHES.items():
        made = lesson(np.random.default_rng(5), clip, 12)
        assert made == lesson(np.random.default_rng(5), clip, 12), name
        assert list(made.seconds) == sorted(set(made.seconds))
        markers = [float(one) for one in re.findall(r"<(\d+\.0) seconds>", "".join(e.user for e in made.exchanges))]
        assert np.diff(markers).tolist() == np.diff(made.seconds).tolist()


def test_more_turns_than_the_clip_has_seconds_are_refused() -> None:
    with pytest.raises(ValueError, match="21 turns do not fit 20 seconds"):
        minding(np.random.default_rng(0), [NONE] * 20, 21, 1)
    assert minding(np.random.default_rng(0), [NONE] * FRAMES, FRAMES, 1).seconds == tuple(range(FRAMES))
