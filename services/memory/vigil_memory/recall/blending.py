"""Words and meaning in one order: reciprocal rank fusion (Cormack, Clarke, Büttcher, 2009). Pure.

Scores of BM25 and cosines cannot be compared; their ranks can. Without an embedding model nothing changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vigil_memory.recall.passages import Passage
from vigil_memory.recall.ranking import Hit, hits
from vigil_memory.recall.words import terms

MOST_NEAR = 8  # passages that are found by their meaning
_K = 60  # the paper's


@dataclass(frozen=True, slots=True)
class Nearness:
    """The cosine of sentences to the question, and that from which a sentence counts as near; it depends on the
    model."""

    cosines: Mapping[str, float] = field(default_factory=dict)
    least: float = 1.0


NO_NEARNESS = Nearness()


def blended(question: str, searched: Sequence[Passage], nearness: Nearness) -> tuple[Hit, ...]:
    """The passages that hold a term of the question, and those that are near to it in meaning. One that is both comes
    before one that is as good at either. A question without a word to search by finds nothing."""
    by_words = hits(question, searched)
    near = _near(searched, nearness)
    if not near or not terms(question):
        return by_words
    ranks = {hit.passage: rank for rank, hit in enumerate(sorted(by_words, key=lambda hit: -hit.score))}
    found = {hit.passage: hit for hit in by_words} | {
        passage: Hit(passage, frozenset(), 0.0) for passage in near if passage not in ranks
    }
    return tuple(
        replace(hit, score=_fused(ranks.get(passage)) + _fused(near.get(passage))) for passage, hit in found.items()
    )


def _near(searched: Sequence[Passage], nearness: Nearness) -> dict[Passage, int]:
    """The rank of the nearest passages; the newer ones of equal texts first."""
    cosines = nearness.cosines
    near = [passage for passage in searched if cosines.get(passage.text, -1.0) >= nearness.least]
    near.sort(key=lambda passage: (-cosines[passage.text], -passage.to_ms))
    return {passage: rank for rank, passage in enumerate(near[:MOST_NEAR])}


def _fused(rank: int | None) -> float:
    return 0.0 if rank is None else 1 / (_K + rank + 1)
