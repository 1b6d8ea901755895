"""Counting: the next number at each event, silence between, the last number when asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.script import Said, Scenario, Script
from vigil_recipe.scenarios.script_builder import Rank, ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import STOP
from vigil_recipe.world import Kind

MOST = 9
DOORS = (
    "Count every time the door opens.",
    "Count how often the door opens.",
    "Count each opening of the door.",
    "Count the times that the door opens.",
)
PASSERS: dict[str, tuple[str, ...]] = {
    "people": (
        "Count the people who pass.",
        "Count everyone who walks past.",
        "Count the people who cross.",
        "Count each person who passes.",
    ),
    "cars": (
        "Count the cars that pass.",
        "Count every car that drives past.",
        "Count the cars that cross.",
        "Count each car that passes.",
    ),
}
HOW_MANY = ("How many so far?", "How many were there?", "What is the count?", "How many is it now?")


def compose(rng: np.random.Generator, window: Window) -> Script:
    """One count of passers, where the episode has them, or of openings of the door; never beyond 9.

    Events after the turn of the request count. It and the questions fall in turns without an event.
    """
    builder = ScriptBuilder(window)
    text, events = _subject(rng, window)
    quiet = [turn for turn in range(window.turns) if turn not in events]
    given = quiet[0] if rng.random() < 0.75 else choose(rng, quiet[: max(1, len(quiet) * 2 // 3)])
    end = _end(rng, window, given, events)
    builder.line(given, Said.INSTRUCTION, text)
    counted = [turn for turn in events if given < turn < end]
    for number, turn in enumerate(counted, start=1):
        later = [*counted[number:], end]
        builder.say(turn, f"{number}.", asked=given, rank=Rank.EVENT, end=min(turn + 3, later[0]))
    possible = [turn for turn in quiet if given < turn < end]
    for turn in rng.permutation(possible)[: int(rng.integers(0, 3))]:
        builder.ask(int(turn), choose(rng, HOW_MANY), f"{sum(event < turn for event in counted)}.")
    if end < window.turns:
        builder.clear(end, text)
    return builder.script(Scenario.COUNTING)


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield from (f"{number}." for number in range(MOST + 1))
    yield from HOW_MANY
    for text in (*DOORS, *PASSERS["people"], *PASSERS["cars"]):
        yield from (text, STOP + text)


def _subject(rng: np.random.Generator, window: Window) -> tuple[str, list[int]]:
    """What is counted and in which turns it happens."""
    passers = window.episode.passers
    if passers and rng.random() < 0.8:
        return choose(rng, PASSERS[passers]), list(window.crossings())
    openings = [change.turn for change in window.changes() if change.kind is Kind.DOOR and change.started]
    return choose(rng, DOORS), openings


def _end(rng: np.random.Generator, window: Window, given: int, events: list[int]) -> int:
    """The turn of the clearing: before a tenth event, in some scripts at random, else after the last turn."""
    beyond = [turn for turn in events if turn > given][MOST:]
    latest = beyond[0] - 1 if beyond else window.turns
    if rng.random() < 0.2 and given + 2 < latest:
        return int(rng.integers(given + 1, latest))
    return latest
