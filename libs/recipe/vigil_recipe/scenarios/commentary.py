"""Commentary: one short sentence in the turn of each change, silence otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.script import Scenario, Script
from vigil_recipe.scenarios.script_builder import Rank, ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import STOP
from vigil_recipe.world import Kind

ASKS = ("Tell me what happens.", "Comment on what happens.", "Describe each change.", "Keep me posted on what happens.")
CHANGE: dict[tuple[Kind, bool], str] = {
    (Kind.FIRE, True): "A fire starts.",
    (Kind.FIRE, False): "The fire is out.",
    (Kind.FALL, True): "Someone falls.",
    (Kind.FALL, False): "Someone gets up.",
    (Kind.OBJECT, True): "An object is left.",
    (Kind.OBJECT, False): "The object is taken.",
    (Kind.DOOR, True): "The door opens.",
    (Kind.DOOR, False): "The door closes.",
}


def compose(rng: np.random.Generator, window: Window) -> Script:
    """Commentary from the start or from later on, in some scripts until it is cleared.

    A change in the very turn of the request is not commented; one in the turn of the clearing neither.
    """
    builder = ScriptBuilder(window)
    text = choose(rng, ASKS)
    given, cleared = builder.stand(rng, text, at_once=0.8)
    for change in window.changes():
        if given < change.turn < cleared:
            order = list(Kind).index(change.kind)
            builder.say(change.turn, CHANGE[change.kind, change.started], asked=given, rank=Rank.EVENT, order=order)
    return builder.script(Scenario.COMMENTARY)


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield from CHANGE.values()
    for text in ASKS:
        yield from (text, STOP + text)
