"""Texts as vectors, by a model of somebody else: the port, and any OpenAI-compatible server behind it."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from vigil_memory.summarisers.http_client import HttpClient
from vigil_memory.summarisers.port import SummariserError

MAX_DIMENSIONS = 8_192
MAX_ANSWER_BYTES = 16 << 20  # 64 vectors of 4,096 numbers are 6 MiB as JSON


class EmbedderError(Exception):
    """No vectors came. `kind` is for the metric: timeout, unavailable, refused, invalid."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Embedder(Protocol):
    """Makes vectors of texts, near for texts that mean the same."""

    async def embed(self, texts: Sequence[str], deadline_s: float) -> list[list[float]]:
        """A vector for each text, all of one length. Raises `EmbedderError`."""
        ...


class _Embedded(msgspec.Struct, frozen=True):
    index: int
    embedding: list[float]


class _Answer(msgspec.Struct, frozen=True):
    data: list[_Embedded]


class OpenAiEmbedder:
    """Asks the model at `url`, the root of an OpenAI-compatible API, for embeddings."""

    def __init__(self, client: HttpClient, url: str, model: str) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/embeddings"
        self._model = model

    async def embed(self, texts: Sequence[str], deadline_s: float) -> list[list[float]]:
        """See `Embedder`."""
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        try:
            return _vectors(await self._client.post(self._url, body, deadline_s), len(texts))
        except SummariserError as error:
            raise EmbedderError(error.reason, error.kind) from None


def _vectors(answer: Any, count: int) -> list[list[float]]:
    """The vectors in the order of the texts. Raises `EmbedderError`."""
    try:
        found = {item.index: item.embedding for item in msgspec.convert(answer, _Answer).data}
    except msgspec.ValidationError:
        found = {}
    lengths = {len(vector) for vector in found.values()}
    if found.keys() != set(range(count)) or len(lengths) != 1 or not 0 < max(lengths) <= MAX_DIMENSIONS:
        raise EmbedderError("the embedding model's answer has no vector for each text", "invalid")
    return [found[place] for place in range(count)]
