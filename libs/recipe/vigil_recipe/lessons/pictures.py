"""Lessons with pictures for what the scenarios ask too seldom: reading a sign, answering about what is or was seen.

As in ``lessons.words``, something depends on nearly every picture. The seconds shown are drawn from a whole clip, with
gaps between them, so that any two of its seconds can come to stand side by side: one clip holds a dozen changes, but
thousands of such pairs. ``lessons.changes`` builds on that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vigil_recipe.lessons.words import first_second
from vigil_recipe.render.clips import Clip
from vigil_recipe.scenarios import questions, translation
from vigil_recipe.scenarios.script_builder import choose
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import RESPONSE, SILENCE
from vigil_recipe.text.sequences import Exchange
from vigil_recipe.world import Kind

BLANK_SHARE = 0.15  # how often a second with a blank sign is drawn, beside one with a word
UNASKED_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Pictured:
    """A lesson with pictures: which seconds of the clip it shows, ``images`` of each, and what is said about them."""

    seconds: tuple[int, ...]
    exchanges: tuple[Exchange, ...]
    images: int


def reading(rng: np.random.Generator, words: Sequence[str], turns: int, images: int) -> Pictured:
    """Seconds of a sign that shows ``words``, most with a word: it is to be read, or translated when it is new.

    Raises ValueError when there are not as many seconds as ``turns``.
    """
    seconds = drawn(rng, turns, np.array([1.0 if word else BLANK_SHARE for word in words]))
    standing, last = rng.random() < 0.7, ""
    said: list[tuple[list[str], list[str]]] = []
    for second in seconds:
        word, lines, answers = words[second], [], []
        if standing and not said:
            lines.append(choose(rng, translation.ASKS))
        if rng.random() < 0.5:
            lines.append(choose(rng, translation.READS))
            answers.append(translation.english_of(word))
        if standing and word not in ("", last):
            answers.append(translation.french_of(word))
        last = word
        said.append((lines, answers))
    return pictured(rng, seconds, said, images)


def looking(rng: np.random.Generator, truth: Sequence[frozenset[Kind]], turns: int, images: int) -> Pictured:
    """In most turns a question about this picture, or about all pictures up to it.

    Raises ValueError when there are not as many seconds of ``truth`` as ``turns``.
    """
    seconds = drawn(rng, turns, np.ones(len(truth)))
    seen: frozenset[Kind] = frozenset()
    said: list[tuple[list[str], list[str]]] = []
    for second in seconds:
        seen |= truth[second]
        if rng.random() < UNASKED_SHARE:
            said.append(([], []))
            continue
        about_now = rng.random() < 0.55
        question, answer = questions.present(rng, truth[second]) if about_now else questions.backward(rng, seen)
        said.append(([question], [answer]))
    return pictured(rng, seconds, said, images)


def drawn(rng: np.random.Generator, turns: int, weights: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """``turns`` different seconds in time order, each drawn by its weight. Raises ValueError when there are too few."""
    return tuple(
        sorted(int(turn) for turn in rng.choice(len(weights), turns, replace=False, p=weights / weights.sum()))
    )


def pictured(
    rng: np.random.Generator, seconds: tuple[int, ...], said: Sequence[tuple[list[str], list[str]]], images: int
) -> Pictured:
    """The lesson of what is asked and answered (lines, sentences) at each of ``seconds``."""
    offset_s = first_second(rng) - seconds[0]
    exchanges = []
    for second, (lines, answers) in zip(seconds, said, strict=True):
        user = prompt_format.user_text(lines, float(offset_s + second), [1] * images)
        reply = f"{RESPONSE} {' '.join(answers)}" if answers else SILENCE
        exchanges.append(Exchange(user, reply, reply))
    return Pictured(seconds, tuple(exchanges), images)


def _read(rng: np.random.Generator, clip: Clip, turns: int) -> Pictured:
    if clip.episode is None:
        raise ValueError("the clip has no episode: render it with vigil_recipe.render.clips")
    return reading(rng, [clip.episode.word(second) for second in range(clip.turns)], turns, clip.images)


LESSONS_IN_PICTURES: dict[str, Callable[[np.random.Generator, Clip, int], Pictured]] = {
    "reading": _read,
    "looking": lambda rng, clip, turns: looking(rng, clip.truth, turns, clip.images),
}
