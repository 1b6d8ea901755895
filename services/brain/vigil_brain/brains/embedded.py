"""The kind `embedded`: a small language model on this machine's CPU, for those who have configured nothing else.

`make brain` installs it (llama.cpp and Qwen2.5-Coder-1.5B-Instruct, 1.1 GB) into a folder of its own. Its server is a
child of this process: it starts with the first task, ends with the service, and is started again when it died.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from vigil.runtime.process.child_server import ChildServer, ChildServerFailed, start_child_server
from vigil.runtime.process.logs import get_log
from vigil_brain.brains.http_client import HttpClient, http_session, in_time
from vigil_brain.brains.openai_chat import ChatOptions, OpenAIBrain
from vigil_brain.brains.port import Answer, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.prompt import EMBEDDED_PROMPT, prompt_examples
from vigil_brain.brains.sentences import GRAMMAR, sentence
from vigil_brain.brains.spec import BrainSpec

MODEL = "qwen2.5-coder-1.5b-instruct"
START_S = 120.0
MAX_TOKENS = 200
_SERVER = Path(__file__).parents[1] / "embedded_server.py"
NOT_INSTALLED = (
    "no brain is configured, and the embedded one is not installed: name a brain in VIGIL_BRAINS_FILE "
    "(docs/brain.md), or run make brain"
)

log = get_log()


class EmbeddedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. `folder` is where `make brain` has installed it; `threads` is how many cores it
    may use: more than are free make it slower, not faster."""

    folder: str = ".venv-brain"
    threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1


class EmbeddedBrain:
    """Asks the local server, one task after the other: two at once would only share its threads. It is asked the
    question alone: what else a task has makes so small a model slower and its answers worse."""

    def __init__(self, command: tuple[str, ...], timeout_s: float) -> None:
        self._command = command
        self._timeout_s = timeout_s
        self._server: ChildServer | None = None
        self._turn = asyncio.Lock()
        self._options = ChatOptions(
            MODEL, timeout_s, 0, MAX_TOKENS, 0.0, EMBEDDED_PROMPT, prompt_examples(EMBEDDED_PROMPT), GRAMMAR
        )

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._timeout_s, task.deadline_s)), self._turn, http_session() as http:
            server = await self._running(told)
            alone = BrainTask(task.id, task.question, language=task.language, deadline_s=task.deadline_s)
            answer = await OpenAIBrain(HttpClient(http, server.url, server.key), self._options).solve(alone, told)
            return replace(answer, text=sentence(task.question, answer.text))

    async def close(self) -> None:
        """End the server."""
        if self._server is not None:
            await self._server.end()
            self._server = None

    async def _running(self, told: Told) -> ChildServer:
        if self._server is not None and self._server.is_running:
            return self._server
        await told.progress("loads its model")
        self._server = await _start(self._command)
        return self._server


@asynccontextmanager
async def open_embedded(settings: EmbeddedSettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """The embedded model. Raises `BrainError` when it is not installed."""
    brain = EmbeddedBrain(installed(settings), spec.timeout_s)
    try:
        yield brain
    finally:
        await brain.close()


def installed(settings: EmbeddedSettings) -> tuple[str, ...]:
    """The command that starts the server. Raises `BrainError` when it is not installed."""
    folder = Path(settings.folder).absolute()
    python, weights = folder / "bin" / "python", folder / f"{MODEL}.gguf"
    if not python.exists() or not weights.exists():
        raise BrainError(NOT_INSTALLED)
    return str(python), str(_SERVER), str(weights), str(settings.threads)


async def _start(command: tuple[str, ...]) -> ChildServer:
    """Start the server and wait until it has loaded its model. Raises `BrainError`."""
    try:
        server = await start_child_server(command, START_S)
    except ChildServerFailed:
        raise BrainError("the embedded brain did not start: run make brain again", is_transient=True) from None
    log.info("embedded brain started", url=server.url, pid=server.process.pid)
    return server
