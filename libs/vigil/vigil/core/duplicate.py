"""The duplicate guard: words that repeat what was just said are not uttered again (design §1.1).

A model that looks every second may say the same every second. The guard only suppresses, and only utterances: the
decision is published, the history keeps the words, and alerts, which handle repeats themselves, hear them. The guard
compares with what was uttered under the same instruction within `WINDOW_MS` of model time, so words that go on for long
are said again once a window. The caller never asks it about an answer, a delegation or words that open an alert.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

WINDOW_MS = 10_000
MAX_UTTERED = 64
NEAR_OVERLAP = 0.6

_WORD = re.compile(r"\w+(?:'\w+)*")
# Words that two sentences may differ in and still say the same.
_FLUFF_WORDS = "a an the is are was were be been has have had this that there it its now and of in on at to"
_DENYING_WORDS = "no not never none nobody nothing nowhere neither nor cannot without"
_FLUFF = frozenset(_FLUFF_WORDS.split())
_NEGATIONS = frozenset(_DENYING_WORDS.split())


class DuplicateGuard(StrEnum):
    """Which repeats are suppressed: none, the same words, or also words that add nothing to those before."""

    OFF = "off"
    EXACT = "exact"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Uttered:
    """Words that were uttered under an instruction (its id, or `NOBODY`), normalised."""

    instruction_id: str
    words: tuple[str, ...]
    time_ms: int


Utterances = tuple[Uttered, ...]


def said_before(guard: DuplicateGuard, before: Utterances, words: Mapping[str, str], time_ms: int) -> bool:
    """Whether all the words repeat what was uttered under the same instruction within the window. `words` maps an
    instruction's id, or `NOBODY`, to what was said under it."""
    new = _utterances(words, time_ms)
    recent = _recent(before, time_ms)
    return bool(new) and all(any(_repeats(guard, utterance, old) for old in recent) for utterance in new)


def remembered(before: Utterances, words: Mapping[str, str], time_ms: int) -> Utterances:
    """What was uttered within the window, with `words` (which may be empty) as the newest; at most `MAX_UTTERED`."""
    return (*_recent(before, time_ms), *_utterances(words, time_ms))[-MAX_UTTERED:]


def normalised(text: str) -> tuple[str, ...]:
    """The words of a text without case, punctuation and typographic variants."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    return tuple(_WORD.findall(plain))


def _utterances(words: Mapping[str, str], time_ms: int) -> Utterances:
    uttered = [Uttered(instruction_id, normalised(text), time_ms) for instruction_id, text in words.items()]
    return tuple(utterance for utterance in uttered if utterance.words)


def _recent(before: Utterances, time_ms: int) -> Utterances:
    return tuple(utterance for utterance in before if time_ms - utterance.time_ms < WINDOW_MS)


def _repeats(guard: DuplicateGuard, new: Uttered, old: Uttered) -> bool:
    if new.instruction_id != old.instruction_id or guard is DuplicateGuard.OFF:
        return False
    return new.words == old.words or (guard is DuplicateGuard.NEAR and _adds_nothing(set(new.words), set(old.words)))


def _adds_nothing(new: set[str], old: set[str]) -> bool:
    """No word of weight is new, most of the old words are there, and neither says no where the other says yes."""
    if {word for word in new if _denies(word)} != {word for word in old if _denies(word)}:
        return False
    new, old = new - _FLUFF, old - _FLUFF
    return new <= old and len(new) >= NEAR_OVERLAP * len(old)


def _denies(word: str) -> bool:
    return word in _NEGATIONS or word.endswith("n't")
