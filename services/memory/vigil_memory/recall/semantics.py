"""How near the sentences of an archive are to a question in meaning, as far as an embedding model said it in time.

A recall waits for the vector of its question alone. Sentences get theirs when their block is written. Those that have
none yet, for another worker wrote them or the model was away, get theirs beside the recall, for the questions to come.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from vigil.core.ids import SessionKey
from vigil.core.memory import Block
from vigil.runtime.process.logs import get_log
from vigil_memory.recall import metrics
from vigil_memory.recall.blending import NO_NEARNESS, Nearness
from vigil_memory.recall.embedding import Embedder, EmbedderError
from vigil_memory.recall.passages import Entry, EntryKind, passages
from vigil_memory.recall.vectors import Vectors, cosines

log = get_log()

QUESTION_S = 0.1  # a recall waits no longer for the vector of its question
BATCH_S = 30.0
BATCH = 64  # sentences of one call
MAX_LEARNING = 64  # sessions whose sentences get vectors at once or wait for it; others with their next question
LEARNING = 2  # calls for them at once
REMEMBERED = 1_024  # sessions that ended last


class Semantics:
    """Nearness by one embedding model, whose vectors are near from the cosine `least` on. `close` ends what goes on
    beside."""

    def __init__(self, embedder: Embedder, vectors: Vectors, least: float) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._least = least
        self._over: deque[SessionKey] = deque(maxlen=REMEMBERED)
        self._learning: dict[SessionKey, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(LEARNING)

    def learn(self, key: SessionKey, block: Block) -> None:
        """A summary was written: its sentences get their vectors beside."""
        entry = Entry(block.id, EntryKind.BLOCK, block.from_ms, block.to_ms, block.text)
        self._learn(key, [passage.text for passage in passages([entry])])

    async def nearness(self, key: SessionKey, question: str, texts: Sequence[str]) -> Nearness:
        """Of the sentences that are known; of none when the model gives no vector of the question in time. Never
        raises: a recall by words is better than none."""
        self._vectors.retain(key, texts)
        self._learn(key, texts)
        try:
            (asked,) = await self._embedded([question], QUESTION_S)
        except EmbedderError as error:
            log.warning("question not embedded", session=key.session, reason=str(error))
            return NO_NEARNESS
        known = self._vectors.of(key, texts)
        # Beside the loop: the 11,000 sentences of a day take 30 ms.
        return Nearness(await asyncio.to_thread(cosines, known, asked), self._least)

    def forget(self, key: SessionKey) -> None:
        """The session is over: nothing that was derived from its words is left, and nothing comes anew."""
        self._over.append(key)
        if (learning := self._learning.pop(key, None)) is not None:
            learning.cancel()
        self._vectors.forget(key)
        metrics.VECTOR_BYTES.set(self._vectors.bytes)

    async def close(self) -> None:
        """End all calls that go on beside."""
        running = tuple(self._learning.values())
        for learning in running:
            learning.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _learn(self, key: SessionKey, texts: Sequence[str]) -> None:
        if key in self._over or key in self._learning or len(self._learning) >= MAX_LEARNING:
            return
        missing = self._vectors.missing(key, texts)
        if missing:
            self._learning[key] = asyncio.create_task(self._learned(key, missing), name=f"vectors {key}")

    async def _learned(self, key: SessionKey, missing: Sequence[str]) -> None:
        """Newest first: they are asked about most."""
        newest_first = missing[::-1]
        try:
            for begin in range(0, len(newest_first), BATCH):
                texts = newest_first[begin : begin + BATCH]
                async with self._places:
                    self._vectors.keep(key, texts, await self._embedded(texts, BATCH_S))
                metrics.VECTOR_BYTES.set(self._vectors.bytes)
        except EmbedderError as error:
            log.warning("sentences not embedded", session=key.session, reason=str(error))
        finally:
            if self._learning.get(key) is asyncio.current_task():
                del self._learning[key]

    async def _embedded(self, texts: Sequence[str], deadline_s: float) -> list[list[float]]:
        try:
            found = await self._embedder.embed(texts, deadline_s)
        except EmbedderError as error:
            metrics.EMBEDDINGS.labels(error.kind).inc()
            raise
        metrics.EMBEDDINGS.labels("answered").inc()
        return found
