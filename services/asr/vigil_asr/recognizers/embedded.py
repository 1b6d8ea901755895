"""Whisper on this machine's CPU, for those who have configured no other engine.

`make speech` installs it into a folder of its own. Its server is a child of this process and speaks OpenAI's
dialect: so the weights, their libraries and their crashes stay outside, a slow decoding never holds the event loop
up, and everything that the adapter for OpenAI can do, this one can.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from vigil.runtime.process.startup import StartupError
from vigil_asr.kept_server import KeptServer
from vigil_asr.recognizers.connection import Connection, http_session
from vigil_asr.recognizers.openai import OpenAIOptions, OpenAIRecognizer
from vigil_asr.recognizers.port import Recognized, Told
from vigil_asr.sound import RemarkSound

MODELS = ("whisper-tiny.en", "whisper-base")
_SERVER = Path(__file__).parents[1] / "whisper_server"


class EmbeddedRecognizer:
    """Asks the local server. Remarks wait while it starts."""

    def __init__(self, kept: KeptServer, model: str, partial_ms: int, http: aiohttp.ClientSession) -> None:
        self._kept = kept
        self._options = OpenAIOptions(model, partial_ms, f"{model}:partial")
        self._http = http

    @property
    def name(self) -> str:
        return self._options.model

    async def ready(self) -> None:
        """Wait until the server runs."""
        await self._kept.ready()

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        server = await self._kept.ready()
        engine = OpenAIRecognizer(Connection(self._http, server.url, server.key), self._options)
        return await engine.recognize(sound, language, told)


@asynccontextmanager
async def open_embedded(folder: Path, model: str, threads: int, partial_ms: int) -> AsyncIterator[EmbeddedRecognizer]:
    """The embedded engine, as long as the block runs. Raises `StartupError` where it is not installed."""
    kept = KeptServer("recognizer", installed(folder, model, threads))
    async with http_session() as http, kept.running():
        yield EmbeddedRecognizer(kept, model, partial_ms, http)


def installed(folder: Path, model: str, threads: int) -> tuple[str, ...]:
    """The command that starts the server. Raises `StartupError` where it is not installed."""
    folder = folder.absolute()
    python = folder / "bin" / "python"
    if not python.exists() or not (folder / model / "model.bin").exists():
        raise StartupError(
            f"there is no embedded recognizer in {folder}: run make speech, or name an engine in VIGIL_ASR_ENGINE and "
            "VIGIL_ASR_URL"
        )
    return str(python), str(_SERVER), str(folder), model, str(threads)
