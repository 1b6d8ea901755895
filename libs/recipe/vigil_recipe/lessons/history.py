"""What the history shows: right replies, and now and then a planted mistake that the model must recover from.

Without planted mistakes a model learns to repeat its last reply instead of looking.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigil_recipe.scenarios import Said, Scenario, Script
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import PLANTED, PLANTED_CHANCE, SILENCE, Turn
from vigil_recipe.text.sequences import Exchange

# In these scenarios a later right reply depends on earlier replies, so a planted mistake would make it wrong.
OWN_HISTORY = frozenset({Scenario.COUNTING, Scenario.TIMING, Scenario.DELEGATION})
RARELY = 0.02
# What is due once is never said later, so a planted miss of it teaches the model to miss. Such misses are rarer.
ONCE_SHARE = 0.1
# Share of histories in which alerts are told late, and by how many turns at most. Without them a model that was
# silent once stays silent.
LATE_SHARE, LATEST = 0.4, 12


def exchanges_of_turns(turns: Sequence[Turn], images: int) -> tuple[Exchange, ...]:
    """The turns of ``dialogue.sample_turns`` as exchanges of ``images`` pictures each."""
    return tuple(
        Exchange(prompt_format.user_text(turn.lines, turn.marker_s, [1] * images), turn.reply, turn.said)
        for turn in turns
    )


def exchanges_of_script(
    rng: np.random.Generator, script: Script, images: int, offset_s: float = 0.0
) -> tuple[Exchange, ...]:
    """A script as exchanges, its memory before the first line, with mistakes planted in what was said.

    The first turn's time marker is ``offset_s``.
    """
    start_s = script.turns[0].second if script.turns else 0
    said = plant(rng, script)
    out = []
    for index, (turn, shown) in enumerate(zip(script.turns, said, strict=True)):
        lines = [script.memory] if index == 0 and script.memory else []
        lines += [line.text for line in turn.lines]
        out.append(
            Exchange(prompt_format.user_text(lines, offset_s + turn.second - start_s, [1] * images), turn.reply, shown)
        )
    return tuple(out)


def plant(rng: np.random.Generator, script: Script) -> list[str]:
    """What was said at each turn of a script: mostly the right reply.

    A mistake is silence in place of speech, or another reply of the same script in place of silence. Turns that bring
    a line get the right reply, because later replies depend on it. In some histories an alert is told late.
    """
    late = _late_turns(rng, script) if rng.random() < LATE_SHARE else frozenset()
    share = float(rng.choice(PLANTED, p=PLANTED_CHANCE))
    if script.scenario in OWN_HISTORY:
        share = min(share, RARELY)
    repeated = {turn for due in script.dues if due.repeats for turn in range(due.first, due.end)}
    spoken = sorted({turn.reply for turn in script.turns} - {SILENCE})
    said = []
    for index, turn in enumerate(script.turns):
        chance = share if index in repeated or turn.reply == SILENCE else share * ONCE_SHARE
        answers = any(line.said in (Said.QUESTION, Said.RESULT) for line in turn.lines)
        wrong = (rng.random() < chance or index in late) and not answers
        said.append(_mistake(rng, turn.reply, spoken) if wrong else turn.reply)
    return said


def _late_turns(rng: np.random.Generator, script: Script) -> frozenset[int]:
    """The first turns of every watched condition."""
    spans = [
        range(due.first, min(due.end, due.first + int(rng.integers(LATEST)))) for due in script.dues if due.repeats
    ]
    return frozenset(turn for span in spans for turn in span)


def _mistake(rng: np.random.Generator, reply: str, spoken: Sequence[str]) -> str:
    if reply != SILENCE:
        return SILENCE
    return spoken[int(rng.integers(len(spoken)))] if spoken else reply
