"""Alerting: the sentence of a watched condition in every second in which it holds, and silence otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.script import Said, Scenario, Script
from vigil_recipe.scenarios.script_builder import ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import ALERT, DESCRIBE, KEEP, NOTHING, SEEN, STOP, describe, wordings
from vigil_recipe.world import Kind

NOTHING_ASKED = 0.06


def compose(rng: np.random.Generator, window: Window) -> Script:
    """One or two kinds watched, from the start or later, some cleared, some asked again, at times a description."""
    builder = ScriptBuilder(window)
    if rng.random() >= NOTHING_ASKED:
        for kind in _kinds(rng, window):
            _watch(rng, builder, kind)
    builder.name_again()
    if rng.random() < 0.25:
        add_description(builder, int(rng.integers(window.turns)))
    return builder.script(Scenario.ALERTING)


def add_alert(
    rng: np.random.Generator, builder: ScriptBuilder, kind: Kind, *, given: int, cleared: int | None = None
) -> None:
    """An instruction to watch ``kind``, what is due under it, and its clearing."""
    text = choose(rng, wordings(kind))
    builder.line(given, Said.INSTRUCTION, text)
    end = builder.window.turns if cleared is None else cleared
    if cleared is not None:
        builder.clear(cleared, text)
    for first, until in builder.window.runs(kind):
        if max(first, given) < min(until, end):
            order = list(Kind).index(kind)
            builder.hold(max(first, given), min(until, end), ALERT[kind], asked=given, order=order)


def add_description(builder: ScriptBuilder, turn: int) -> None:
    """The describing question and its answer."""
    builder.ask(turn, DESCRIBE, describe(builder.window.truth(turn)))


def occurring(window: Window) -> tuple[Kind, ...]:
    """The kinds that the window shows."""
    shown = window.seen(window.turns - 1)
    return tuple(kind for kind in Kind if kind in shown)


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield from (DESCRIBE, NOTHING)
    for kind in Kind:
        yield ALERT[kind]
        yield from (f"I see {SEEN[kind]}.", f"I see {SEEN[kind]}, {SEEN[kind]} and {SEEN[kind]}.")
        for text in wordings(kind):
            yield from (text, STOP + text, KEEP + text)


def _kinds(rng: np.random.Generator, window: Window) -> list[Kind]:
    likely = occurring(window)
    first = choose(rng, likely if likely and rng.random() < 0.6 else tuple(Kind))
    others = [kind for kind in Kind if kind is not first]
    return [first, choose(rng, others)] if rng.random() < 0.5 else [first]


def _watch(rng: np.random.Generator, builder: ScriptBuilder, kind: Kind) -> None:
    turns = builder.window.turns
    given = 0 if rng.random() < 0.75 else int(rng.integers(turns))
    if rng.random() >= 0.35 or given + 1 >= turns:
        add_alert(rng, builder, kind, given=given)
        return
    cleared = int(rng.integers(given + 1, turns))
    add_alert(rng, builder, kind, given=given, cleared=cleared)
    if rng.random() < 0.4 and cleared + 1 < turns:
        add_alert(rng, builder, kind, given=int(rng.integers(cleared + 1, turns)))
