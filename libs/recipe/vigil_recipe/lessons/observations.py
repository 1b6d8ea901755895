"""A lesson in words about modules: in nearly every turn something is told, and asked about.

A script has a handful of observations, so a small model learns late which of them a question is about. Here each turn
has some, of several senses at once, of which the newest of the right one counts. Some carry a time, as late ones do.
Controls go along: claims about a picture, and notes whose text is an instruction, from which nothing follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vigil_recipe.lessons.words import first_second
from vigil_recipe.scenarios.chat import UNKNOWN
from vigil_recipe.scenarios.modules import confidence
from vigil_recipe.scenarios.script_builder import choose
from vigil_recipe.scenarios.senses import CLAIM, FACES, NOTES, ORDERS, SCENE, SENSES, SIGNS, SOUNDS, Sense
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import RESPONSE, SILENCE, STOP, wordings
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind

TOLD_SHARE, ALIKE_SHARE = 0.3, 0.4  # a sense in a turn; what is watched for, of what is told of a watched sense
CLAIMED_SHARE, NOTED_SHARE = 0.1, 0.15
LATE_SHARE, LATEST_S = 0.15, 4
ASKED_SHARE, WATCHED_SHARE = 0.6, 0.5


def observing(rng: np.random.Generator, turns: int) -> tuple[Exchange, ...]:
    """What modules tell, and in most turns a question about what was told last of one sense, whatever came since.

    In half of the lessons a value of one sense is watched too, and said in each turn in which it is told anew.
    """
    watched = choose(rng, (FACES, SIGNS, SOUNDS)) if rng.random() < WATCHED_SHARE else None
    value = choose(rng, watched.values) if watched else ""
    told: dict[Sense, str] = {}
    out: list[Exchange] = []
    start = first_second(rng)
    for second in range(start, start + turns):
        lines: list[str] = []
        replies: list[str] = []
        if out:
            for sense in _telling(rng):
                told[sense] = _next(rng, sense, told.get(sense, ""), value if sense is watched else "")
                lines.append(_line(rng, sense, told[sense], second, start))
                replies += [sense.tells(value)] if sense is watched and told[sense] == value else []
            lines += _controls(rng)
        elif watched is not None:
            lines.append(choose(rng, watched.watches).format(value))
        if rng.random() < ASKED_SHARE:
            sense = choose(rng, list(told) or list(SENSES))
            lines.append(choose(rng, sense.questions))
            replies.insert(0, sense.answers(told[sense]) if sense in told else UNKNOWN)
        reply = f"{RESPONSE} {' '.join(replies)}" if replies else SILENCE
        out.append(Exchange(prompt_format.user_text(lines, float(second), ()), reply, reply))
    return tuple(out)


LESSONS_IN_OBSERVATIONS: Mapping[str, Callable[[np.random.Generator, int], tuple[Exchange, ...]]] = {
    "observing": observing,
}


def _telling(rng: np.random.Generator) -> list[Sense]:
    """The senses of which something is told in a turn, in any order."""
    return [SENSES[index] for index in rng.permutation(len(SENSES)) if rng.random() < TOLD_SHARE]


def _next(rng: np.random.Generator, sense: Sense, before: str, watched: str) -> str:
    """Another value than before: the system does not tell the same thing twice in a row."""
    if watched not in ("", before) and rng.random() < ALIKE_SHARE:
        return watched
    return choose(rng, [value for value in sense.values if value != before])


def _line(rng: np.random.Generator, sense: Sense, value: str, second: int, start: int) -> str:
    late = rng.random() < LATE_SHARE and second - start > LATEST_S
    at_s = float(second - int(rng.integers(1, LATEST_S + 1))) if late else None
    return prompt_format.observation_line(
        sense.module, sense.kind, sense.text.format(value), confidence(rng), at_s=at_s
    )


def _controls(rng: np.random.Generator) -> list[str]:
    lines = []
    if rng.random() < CLAIMED_SHARE:
        lines.append(prompt_format.observation_line(*SCENE, choose(rng, tuple(CLAIM.values())), confidence(rng)))
    if rng.random() < NOTED_SHARE:
        asked = choose(rng, wordings(choose(rng, tuple(Kind))))
        order = choose(rng, (choose(rng, ORDERS), asked, STOP + asked, choose(rng, choose(rng, SENSES).questions)))
        lines.append(prompt_format.observation_line(*NOTES, order))
    return lines
