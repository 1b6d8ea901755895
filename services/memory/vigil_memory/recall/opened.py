"""Opens the embedding model that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import trusted_by
from vigil_memory.config import MemorySettings
from vigil_memory.recall.embedding import MAX_ANSWER_BYTES, OpenAiEmbedder
from vigil_memory.recall.semantics import Semantics
from vigil_memory.recall.vectors import Vectors
from vigil_memory.summarisers.http_client import HttpClient, http_session


@asynccontextmanager
async def open_semantics(settings: MemorySettings) -> AsyncIterator[Semantics | None]:
    """Nearness in meaning; None without a model. The model need not be up. Raises `StartupError`."""
    if not settings.embeddings_url:
        yield None
        return
    if not settings.embeddings_model:
        raise StartupError("VIGIL_EMBEDDINGS_MODEL: it is empty: VIGIL_EMBEDDINGS_URL needs it")
    async with http_session(trusted_by(settings.ca_file)) as http:
        key = settings.embeddings_api_key.get_secret_value()
        client = HttpClient(http, key, name="embedding model", setting="VIGIL_EMBEDDINGS", most_bytes=MAX_ANSWER_BYTES)
        embedder = OpenAiEmbedder(client, settings.embeddings_url, settings.embeddings_model)
        semantics = Semantics(embedder, Vectors(round(settings.embeddings_mb * 2**20)), settings.embeddings_least)
        try:
            yield semantics
        finally:
            await semantics.close()
