"""When each word of a sentence is heard. Engines do not tell: it is estimated from the length of words. Pure.

The estimate is a share of the sentence's sound: exact at both ends once all of the sound is there, and within a word or
so between them.
"""

import re
from dataclasses import dataclass
from itertools import takewhile

USUAL_PACE = 14.0  # characters of a sentence in a second, until a voice has shown its own
CHINESE_WEIGHT = 3  # a Chinese character is read about as long as three letters, and so is a digit
_WORD = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")
_HEAVY = re.compile(r"[\u3400-\u9fff\d]")


@dataclass(frozen=True, slots=True)
class Word:
    """`begin` and `end` are characters of the sentence; `from_share` and `to_share` are of its sound, 0 to 1."""

    begin: int
    end: int
    from_share: float
    to_share: float


def weight(text: str) -> int:
    """How long it takes to say it, in letters."""
    return len(text) + (CHINESE_WEIGHT - 1) * len(_HEAVY.findall(text))


def word_shares(sentence: str) -> tuple[Word, ...]:
    """The words of a sentence, each with its share of the sound; together they are all of it."""
    found = list(_WORD.finditer(sentence))
    weights = [weight(word.group()) + 1 for word in found]  # one for the space behind it
    total, before = sum(weights), 0
    words = []
    for word, letters in zip(found, weights, strict=True):
        words.append(Word(word.start(), word.end(), before / total, (before + letters) / total))
        before += letters
    return tuple(words)


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word in a piece of sound, with its times there in seconds."""

    word: Word
    from_s: float
    to_s: float


def begun(words: tuple[Word, ...], begin_s: float, end_s: float, whole_s: float) -> tuple[TimedWord, ...]:
    """The first of `words` that begin before `end_s`, with their times in a piece of the sound that begins at
    `begin_s`. Those that should have begun before it, by a better estimate, begin with it."""
    timed = (TimedWord(word, word.from_share * whole_s - begin_s, word.to_share * whole_s - begin_s) for word in words)
    started = takewhile(lambda word: word.from_s < end_s - begin_s, timed)
    return tuple(TimedWord(word.word, max(0.0, word.from_s), max(0.0, word.to_s)) for word in started)


def heard_until(words: tuple[Word, ...], played_s: float, whole_s: float) -> int:
    """How many characters of the sentence have been heard: to the end of the last word that was heard to its end, give
    or take a little."""
    slack_s = min(0.1, whole_s / 20)
    return max((word.end for word in words if word.to_share * whole_s <= played_s + slack_s), default=0)
