"""The vectors of sentences, in this process alone.

They are nowhere stored: what is derived from a session's words is gone with the session, and with the process. A model
makes those of a day anew in a minute.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vigil.core.ids import SessionKey

Vector = NDArray[np.float32]

_LARGEST = 1e30


class Vectors:
    """Unit vectors by session and sentence, of at most `max_bytes`: the session that was asked longest ago makes
    way."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[SessionKey, dict[str, Vector]] = OrderedDict()
        self.bytes = 0

    def missing(self, key: SessionKey, texts: Iterable[str]) -> list[str]:
        """Those of the texts that have no vector yet, each once."""
        known = self._kept.get(key, {})
        return [text for text in dict.fromkeys(texts) if text not in known]

    def keep(self, key: SessionKey, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        """Keep the vectors of these texts, and forget others where there is no more room."""
        known = self._kept.setdefault(key, {})
        self._kept.move_to_end(key)
        for text, raw in zip(texts, vectors, strict=True):
            if text not in known:
                known[text] = unit(raw)
                self.bytes += known[text].nbytes
        while self.bytes > self._max_bytes:
            self._forget_oldest()

    def forget(self, key: SessionKey) -> None:
        """Nothing of this session is left here."""
        self.bytes -= sum(vector.nbytes for vector in self._kept.pop(key, {}).values())

    def retain(self, key: SessionKey, texts: Iterable[str]) -> None:
        """Forget what is none of these texts, once it is half of what is known: it has left the archive, or has not
        come there yet."""
        kept = set(texts)
        known = self._kept.get(key, {})
        if len(known) <= 2 * len(kept):
            return
        for text in [text for text in known if text not in kept]:
            self.bytes -= known.pop(text).nbytes

    def of(self, key: SessionKey, texts: Iterable[str]) -> dict[str, Vector]:
        """The vectors of those of the texts that have one."""
        known = self._kept.get(key)
        if known is None:
            return {}
        self._kept.move_to_end(key)
        return {text: known[text] for text in texts if text in known}

    def _forget_oldest(self) -> None:
        """Of the last session there is, its first sentences."""
        if len(self._kept) > 1:
            self.forget(next(iter(self._kept)))
            return
        known = next(iter(self._kept.values()))
        self.bytes -= known.pop(next(iter(known))).nbytes


def cosines(vectors: Mapping[str, Vector], asked: Sequence[float]) -> dict[str, float]:
    """The cosine of each of the texts to what is asked. A vector of another length is of another model: it is near
    nothing."""
    question = unit(asked)
    found = {text: vector for text, vector in vectors.items() if vector.shape == question.shape}
    if not found:
        return {}
    return dict(zip(found, (np.stack(list(found.values())) @ question).tolist(), strict=True))


def unit(raw: Sequence[float]) -> Vector:
    """The vector with length 1; nought stays nought, and what is no usual number counts as nought."""
    vector = np.asarray(raw, np.float64)
    vector = np.where(np.abs(vector) < _LARGEST, vector, 0.0)  # also what is no number
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)
