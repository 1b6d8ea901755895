"""Words of a text as terms to search by, English and Chinese. Pure.

English words are taken to a common form by a few endings and by the irregular verbs of what cameras see. Of Chinese,
which has no spaces, every character and every pair of neighbours is a term: no dictionary is needed.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from vigil_memory.recall.chinese import simplified
from vigil_memory.recall.numbers import with_digits

_HAN = re.compile(r"[\u3400-\u9fff]")
_LETTER = rf"(?!{_HAN.pattern})[^\W_]"
_RUN = re.compile(rf"{_HAN.pattern}+|(?:{_LETTER})+(?:['’](?:{_LETTER})+)?")
_SAYS_NOTHING = """
a about after all am an and any anybody anyone anything are as at be been before being but by can could did do
does doing don't during for from had has have he her here him his how i if in into is it it's its just know many
may me much my no nobody not nothing now of off on or our out over please said say second see seen she should so
somebody someone something such tell than that the their them then there these they thing this those time to under
until up us was we were what what's when where which while who whom whose why will with would yes you your happen
"""
_STOP = frozenset(_SAYS_NOTHING.split())
_STOP_HAN = frozenset("的了吗呢吧是在有和与也就都还个么什谁哪几多少里上下这那我你他她它们请问说到着过把被给让会能")
_ENDINGS = (("ies", 5, "y"), ("ied", 5, "y"), ("ss", 3, "ss"), ("ing", 6, ""), ("ed", 5, ""), ("s", 4, ""))
_IRREGULAR = {
    irregular: plain
    for plain, others in {
        "bring": "brought",
        "break": "broke broken",
        "buy": "bought",
        "come": "came coming",
        "cut": "cutting",
        "drink": "drank drunk",
        "drive": "drove driven driving",
        "eat": "ate eaten",
        "fall": "fell fallen",
        "find": "found",
        "get": "got gotten getting",
        "give": "gave given giving",
        "go": "went gone goes",
        "hold": "held",
        "leave": "left leaving",
        "lie": "lay lain lying",
        "lose": "lost losing",
        "make": "made making",
        "man": "men",
        "person": "people persons",
        "put": "putting",
        "ring": "rang rung",
        "run": "ran running",
        "sit": "sat sitting",
        "stand": "stood",
        "take": "took taken taking",
        "throw": "threw thrown",
        "wear": "wore worn",
        "woman": "women",
        "use": "used using",
        "write": "wrote written writing",
        "child": "children",
        "knife": "knives",
    }.items()
    for irregular in others.split()
}


@lru_cache(maxsize=65_536)
def terms(text: str) -> tuple[str, ...]:
    """The terms of a text in order. Words that say nothing of what a text is about are left out. Kept, for the next
    question searches the same sentences."""
    found: list[str] = []
    for run in _RUN.findall(simplified(text).lower()):
        found += _terms(run)
    return tuple(found)


@lru_cache(maxsize=50_000)
def _terms(run: str) -> tuple[str, ...]:
    """The terms of one run of letters; the same few thousand words come again and again."""
    if _HAN.match(run):
        return tuple(_han(run))
    run = with_digits(run)
    stem = stemmed(run)
    return () if run in _STOP or stem in _STOP else (stem,)


def _han(run: str) -> Iterator[str]:
    for place, character in enumerate(run):
        if character in _STOP_HAN:
            continue
        yield character
        if place + 1 < len(run) and run[place + 1] not in _STOP_HAN:
            yield run[place : place + 2]


def stemmed(word: str) -> str:
    """The form that an English word in lower case shares with its plural and its tenses, mostly. It need not be a word
    itself."""
    word = word.removesuffix("'s").removesuffix("’s")
    return _without_e(_IRREGULAR[word] if word in _IRREGULAR else _without_ending(word))


def _without_ending(word: str) -> str:
    for ending, least, instead in _ENDINGS:
        if word.endswith(ending) and len(word) >= least:
            return _undoubled(word.removesuffix(ending) + instead)
    return word


def _undoubled(stem: str) -> str:
    """`stopp` is `stop`; `call` and `glass` stay."""
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    return stem


def _without_e(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("e") else word
