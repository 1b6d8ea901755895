"""The kind `command`: a program on this machine, in a sandbox (`vigil_brain.brains.sandbox`), never without one.

The program reads one line of JSON from its standard input and writes lines of JSON:

    {"id", "question", "note", "language", "instructions", "memory", "pictures": [{"time_ms", "jpeg_base64"}],
     "prompt", "deadline_s"}                                                                                    →
    {"type": "progress", "text"}                                                                                ←
    {"type": "approve", "id", "tool", "arguments", "summary"}                                                   ←
    {"type": "approval", "id", "granted"}                                                                       →
    {"type": "artefact", "name", "media_type", "base64"}                                                        ←
    {"type": "answer", "text"}                                                                                  ←

Its last `answer` counts. It has to end by itself, with exit status 0.
"""

import asyncio
import base64
import binascii
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from vigil.runtime.process.logs import get_log
from vigil_brain.brains.bounded import Allowance, BoundedText, Flooded, LineParser
from vigil_brain.brains.http_client import in_time, json_object, shortened
from vigil_brain.brains.port import MAX_READ_BYTES, Action, Answer, ArtefactContent, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.prompt import system_text
from vigil_brain.brains.sandbox import Limits, Sandbox
from vigil_brain.brains.spec import BrainSpec

MAX_ARTEFACTS = 8
MAX_ERROR_BYTES = 4_096
CHECK_S = 10.0
_CHUNK = 65_536
_DEFAULT_LIMITS = Limits()
_NO_SANDBOX = "a command brain runs only in a sandbox, and this machine has none"

log = get_log()
T = TypeVar("T")


class CommandSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. `command` is the program and its arguments; `folders` are let in, read-only,
    beside the system's programs. Memory is bounded for each process, `files_mib` for each of `/tmp` and `/task`."""

    command: Annotated[list[str], msgspec.Meta(min_length=1)]
    folders: list[str] = []
    memory_mib: Annotated[int, msgspec.Meta(ge=16, le=1_048_576)] = 1_024
    processes: Annotated[int, msgspec.Meta(ge=1, le=4_096)] = 64
    cpu_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 120
    files_mib: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 64

    @property
    def limits(self) -> Limits:
        """What one run may use."""
        return Limits(self.memory_mib, self.processes, self.cpu_s, self.files_mib)


@dataclass(slots=True)
class _Output:
    """What the program has said so far."""

    text: BoundedText
    artefacts: list[ArtefactContent]
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class _Program:
    """A program that runs, and its three pipes."""

    process: asyncio.subprocess.Process
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader


class CommandBrain:
    """Runs the program once for each task."""

    def __init__(self, command: Sequence[str], sandbox: Sandbox, timeout_s: float) -> None:
        self._command = sandbox.command(command)
        self._timeout_s = timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        output = _Output(BoundedText(), [])
        async with (
            in_time(min(self._timeout_s, task.deadline_s)),
            _running(self._command) as program,
            _beside(_send(program, _request(task))),  # a program may answer without reading
            _beside(_tail(program)) as last_words,
        ):
            await self._read(program, output, told)
            if not output.text.was_cut:
                await _ended(program, last_words)
        return _answer(output)

    async def _read(self, program: _Program, output: _Output, told: Told) -> None:
        """Take the program's lines until it closes its output or sends too much."""
        allowance, lines = Allowance(MAX_READ_BYTES), LineParser()
        try:
            while chunk := await program.stdout.read(_CHUNK):
                allowance.take(len(chunk))
                for line in lines.feed(chunk):
                    await self._take(program, line, output, told)
            await self._take(program, lines.last(), output, told)
        except Flooded:
            output.text.cut()

    async def _take(self, program: _Program, line: bytes, output: _Output, told: Told) -> None:
        if not line.strip():
            return
        message = json_object(line)
        match message.get("type"):
            case "progress":
                await told.progress(shortened(message.get("text", "")))
            case "approve":
                granted = await told.approve(_action(message))
                await _send(program, {"type": "approval", "id": message.get("id"), "granted": granted})
            case "artefact":
                output.artefacts.append(_artefact(message, len(output.artefacts)))
            case "answer":
                output.text, output.is_answered = BoundedText(), True
                output.text.append(str(message.get("text", "")))
            case kind:
                raise BrainError(f"the program sent a line of the type {shortened(kind)!r}, which there is not")


@asynccontextmanager
async def open_command(settings: CommandSettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """The program, when a sandbox can be made. Raises `BrainError` with the reason when none can."""
    sandbox = find_sandbox(settings.folders, settings.limits)
    await check_sandbox(sandbox)
    yield CommandBrain(settings.command, sandbox, spec.timeout_s)


def find_sandbox(folders: Sequence[str] = (), limits: Limits = _DEFAULT_LIMITS) -> Sandbox:
    """The programs that make a sandbox. Raises `BrainError` when one is missing. A service that runs as root gives the
    program another user, because root is bound by no limit of processes."""
    found = {name: shutil.which(name) or "" for name in ("bwrap", "prlimit", "setpriv")}
    for name, package in (("bwrap", "bubblewrap"), ("prlimit", "util-linux"), ("setpriv", "util-linux")):
        if not found[name]:
            raise BrainError(f"{_NO_SANDBOX}: install the package {package}")
    setpriv = found["setpriv"] if os.geteuid() == 0 else ""
    return Sandbox(found["bwrap"], found["prlimit"], setpriv, tuple(folders), limits)


async def check_sandbox(sandbox: Sandbox) -> None:
    """Run `true` in it. Raises `BrainError` with the reason when the machine lets nobody make a sandbox: containers
    often forbid user namespaces."""
    async with in_time(CHECK_S), _running(sandbox.command(["true"])) as program, _beside(_tail(program)) as last_words:
        if await program.process.wait():
            raise BrainError(f"{_NO_SANDBOX}: {_words(await last_words)}")


@asynccontextmanager
async def _running(command: list[str]) -> AsyncIterator[_Program]:
    """A process in a group of its own, which is gone when the block ends, with all that it started."""
    piped = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=piped, stdout=piped, stderr=piped, start_new_session=True, env={}, cwd="/"
        )
    except OSError as error:
        raise BrainError(f"the sandbox cannot be started: {error.strerror}") from None
    try:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise BrainError("the sandbox was started without pipes")
        yield _Program(process, process.stdin, process.stdout, process.stderr)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # What is left in the pipes is read: asyncio hears of the end of a process only behind the end of its pipes.
        for pipe in (process.stdout, process.stderr):
            while pipe is not None and await pipe.read(_CHUNK):
                pass
        await process.wait()


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """`work` as a task that ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def _send(program: _Program, message: dict[str, Any]) -> None:
    """One line of JSON to the program. A program that reads nothing or has ended is no fault: its output counts."""
    with suppress(BrokenPipeError, ConnectionResetError):
        program.stdin.write(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        await program.stdin.drain()


async def _tail(program: _Program) -> bytes:
    """The end of what the program writes as errors: read on, so that it never waits for us."""
    tail = b""
    while chunk := await program.stderr.read(_CHUNK):
        tail = (tail + chunk)[-MAX_ERROR_BYTES:]
    return tail


async def _ended(program: _Program, last_words: asyncio.Task[bytes]) -> None:
    """Wait for the program's end. Raises `BrainError` when it failed."""
    if status := await program.process.wait():
        log.warning("brain program failed", status=status, last_words=_words(await last_words))
        how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
        raise BrainError(f"the program {how}: its last words are in the log of the service")


def _words(said: bytes) -> str:
    return shortened(said.decode("utf-8", "replace"))


def _request(task: BrainTask) -> dict[str, Any]:
    pictures = [
        {"time_ms": picture.time_ms, "jpeg_base64": base64.b64encode(picture.jpeg).decode("ascii")}
        for picture in task.pictures
    ]
    return {
        "id": task.id,
        "question": task.question,
        "note": task.note,
        "language": task.language,
        "instructions": list(task.instructions),
        "memory": task.memory,
        "pictures": pictures,
        "prompt": system_text(task),
        "deadline_s": task.deadline_s,
    }


def _action(message: dict[str, Any]) -> Action:
    arguments = message.get("arguments")
    tool = shortened(message.get("tool", ""))
    summary = shortened(message.get("summary") or tool)
    return Action(tool, arguments if isinstance(arguments, dict) else {}, summary)


def _artefact(message: dict[str, Any], count: int) -> ArtefactContent:
    if count >= MAX_ARTEFACTS:
        raise BrainError(f"the program made more than {MAX_ARTEFACTS} artefacts")
    try:
        content = base64.b64decode(str(message.get("base64", "")), validate=True)
    except (binascii.Error, ValueError):
        raise BrainError("the program sent an artefact that is no base64") from None
    return ArtefactContent(shortened(message.get("name", "")), shortened(message.get("media_type", "")), content)


def _answer(output: _Output) -> Answer:
    text = output.text.text
    if not output.is_answered and not output.text.was_cut:
        raise BrainError('the program ended without an answer: it has to write {"type": "answer", "text": …}')
    return Answer(text, tuple(output.artefacts), output.text.was_cut)
