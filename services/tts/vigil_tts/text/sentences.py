"""Cuts a text into the pieces that the speech engine is given one by one, so that the first sound leaves early."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARS = 240  # of one piece: a longer sentence is cut at a clause, else between two words
FIRST_CHARS = 80  # a longer first sentence is cut at a clause: one waits for its sound
_MIN_CLAUSE_CHARS = 15  # a shorter beginning would sound broken off

# A sentence ends at a line's end, behind the marks of Chinese, and behind other marks that a space follows.
_END = re.compile(r"\s*\n\s*|[。！？][」』”’）】]*|(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|$)")
_CLAUSE = re.compile(r"[,;:—](?=\s)|[，；：、]")
_WITHIN = {
    *("mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "gen", "sen", "rep", "capt", "sgt", "lt", "col", "mt", "no"),
    *("nr", "fig", "vol", "approx", "e.g", "i.e", "vs", "cf", "a.m", "p.m", "u.s", "u.k"),
}
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*)\.$")
_LAST_WORD_CHARS = 8  # no short form is longer; a text of one word must not be searched for each mark in it


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a text, as it is written there; `begin` is where it begins in the text, in characters."""

    text: str
    begin: int

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.begin + len(self.text)


def sentences(text: str) -> tuple[Sentence, ...]:
    """The pieces in order. Together they are all of the text but white space between them."""
    pieces: list[Sentence] = []
    for sentence in _whole(text):
        limit = MAX_CHARS if pieces else FIRST_CHARS
        pieces.extend(_shortened(sentence, limit))
    return tuple(pieces)


def _whole(text: str) -> Iterator[Sentence]:
    begin = 0
    for mark in _END.finditer(text):
        if _is_end(text, begin, mark):
            yield from _stripped(text, begin, mark.end())
            begin = mark.end()
    yield from _stripped(text, begin, len(text))


def _is_end(text: str, begin: int, mark: re.Match[str]) -> bool:
    """Whether a sentence ends there: not behind "Dr.", an initial, or before a word in small letters."""
    if not mark.group().startswith("."):
        return True
    following = text[mark.end() :].lstrip()
    if following[:1].islower():
        return False
    word = _LAST_WORD.search(text, max(begin, mark.start() - _LAST_WORD_CHARS), mark.start() + 1)
    if word is None or not following:
        return True
    last = word.group(1)
    is_initial = len(last) == 1 and last.isupper() and last != "I"
    return not (is_initial or last.lower() in _WITHIN)


def _stripped(text: str, begin: int, end: int) -> Iterator[Sentence]:
    piece = text[begin:end]
    if inner := piece.strip():
        yield Sentence(inner, begin + len(piece) - len(piece.lstrip()))


def _shortened(sentence: Sentence, limit: int) -> Iterator[Sentence]:
    """The sentence, cut where it is longer than `limit`; only the first cut has to be before that."""
    while len(sentence.text) > limit:
        cut = _cut(sentence.text, limit)
        if cut is None:
            break
        yield from _moved(sentence, 0, cut)
        rest = list(_moved(sentence, cut, len(sentence.text)))
        if not rest:
            return
        sentence, limit = rest[0], MAX_CHARS
    yield sentence


def _moved(sentence: Sentence, begin: int, end: int) -> Iterator[Sentence]:
    for piece in _stripped(sentence.text, begin, end):
        yield Sentence(piece.text, sentence.begin + piece.begin)


def _cut(text: str, limit: int) -> int | None:
    """Where to cut it; None: nowhere, for it is short enough and has no clause to end with."""
    clauses = [mark.end() for mark in _CLAUSE.finditer(text) if _MIN_CLAUSE_CHARS <= mark.end() < len(text)]
    within = [end for end in clauses if end <= limit]
    if within:
        return within[-1] if limit == MAX_CHARS else within[0]
    if limit < MAX_CHARS:
        return _cut(text, MAX_CHARS) if len(text) > MAX_CHARS else None
    space = text.rfind(" ", _MIN_CLAUSE_CHARS, limit)
    return space if space > 0 else limit
