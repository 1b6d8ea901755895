"""The kind `embedded`: a small English voice on this machine's CPU, for those who have configured nothing else.

`make speech` installs it (hibari, 15 MB, and ONNX Runtime) into a folder of its own. Its server is a child of this
process: it starts with the service, ends with it, and is started again when it died.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from vigil.runtime.process.child_server import ChildServer, ChildServerFailed, start_child_server
from vigil.runtime.process.logs import get_log
from vigil_tts.synthesizers.http_client import HttpClient
from vigil_tts.synthesizers.openai_speech import OpenAIOptions, OpenAISynthesizer
from vigil_tts.synthesizers.port import Sound, SpeakingVoice, SynthesizerError, Task

MODEL = "hibari"
RATE_HZ = 24_000
START_S = 60.0
AGAIN_S = 5.0  # after a start that failed: until then every text fails at once
_SERVER = Path(__file__).parents[1] / "embedded_server.py"
NOT_INSTALLED = (
    "no speech engine is configured, and the embedded one is not installed: choose one with VIGIL_TTS_ENGINE "
    "(docs/speech.md), or run make speech"
)

log = get_log()


@dataclass(frozen=True, slots=True)
class _Running:
    server: ChildServer
    voice: OpenAISynthesizer


class EmbeddedSynthesizer:
    """Asks the local server, and starts it where it does not run."""

    def __init__(self, http: aiohttp.ClientSession, command: tuple[str, ...], again_s: float = AGAIN_S) -> None:
        self._http = http
        self._command = command
        self._again_s = again_s
        self._running: _Running | None = None
        self._failed_at = float("-inf")
        self._starting = asyncio.Lock()

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """See `Synthesizer`."""
        async with aclosing((await self._voice()).speak(task)) as pieces:
            async for sound in pieces:
                yield sound

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """See `Synthesizer`."""
        return await (await self._voice()).voices()

    async def start(self) -> None:
        """Start the server before it is needed; what goes wrong is logged, and tried again with the next text."""
        try:
            await self._voice()
        except SynthesizerError as error:
            log.error("embedded voice not started", reason=error.reason)

    async def close(self) -> None:
        """End the server."""
        if self._running is not None:
            await self._running.server.end()
            self._running = None

    async def _voice(self) -> OpenAISynthesizer:
        async with self._starting:
            if self._running is not None and self._running.server.is_running:
                return self._running.voice
            now = asyncio.get_running_loop().time()
            if now - self._failed_at < self._again_s:
                raise SynthesizerError("the embedded voice did not start: run make speech again", "unavailable")
            try:
                self._running = await _started(self._http, self._command)
            except SynthesizerError:
                self._failed_at = now
                raise
            return self._running.voice


@asynccontextmanager
async def open_embedded(http: aiohttp.ClientSession, folder: str, threads: int) -> AsyncIterator[EmbeddedSynthesizer]:
    """The embedded voice, which starts in the background."""
    synthesizer = EmbeddedSynthesizer(http, installed(folder, threads))
    starting = asyncio.create_task(synthesizer.start())
    try:
        yield synthesizer
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await synthesizer.close()


def installed(folder: str, threads: int) -> tuple[str, ...]:
    """The command that starts the server; empty when it is not installed."""
    python = Path(folder).absolute() / "bin" / "python"
    return (str(python), str(_SERVER), str(threads)) if python.exists() else ()


async def _started(http: aiohttp.ClientSession, command: tuple[str, ...]) -> _Running:
    """Start the server and wait until it has loaded its voice. Raises `SynthesizerError`."""
    if not command:
        raise SynthesizerError(NOT_INSTALLED, "unavailable")
    try:
        server = await start_child_server(command, START_S)
    except ChildServerFailed:
        raise SynthesizerError("the embedded voice did not start: run make speech again", "unavailable") from None
    log.info("embedded voice started", pid=server.process.pid)
    client = HttpClient(http, server.url, server.key)
    return _Running(server, OpenAISynthesizer(client, OpenAIOptions(MODEL, "", RATE_HZ)))
