"""Finds the passages that speak of what a question asks: BM25, by groups that speak of the same. Pure.

Own code of some forty lines: rank-bm25 (no release since 2022) and bm25s build an index that must be thrown away with
each new entry. A session has at most some thousand short passages: the sentences of a day (11,000) are searched in tens
of milliseconds once they were read. What else a question may mean: see `blending`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vigil_memory.recall.passages import EntryKind, Passage
from vigil_memory.recall.words import terms

# How fast a repeated word stops to count, and how much a long passage is held back: the usual values.
_K, _B = 1.2, 0.75
_NONE: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that holds these terms of the question; none where it was found by its meaning alone. A greater `score`
    fits better."""

    passage: Passage
    matched: frozenset[str]
    score: float


def hits(question: str, searched: Sequence[Passage]) -> tuple[Hit, ...]:
    """The passages that hold a term of the question, in their own order."""
    wanted = frozenset(terms(question))
    if not wanted:
        return ()
    read = [terms(passage.text) for passage in searched]
    counts = [_NONE if wanted.isdisjoint(found) else Counter(filter(wanted.__contains__, found)) for found in read]
    holding = Counter(term for count in counts for term in count)
    rarity = {term: math.log(1 + (len(read) - number + 0.5) / (number + 0.5)) for term, number in holding.items()}
    usual = sum(map(len, read)) / len(read) if read else 1.0
    return tuple(
        Hit(passage, frozenset(count), _score(count, rarity, len(found) / (usual or 1.0)))
        for passage, found, count in zip(searched, read, counts, strict=True)
        if count
    )


def groups(found: Iterable[Hit]) -> tuple[tuple[Hit, ...], ...]:
    """The hits in groups that speak of the same, as far as the question's words tell: the group of the best hit first,
    in each the newest first. What was seen comes before what was said of it.

    Words of the question that only dialogue holds do not part it from what was seen: an earlier answer repeats the
    question's words, and may be out of date. What holds no word of the question speaks of the same in the same words.
    """
    hits_found = tuple(found)
    seen = frozenset().union(*(hit.matched for hit in hits_found if hit.passage.entry.kind is not EntryKind.EXCHANGE))
    grouped: dict[frozenset[str], list[Hit]] = {}
    for hit in hits_found:
        same = hit.matched & seen or hit.matched or frozenset((hit.passage.text,))
        grouped.setdefault(same, []).append(hit)
    ordered = sorted(grouped.values(), key=lambda group: -max(hit.score for hit in group))
    return tuple(tuple(sorted(group, key=_newest_first)) for group in ordered)


def _newest_first(hit: Hit) -> tuple[bool, int, int, int]:
    passage = hit.passage
    return passage.entry.kind is EntryKind.EXCHANGE, -passage.to_ms, -passage.from_ms, -passage.place


def _score(count: Counter[str], rarity: dict[str, float], length: float) -> float:
    held_back = _K * (1 - _B + _B * length)
    return sum(rarity[term] * number * (_K + 1) / (number + held_back) for term, number in count.items())
