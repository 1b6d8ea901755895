"""Opens the summariser that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import trusted_by
from vigil_memory.config import MemorySettings
from vigil_memory.summarisers.engine import EngineSummariser
from vigil_memory.summarisers.external import ExternalSummariser
from vigil_memory.summarisers.http_client import HttpClient, http_session
from vigil_memory.summarisers.openai_chat import ChatSummariser
from vigil_memory.summarisers.port import Summariser


@asynccontextmanager
async def open_summariser(settings: MemorySettings) -> AsyncIterator[Summariser]:
    """The summariser. It need not be up: what it does not answer is asked again. Raises `StartupError`."""
    tls = trusted_by(settings.ca_file)
    if settings.summariser == "engine":
        key = settings.engine_api_key.get_secret_value()
        async with EnginePool(settings.engines, api_key=key, tls=tls) as engines:
            yield EngineSummariser(engines, settings.model)
        return
    _check(settings)
    async with http_session(tls) as http:
        client = HttpClient(http, settings.summariser_api_key.get_secret_value())
        if settings.summariser == "openai":
            yield ChatSummariser(client, settings.summariser_url, settings.summariser_model)
        else:
            yield ExternalSummariser(client, settings.summariser_url)


def _check(settings: MemorySettings) -> None:
    if not settings.summariser_url:
        raise StartupError(f"VIGIL_SUMMARISER_URL: it is empty: VIGIL_SUMMARISER={settings.summariser} needs it")
    if settings.summariser == "openai" and not settings.summariser_model:
        raise StartupError("VIGIL_SUMMARISER_MODEL: it is empty: VIGIL_SUMMARISER=openai needs it")
