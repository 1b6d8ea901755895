"""Lessons with pictures about what changes between them: to notice it, to wait for it, to time it, to retell it.

As in ``lessons.pictures``, the pictures come from all over a clip, so nearly each shows something else than the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from vigil_recipe.lessons.pictures import Pictured, drawn, pictured
from vigil_recipe.lessons.words import ASKED_SHARE, LONGEST_S, first_second
from vigil_recipe.render.clips import Clip
from vigil_recipe.scenarios.commentary import ASKS, CHANGE
from vigil_recipe.scenarios.questions import COMING, ONCE
from vigil_recipe.scenarios.script_builder import choose
from vigil_recipe.scenarios.summary import MOST_SENTENCES, SUMMARISE, sentences, told_text
from vigil_recipe.scenarios.timing import HOW_LONG, lasted
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import RESPONSE
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind

Truth = Sequence[frozenset[Kind]]
Said = tuple[list[str], list[str]]  # what is asked and what is answered
ASKING_SHARE = 0.4
COMMENTED_SHARE = 0.3
CLOSE_SHARE = 0.4  # of the lessons in durations: every second of a stretch, as a camera shows it
RETOLD = range(2, 11)  # pictures at once


def noticing(rng: np.random.Generator, truth: Truth, turns: int, images: int) -> Pictured:
    """A standing request for commentary, and with every picture what has changed since the one before.

    Raises ValueError when there are not as many seconds of ``truth`` as ``turns``.
    """
    seconds = drawn(rng, turns, np.ones(len(truth)))
    said: list[Said] = [([], [CHANGE[change] for change in changes]) for changes in _changes(seconds, truth)]
    said[0][0].append(choose(rng, ASKS))
    return pictured(rng, seconds, said, images)


def awaiting(rng: np.random.Generator, truth: Truth, turns: int, images: int) -> Pictured:
    """Several requests at a time to be told of a change once. Only the changes that were asked for are told.

    Raises ValueError when there are not as many seconds of ``truth`` as ``turns``.
    """
    seconds = drawn(rng, turns, np.ones(len(truth)))
    awaited: set[tuple[Kind, bool]] = set()
    said: list[Said] = []
    for changes in _changes(seconds, truth):
        told = [CHANGE[change] for change in changes if change in awaited]
        awaited.difference_update(changes)
        lines = []
        if rng.random() < ASKING_SHARE:
            event = choose(rng, [coming for coming in COMING if coming not in awaited] or list(COMING))
            lines = [f"{choose(rng, ONCE)} {COMING[event]}."]
            awaited.add(event)
        said.append((lines, told))
    return pictured(rng, seconds, said, images)


def lasting(rng: np.random.Generator, truth: Truth, turns: int, images: int) -> Pictured:
    """Where something has come and gone within the pictures, how long it lasted; under commentary in some lessons.

    Each duration is asked for once. A model would copy an answer that it has given already, not compute it.
    Raises ValueError when there are not as many seconds of ``truth`` as ``turns``.
    """
    close = rng.random() < CLOSE_SHARE
    start = int(rng.integers(len(truth) - turns + 1))
    seconds = tuple(range(start, start + turns)) if close else drawn(rng, turns, np.ones(len(truth)))
    commented = rng.random() < COMMENTED_SHARE
    began: dict[Kind, int] = {}
    took: dict[Kind, int] = {}
    said: list[Said] = []
    for second, changes in zip(seconds, _changes(seconds, truth), strict=True):
        for kind, started in changes:
            if started:
                began[kind] = second
                took.pop(kind, None)
            elif kind in began:
                took[kind] = second - began.pop(kind)
        lines = [choose(rng, ASKS)] if commented and not said else []
        answers = []
        over = [kind for kind in took if took[kind] <= LONGEST_S]
        if over and rng.random() < ASKED_SHARE:
            kind = choose(rng, over)
            lines.append(choose(rng, HOW_LONG[kind]))
            answers.append(lasted(took.pop(kind)))
        said.append((lines, [*answers, *(CHANGE[change] for change in changes if commented)]))
    return pictured(rng, seconds, said, images)


def retelling(rng: np.random.Generator, truth: Truth, turns: int, images: int) -> Pictured:
    """A summary of every few pictures; ``images`` does not matter, a key frame is one picture.

    Raises ValueError when there are not as many seconds of ``truth`` as ``turns``.
    """
    seconds = drawn(rng, turns, np.ones(len(truth)))
    offset_s = first_second(rng) - seconds[0]
    shown: list[int] = []
    exchanges: list[Exchange] = []
    most = int(rng.integers(RETOLD.start + 1, RETOLD.stop))
    while seconds:
        some = seconds[: int(rng.integers(RETOLD.start, most + 1))]
        while len(told := _told(some, truth, offset_s)) > MOST_SENTENCES:
            some = some[:-1]
        reply = f"{RESPONSE} {told_text(told)}"
        asked = prompt_format.summary_text(SUMMARISE, [float(offset_s + second) for second in some])
        exchanges.append(Exchange(asked, reply, reply))
        shown += some
        seconds = seconds[len(some) :]
    return Pictured(tuple(shown), tuple(exchanges), 1)


def _told(seconds: Sequence[int], truth: Truth, offset_s: int) -> list[str]:
    return sentences([offset_s + second for second in seconds], [truth[second] for second in seconds])


def _changes(seconds: Sequence[int], truth: Truth) -> list[list[tuple[Kind, bool]]]:
    """At each of ``seconds`` what has changed since the one before, by kind; at the first nothing has."""
    found: list[list[tuple[Kind, bool]]] = [[]]
    for earlier, second in pairwise(seconds):
        now = truth[second]
        found.append([(kind, kind in now) for kind in Kind if kind in now ^ truth[earlier]])
    return found


LESSONS_IN_CHANGES: dict[str, Callable[[np.random.Generator, Clip, int], Pictured]] = {
    "noticing": lambda rng, clip, turns: noticing(rng, clip.truth, turns, clip.images),
    "awaiting": lambda rng, clip, turns: awaiting(rng, clip.truth, turns, clip.images),
    "lasting": lambda rng, clip, turns: lasting(rng, clip.truth, turns, clip.images),
    "retelling": lambda rng, clip, turns: retelling(rng, clip.truth, turns, clip.images),
}
