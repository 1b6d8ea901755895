"""Time-aligned questions: about what was seen before, what is seen now, and what is still to come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vigil_recipe.scenarios.commentary import CHANGE
from vigil_recipe.scenarios.script import Said, Scenario, Script
from vigil_recipe.scenarios.script_builder import Rank, ScriptBuilder, choose
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import DESCRIBE, describe
from vigil_recipe.world import Kind

YES, NO = "Yes.", "No."
PRESENT: dict[Kind, tuple[str, ...]] = {
    Kind.FIRE: ("Is there a fire?", "Is there a fire now?", "Is something burning?", "Do you see flames?"),
    Kind.FALL: (
        "Is someone on the floor?",
        "Is anyone on the floor now?",
        "Is a person lying there?",
        "Does somebody lie on the floor?",
    ),
    Kind.OBJECT: (
        "Is there an unattended object?",
        "Is something left unattended?",
        "Is an object standing alone?",
        "Is there a bag or box on its own?",
    ),
    Kind.DOOR: ("Is the door open?", "Is the door open now?", "Is a door open?", "Does the door stand open?"),
}
BACKWARD: dict[Kind, tuple[str, ...]] = {
    Kind.FIRE: (
        "Was there a fire before?",
        "Has there been a fire?",
        "Has a fire started so far?",
        "Did anything burn so far?",
    ),
    Kind.FALL: (
        "Did someone fall before?",
        "Has anyone fallen?",
        "Has a person fallen so far?",
        "Did anybody fall so far?",
    ),
    Kind.OBJECT: (
        "Was an object left before?",
        "Has an object been left?",
        "Has anything been left so far?",
        "Did anybody leave something so far?",
    ),
    Kind.DOOR: (
        "Was the door open before?",
        "Has the door been open?",
        "Has the door opened so far?",
        "Did anybody open the door so far?",
    ),
}
ONCE = ("Tell me once when", "Say once when", "Let me know once when", "Just once, tell me when")
COMING: dict[tuple[Kind, bool], str] = {
    (Kind.FIRE, True): "a fire starts",
    (Kind.FIRE, False): "the fire is out",
    (Kind.FALL, True): "someone falls",
    (Kind.FALL, False): "someone gets up",
    (Kind.OBJECT, True): "an object is left",
    (Kind.OBJECT, False): "the object is taken",
    (Kind.DOOR, True): "the door opens",
    (Kind.DOOR, False): "the door closes",
}


def compose(rng: np.random.Generator, window: Window) -> Script:
    """Two to six questions of the three times; a forward one of a change is answered at its first coming."""
    builder = ScriptBuilder(window)
    count = int(rng.integers(2, 4 if window.turns < 24 else 7))
    turns = sorted(int(turn) for turn in rng.choice(window.turns, size=count, replace=False))
    waiting: set[tuple[Kind, bool]] = set()
    for turn in turns:
        asking = rng.random()
        if asking < 0.35:
            add_present(rng, builder, turn)
        elif asking < 0.7:
            _add_backward(rng, builder, turn)
        else:
            _add_forward(rng, builder, turn, waiting)
    return builder.script(Scenario.QUESTIONS)


def add_present(rng: np.random.Generator, builder: ScriptBuilder, turn: int) -> None:
    """A question about the picture of this turn, answered at once."""
    builder.ask(turn, *present(rng, builder.window.truth(turn)))


def present(rng: np.random.Generator, held: frozenset[Kind]) -> tuple[str, str]:
    """A question about a picture in which these conditions hold, and its answer."""
    if rng.random() < 0.25:
        return DESCRIBE, describe(held)
    kind = _balanced(rng, held)
    return choose(rng, PRESENT[kind]), YES if kind in held else NO


def backward(rng: np.random.Generator, seen: frozenset[Kind]) -> tuple[str, str]:
    """A question about pictures in which these conditions were seen, and its answer."""
    kind = _balanced(rng, seen)
    return choose(rng, BACKWARD[kind]), YES if kind in seen else NO


def texts() -> Iterator[str]:
    """All that is read or written."""
    yield from (YES, NO, DESCRIBE)
    for kind in Kind:
        yield from (*PRESENT[kind], *BACKWARD[kind])
    for event in COMING.values():
        yield from (f"{opening} {event}." for opening in ONCE)


def _add_backward(rng: np.random.Generator, builder: ScriptBuilder, turn: int) -> None:
    """About all turns up to this one, this one included."""
    builder.ask(turn, *backward(rng, builder.window.seen(turn)))


def _add_forward(rng: np.random.Generator, builder: ScriptBuilder, turn: int, waiting: set[tuple[Kind, bool]]) -> None:
    """Asked once for one change; the same change is never waited for twice in one script."""
    coming = {
        (change.kind, change.started): change.turn
        for change in reversed(builder.window.changes())
        if change.turn > turn
    }
    every = [event for event in COMING if event not in waiting]
    likely = [event for event in every if event in coming]
    event = choose(rng, likely if likely and rng.random() < 0.8 else every)
    waiting.add(event)
    builder.line(turn, Said.QUESTION, f"{choose(rng, ONCE)} {COMING[event]}.")
    if event in coming:
        order = list(Kind).index(event[0])
        builder.say(coming[event], CHANGE[event], asked=turn, rank=Rank.EVENT, order=order)


def _balanced(rng: np.random.Generator, true: frozenset[Kind]) -> Kind:
    """A kind to ask about, so that half of the right answers are yes where both can be."""
    yes, no = [kind for kind in Kind if kind in true], [kind for kind in Kind if kind not in true]
    return choose(rng, yes if yes and (rng.random() < 0.5 or not no) else no)
