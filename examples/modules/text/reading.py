"""What was read in one picture, and what counts as one text, however the reader wavers. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from finding import Box

LEAST_CONFIDENCE = 0.75
MOST_TEXTS = 12
MOST_CHARS = 80
ALIKE = 0.75  # the share of characters from which two readings are of one text


@dataclass(frozen=True, slots=True)
class Reading:
    """A line of text in a picture: the words, how sure the reader is (0 to 1), and where."""

    text: str
    confidence: float
    box: Box


class Reader(Protocol):
    """Reads a picture. It takes its time, so it is called in a thread."""

    def read(self, jpeg: bytes) -> Sequence[Reading]:
        """The lines of text in a JPEG, from top to bottom. Raises `OSError` for what is no picture."""


def plain(text: str) -> str:
    """The text as one printable line without quotation marks, for they will be put around it."""
    spaced = " ".join("".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text).split())
    return spaced.replace('"', "'")[:MOST_CHARS]


def legible(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """The readings that are sure and hold a letter or a digit, in plain words; the surest `MOST_TEXTS` of them."""
    good = [
        Reading(text, reading.confidence, reading.box)
        for reading in readings
        if reading.confidence >= LEAST_CONFIDENCE and len(key(text := plain(reading.text))) > 1
    ]
    return tuple(sorted(good, key=lambda reading: -reading.confidence)[:MOST_TEXTS])


def key(text: str) -> str:
    """What is compared of a text: its words of letters and digits, large and small alike."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def is_same(one: str, other: str) -> bool:
    """Whether two keys are readings of one text. Numbers must be equal: 21 is no bad reading of 27."""
    if _numbers(one) != _numbers(other):
        return False
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def _numbers(words: str) -> list[str]:
    return [word for word in words.split() if word.isdecimal()]
