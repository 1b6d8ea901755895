"""What is searched: an archived block, sentence by sentence, what modules noticed, line by line, and an exchange as one
sentence. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from vigil.core.control import plain

MAX_PASSAGE_CHARS = 400
_SENTENCE_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])")
_ANCHOR = re.compile(r"\b(?:at|second) (\d{1,7}(?:\.\d{1,3})?)\b|(\d{1,7}(?:\.\d{1,3})?)\s*秒", re.IGNORECASE)
_LOOSE_MS = 1_000  # by which a time in a sentence may miss the span of its block


class EntryKind(StrEnum):
    """What an entry of the archive is."""

    BLOCK = "block"
    EXCHANGE = "exchange"
    OBSERVATION = "observation"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a session's archive, with the span of model time that it is about."""

    id: str
    kind: EntryKind
    from_ms: int
    to_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence of an entry, at that place in it. Its span is the moment that the sentence itself names, else that
    of the entry."""

    entry: Entry
    place: int
    text: str
    from_ms: int
    to_ms: int
    has_time: bool = False


def passages(entries: Iterable[Entry]) -> tuple[Passage, ...]:
    """All sentences of these entries in order of time."""
    ordered = sorted(entries, key=lambda entry: (entry.from_ms, entry.to_ms, entry.id))
    return tuple(passage for entry in ordered for passage in _passages(entry))


@lru_cache(maxsize=8_192)
def _passages(entry: Entry) -> tuple[Passage, ...]:
    """Kept, for the next question reads the same entries: a day has a thousand of them."""
    lines = [plain(line) for line in entry.text.splitlines()]
    if entry.kind is EntryKind.EXCHANGE:
        sentences = [" ".join(lines)]
    elif entry.kind is EntryKind.OBSERVATION:
        sentences = lines
    else:
        sentences = [sentence for line in lines for sentence in _SENTENCE_ENDS.split(line)]
    return tuple(_passage(entry, place, text) for place, text in enumerate(filter(None, map(_bounded, sentences))))


def _passage(entry: Entry, place: int, text: str) -> Passage:
    at_ms = _anchor(text, entry)
    if at_ms is None:
        return Passage(entry, place, text, entry.from_ms, entry.to_ms)
    return Passage(entry, place, text, at_ms, at_ms, has_time=True)


def _bounded(sentence: str) -> str:
    text = sentence.strip()
    return text if len(text) <= MAX_PASSAGE_CHARS else f"{text[: MAX_PASSAGE_CHARS - 1].rstrip()}…"


def _anchor(text: str, entry: Entry) -> int | None:
    """The moment that a sentence of a block, or a module's line, names, when it lies in the span of its entry."""
    found = None if entry.kind is EntryKind.EXCHANGE else _ANCHOR.search(text)
    if found is None:
        return None
    at_ms = round(float(found[1] or found[2]) * 1_000)
    return at_ms if entry.from_ms - _LOOSE_MS <= at_ms <= entry.to_ms + _LOOSE_MS else None
