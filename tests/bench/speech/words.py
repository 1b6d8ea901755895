"""How many words were understood wrongly. Pure."""

import re
from collections.abc import Iterable, Sequence

_APART = re.compile(r"[^\w']+")


def words(text: str) -> tuple[str, ...]:
    """Without case and punctuation."""
    return tuple(word for word in _APART.split(text.lower().replace("’", "'")) if word.strip("'"))


def wrong_words(said: Sequence[str], understood: Sequence[str]) -> int:
    """The fewest words to change, add or leave out until what was understood is what was said."""
    row = list(range(len(understood) + 1))
    for number, word in enumerate(said, 1):
        before, row = row, [number]
        for place, other in enumerate(understood, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (word != other)))
    return row[-1]


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Of texts that were said and what was understood of each: wrong words to words said. Raises `ValueError` when
    nothing was said."""
    wrong = total = 0
    for said, understood in pairs:
        wrong += wrong_words(words(said), words(understood))
        total += len(words(said))
    if not total:
        raise ValueError("no words: nothing was said")
    return wrong / total
