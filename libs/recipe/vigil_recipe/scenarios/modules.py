"""Modules: other programs tell what no picture shows, and a question or a watch needs it.

Of the senses (``senses``) some are asked about or watched; of one that is neither nothing is to be said. Controls go
along, and the right replies are the same with and without them:

* a scene module that tells of fire, falls, objects and the door, rightly or wrongly. What the picture shows is answered
  and alerted by the picture;
* a note that somebody holds before a camera, whose text is an instruction. It is data: nothing follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from vigil_recipe.scenarios.alerting import add_alert, occurring
from vigil_recipe.scenarios.chat import UNKNOWN
from vigil_recipe.scenarios.questions import NO, PRESENT, YES
from vigil_recipe.scenarios.script import Due, Observed, Purpose, Scenario, Script
from vigil_recipe.scenarios.script_builder import Rank, ScriptBuilder, choose
from vigil_recipe.scenarios.senses import CLAIM, NOTES, ORDERS, SCENE, SENSES, WARMTH, Sense, texts
from vigil_recipe.scenarios.window import Window
from vigil_recipe.text.dialogue import STOP, wordings
from vigil_recipe.world import Kind

__all__ = ["compose", "texts"]

UNASKED_SHARE, CLAIMED_SHARE, NOTED_SHARE = 0.6, 0.6, 0.6
ALIKE_SHARE = 0.6  # of the readings of a watched sense: those that are what is watched for
UNKNOWN_SHARE = 0.1  # of the questions: those before anything was told
SURE_SHARE = 0.5  # of what is told: with a confidence
READINGS = range(2, 6)
LIMITS = range(15, 31)  # degrees


@dataclass(slots=True)
class _Readings:
    """What one sense tells over a script, by turn; `needed` collects the dues for which each is needed."""

    sense: Sense
    values: dict[int, str]
    sure: dict[int, float | None]
    needed: dict[int, list[Due]] = field(default_factory=dict)

    def need(self, turn: int, due: Due) -> None:
        """What was told in this turn is needed for the due."""
        self.needed.setdefault(turn, []).append(due)

    def observed(self) -> Iterator[Observed]:
        """What the module tells, by turn."""
        for turn, value in self.values.items():
            dues = tuple(self.needed.get(turn, ()))
            purpose = Purpose.NEEDED if dues else Purpose.IRRELEVANT
            text = self.sense.text.format(value)
            yield Observed(turn, self.sense.module, self.sense.kind, text, purpose, self.sure[turn], dues)


def compose(rng: np.random.Generator, window: Window) -> Script:
    """One or two senses that are asked about or watched, at times one that is neither, claims and notes.

    Nothing is told in the first turn: a module hears of a session once it has begun.
    """
    builder = ScriptBuilder(window)
    senses = [SENSES[index] for index in rng.permutation(len(SENSES))]
    used = int(rng.integers(1, 3))
    for order, sense in enumerate(senses[:used]):
        _use(rng, builder, sense, order)
    if rng.random() < UNASKED_SHARE:
        _tell(builder, _readings(rng, window, senses[used]))
    if rng.random() < CLAIMED_SHARE:
        _claim(rng, builder)
    if rng.random() < NOTED_SHARE:
        _note(rng, builder)
    builder.put_in_order()
    builder.name_again()
    return builder.script(Scenario.MODULES)


def confidence(rng: np.random.Generator) -> float | None:
    """How sure a module says that it is; many say nothing."""
    return round(float(rng.uniform(0.5, 1)), 2) if rng.random() < SURE_SHARE else None


def _use(rng: np.random.Generator, builder: ScriptBuilder, sense: Sense, order: int) -> None:
    """Readings of a sense, and a question, a watch or both that need them."""
    way = int(rng.integers(3))
    watched = None if way == 0 else choose(rng, sense.values)
    if sense is WARMTH and watched is not None:
        watched = str(int(rng.integers(LIMITS.start, LIMITS.stop)))
    readings = _readings(rng, builder.window, sense, watched)
    if watched is not None:
        _watch(rng, builder, readings, watched, order)
    if way != 1:
        _ask(rng, builder, readings)
    _tell(builder, readings)


def _readings(rng: np.random.Generator, window: Window, sense: Sense, watched: str | None = None) -> _Readings:
    """Some readings, none the same as the one before: the system does not tell the same thing twice in a row."""
    count = min(int(rng.integers(READINGS.start, READINGS.stop)), window.turns - 1)
    turns = sorted(int(turn) for turn in rng.choice(np.arange(1, window.turns), size=count, replace=False))
    values: dict[int, str] = {}
    before = ""
    for turn in turns:
        value = before
        while value == before:
            alike = watched is not None and watched != before and rng.random() < ALIKE_SHARE
            value = str(watched) if alike and sense is not WARMTH else choose(rng, sense.values)
        values[turn] = before = value
    return _Readings(sense, values, {turn: confidence(rng) for turn in turns})


def _watch(rng: np.random.Generator, builder: ScriptBuilder, readings: _Readings, watched: str, order: int) -> None:
    """A watch that tells each time what it watches for is told; of the temperature each time it comes to be over."""
    given, cleared = builder.stand(rng, choose(rng, readings.sense.watches).format(watched), at_once=0.75)
    was_over = False
    for turn, value in readings.values.items():
        is_over = int(value) > int(watched) if readings.sense is WARMTH else value == watched
        if given <= turn < cleared:
            if is_over and not (was_over and readings.sense is WARMTH):
                said = readings.sense.tells(watched)
                due = builder.say(turn, said, asked=given, rank=Rank.EVENT, order=order, end=min(turn + 3, cleared))
                readings.need(turn, due)
            was_over = is_over


def _ask(rng: np.random.Generator, builder: ScriptBuilder, readings: _Readings) -> None:
    """One or two questions about what was told last; now and then one before anything was."""
    told = list(readings.values)
    for _ in range(int(rng.integers(1, 3))):
        early = rng.random() < UNKNOWN_SHARE and told[0] > 1
        turn = int(rng.integers(told[0])) if early else int(rng.integers(told[0], builder.window.turns))
        if not builder.asks_nothing(turn):
            continue
        newest = max((at for at in told if at <= turn), default=None)
        answer = UNKNOWN if newest is None else readings.sense.answers(readings.values[newest])
        due = builder.ask(turn, choose(rng, readings.sense.questions), answer)
        if newest is not None:
            readings.need(newest, due)


def _tell(builder: ScriptBuilder, readings: _Readings) -> None:
    for observed in readings.observed():
        builder.observe(observed)


def _claim(rng: np.random.Generator, builder: ScriptBuilder) -> None:
    """One to three claims about the picture, wrong as often as right, with a watch or questions of the same kinds."""
    window = builder.window
    kinds = occurring(window)
    watched = choose(rng, kinds if kinds and rng.random() < 0.7 else tuple(Kind)) if rng.random() < 0.5 else None
    if watched is not None:
        add_alert(rng, builder, watched, given=0)
    last = ""
    for turn in sorted(int(turn) for turn in rng.choice(np.arange(1, window.turns), size=3, replace=False)):
        kind = watched if watched is not None and rng.random() < 0.7 else choose(rng, tuple(Kind))
        says = bool(rng.random() < 0.5)
        if CLAIM[kind, says] == last:
            continue
        last = CLAIM[kind, says]
        wrong = (kind in window.truth(turn)) != says
        purpose = Purpose.CONTRADICTING if wrong else Purpose.AGREEING
        builder.observe(Observed(turn, *SCENE, last, purpose, confidence(rng)))
        if kind is not watched and builder.asks_nothing(turn):
            builder.ask(turn, choose(rng, PRESENT[kind]), YES if kind in window.truth(turn) else NO)


def _note(rng: np.random.Generator, builder: ScriptBuilder) -> None:
    """One or two notes whose text is an instruction: any, or in the very form in which a user would give it."""
    window = builder.window
    standing = builder.instructions()
    count = int(rng.integers(1, 3))
    last = ""
    for turn in sorted(int(turn) for turn in rng.choice(np.arange(1, window.turns), size=count, replace=False)):
        alerts = [text for kind in Kind for text in wordings(kind)]
        orders = [choose(rng, ORDERS), choose(rng, alerts), STOP + choose(rng, standing or alerts)]
        text = choose(rng, orders)
        if text != last:
            builder.observe(Observed(turn, *NOTES, text, Purpose.INSTRUCTING))
        last = text
