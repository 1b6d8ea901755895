"""Replies taken apart into what can be matched: one utterance for each thing that was said in a turn. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vigil.core.control import parse

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing said in turn ``turn``; ``question`` is what was delegated with it, empty when nothing was."""

    turn: int
    text: str
    question: str = ""


def sentences(words: str) -> tuple[str, ...]:
    """The sentences of ``words``, in order, without the blanks between."""
    return tuple(sentence for sentence in _SENTENCE_END.split(words.strip()) if sentence)


def units(words: str, known: Collection[str]) -> tuple[str, ...]:
    """``words`` as the ``known`` texts that they are made of, longest first, and single sentences for the rest.

    A reply may hold several things that were due at once ("Yes. The door is open."), and one thing may have several
    sentences, so neither replies nor sentences can be compared as they are.
    """
    by_length = sorted((sentences(text) for text in known if text), key=len, reverse=True)
    left, found = list(sentences(words)), []
    while left:
        taken = next((unit for unit in by_length if tuple(left[: len(unit)]) == unit), (left[0],))
        found.append(" ".join(taken))
        del left[: len(taken)]
    return tuple(found)


def utterances(replies: Sequence[str], known: Collection[str], holding: Collection[str] = ()) -> tuple[Utterance, ...]:
    """Everything said in ``replies`` (control form, one a turn), in order.

    A delegated question belongs to the holding reply, which is the first of the ``holding`` texts in its turn, else
    the last thing said: an alert in the same breath is no part of it. A delegation without words is an utterance too.
    """
    found: list[Utterance] = []
    for turn, reply in enumerate(replies):
        output = parse(reply)
        said = units(output.text, known) or (("",) if output.question else ())
        holder = next((index for index, text in enumerate(said) if text in holding), len(said) - 1)
        found += [Utterance(turn, text, output.question if index == holder else "") for index, text in enumerate(said)]
    return tuple(found)
