"""Sense of time: speaking at an interval, speaking after a delay, and telling how long something lasted.

One turn is one second, so n seconds after a turn is n turns later. All numbers are digits, as in the time markers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.script import Said, Scenario, Script
from vigil_recipe.scenarios.script_builder import Rank, ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import STOP
from vigil_recipe.world import Kind

NOW = "Now."
INTERVALS_S = range(3, 9)
DELAYS_S = range(5, 21)
LASTED_S = range(2, 13)
EVERY = (
    "Say now every {n} seconds.",
    "Every {n} seconds, say now.",
    "Say now each {n} seconds.",
    "Call now every {n} seconds.",
)
AFTER = (
    "Tell me after {n} seconds.",
    "Tell me when {n} seconds have passed.",
    "Set a timer for {n} seconds.",
    "Tell me in {n} seconds.",
)
HOW_LONG: dict[Kind, tuple[str, ...]] = {
    Kind.FIRE: (
        "How long did the fire last?",
        "How long did it burn?",
        "For how long was there a fire?",
        "How many seconds did the fire last?",
    ),
    Kind.FALL: (
        "How long was the person on the floor?",
        "How long did the person lie there?",
        "For how long did someone lie there?",
        "How many seconds was someone on the floor?",
    ),
    Kind.OBJECT: (
        "How long was the object there?",
        "How long did the object stand there?",
        "For how long was the object left?",
        "How many seconds was the object there?",
    ),
    Kind.DOOR: (
        "How long was the door open?",
        "How long did the door stand open?",
        "For how long was the door open?",
        "How many seconds was the door open?",
    ),
}


def compose(rng: np.random.Generator, window: Window) -> Script:
    """An interval, a delay, a duration: each in about half of the scripts, one of the first two at least."""
    builder = ScriptBuilder(window)
    which = int(rng.integers(3))
    if which != 1:
        _add_interval(rng, builder)
    if which != 0:
        _add_delay(rng, builder)
    if rng.random() < 0.6:
        _add_duration(rng, builder)
    return builder.script(Scenario.TIMING)


def passed(seconds: int) -> str:
    """What is said when a delay is over."""
    return f"{seconds} seconds have passed."


def lasted(seconds: int) -> str:
    """The answer to how long something lasted."""
    return f"{seconds} seconds."


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield NOW
    for seconds in INTERVALS_S:
        for text in EVERY:
            yield from (text.format(n=seconds), STOP + text.format(n=seconds))
    for seconds in DELAYS_S:
        yield passed(seconds)
        yield from (text.format(n=seconds) for text in AFTER)
    yield from (lasted(seconds) for seconds in LASTED_S)
    for kind in Kind:
        yield from HOW_LONG[kind]


def _add_interval(rng: np.random.Generator, builder: ScriptBuilder) -> None:
    """An interval from early on, in some scripts cleared, and then at times another one."""
    turns = builder.window.turns
    given = 0 if rng.random() < 0.5 else int(rng.integers(turns // 2))
    cleared = int(rng.integers(given + 1, turns)) if rng.random() < 0.4 else turns
    _say_now(rng, builder, given, cleared)
    if cleared + 1 < turns and rng.random() < 0.4:
        _say_now(rng, builder, int(rng.integers(cleared + 1, turns)), turns)


def _say_now(rng: np.random.Generator, builder: ScriptBuilder, given: int, cleared: int) -> None:
    every = int(rng.integers(INTERVALS_S.start, INTERVALS_S.stop))
    text = choose(rng, EVERY).format(n=every)
    builder.line(given, Said.INSTRUCTION, text)
    for turn in range(given + every, cleared, every):
        builder.say(turn, NOW, asked=given, rank=Rank.EVENT, order=1, end=min(turn + 2, cleared))
    if cleared < builder.window.turns:
        builder.clear(cleared, text)


def _add_delay(rng: np.random.Generator, builder: ScriptBuilder) -> None:
    """A delay that ends within the window."""
    turns = builder.window.turns
    longest = min(DELAYS_S.stop - 1, turns - 1)
    delay = int(rng.integers(DELAYS_S.start, longest + 1))
    given = int(rng.integers(turns - delay))
    builder.line(given, Said.QUESTION, choose(rng, AFTER).format(n=delay))
    builder.say(given + delay, passed(delay), asked=given, rank=Rank.EVENT)


def _add_duration(rng: np.random.Generator, builder: ScriptBuilder) -> None:
    """How long the last occurrence of a condition took, if one began and ended in view and took 2 to 12 s."""
    turns = builder.window.turns
    ended = [
        (kind, first, end, following)
        for kind in Kind
        for (first, end), following in _with_next(builder.window.runs(kind), turns)
        if first > 0 and end < following and end - first in LASTED_S
    ]
    if ended:
        kind, first, end, following = choose(rng, ended)
        builder.ask(int(rng.integers(end, following)), choose(rng, HOW_LONG[kind]), lasted(end - first))


def _with_next(spans: tuple[tuple[int, int], ...], turns: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Each run and the turn in which the next one begins, or the window's end."""
    for index, span in enumerate(spans):
        yield span, spans[index + 1][0] if index + 1 < len(spans) else turns
