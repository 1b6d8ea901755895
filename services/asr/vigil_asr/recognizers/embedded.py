"""Whisper on this machine's CPU, for those who have configured no other engine.

`make speech` installs it into a folder of its own. Its server is a child of this process and speaks OpenAI's
dialect: so the weights, their libraries and their crashes stay outside, a slow decoding never holds the event loop
up, and everything that the adapter for OpenAI can do, this one can. It starts with the service, ends with it, and is
started again when it died.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from vigil.runtime.process.child_server import ChildServer, ChildServerFailed, start_child_server
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.startup import StartupError
from vigil_asr import metrics
from vigil_asr.recognizers.connection import Connection, http_session
from vigil_asr.recognizers.openai import OpenAIOptions, OpenAIRecognizer
from vigil_asr.recognizers.port import Recognized, Told
from vigil_asr.sound import RemarkSound

START_S = 60.0
RESTART_S = 1.0  # after a server that died
MODELS = ("whisper-tiny.en", "whisper-base")
_SERVER = Path(__file__).parents[1] / "whisper_server"

log = get_log()


class EmbeddedRecognizer:
    """Asks the local server. Remarks wait while it starts."""

    def __init__(self, command: tuple[str, ...], model: str, partial_ms: int, http: aiohttp.ClientSession) -> None:
        self._command = command
        self._options = OpenAIOptions(model, partial_ms, f"{model}:partial")
        self._http = http
        self._ready = asyncio.Event()
        self._engine: OpenAIRecognizer | None = None

    @property
    def name(self) -> str:
        return self._options.model

    async def ready(self) -> None:
        """Wait until the server runs."""
        await self._ready.wait()

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        await self.ready()
        assert self._engine is not None  # noqa: S101  it is ready
        return await self._engine.recognize(sound, language, told)

    async def run(self) -> None:
        """Keep the server running until this is cancelled."""
        while True:
            try:
                metrics.ENGINE_STARTS.inc()
                server = await start_child_server(self._command, START_S)
            except ChildServerFailed as error:
                log.error("embedded recognizer not started", reason=str(error), hint="run make speech again")
            else:
                await self._serve(server)
            await asyncio.sleep(RESTART_S)

    async def _serve(self, server: ChildServer) -> None:
        self._engine = OpenAIRecognizer(Connection(self._http, server.url, server.key), self._options)
        self._ready.set()
        log.info("embedded recognizer started", model=self._options.model, pid=server.process.pid)
        try:
            status = await server.wait()
            log.warning("embedded recognizer ended", status=status)
        finally:
            self._ready.clear()
            await server.end()


@asynccontextmanager
async def open_embedded(folder: Path, model: str, threads: int, partial_ms: int) -> AsyncIterator[EmbeddedRecognizer]:
    """The embedded engine, as long as the block runs. Raises `StartupError` where it is not installed."""
    command = installed(folder, model, threads)
    async with http_session() as http:
        recognizer = EmbeddedRecognizer(command, model, partial_ms, http)
        running = asyncio.create_task(recognizer.run())
        try:
            yield recognizer
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


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
