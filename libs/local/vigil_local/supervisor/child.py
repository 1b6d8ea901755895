"""A run of a process: in a session of its own, its output in a bounded log, killed when its supervisor dies."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vigil_local.supervisor import guard
from vigil_local.supervisor.process_log import ProcessLog

LINE_BYTES = 64 * 1024
# How long to wait for more output once the group is dead. Only a process that left the group can hold the pipe open.
PIPE_S = 2.0

_PR_SET_PDEATHSIG = 1


class Guard:
    """The supervisor's end of the pipe to the guard process (see `vigil_local.supervisor.guard`)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, remove: Sequence[Path] = ()) -> "Guard":
        """Start the guard; `remove` lists the paths that it deletes should the supervisor be killed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", guard.__file__, *map(str, remove)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return cls(process)

    def add(self, group: int) -> None:
        """Tell the guard of a process group."""
        self._tell(f"+{group}\n")

    def discard(self, group: int) -> None:
        """Tell the guard that a process group has ended."""
        self._tell(f"-{group}\n")

    async def close(self) -> None:
        """End the guard: it kills and removes whatever is still listed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(line.encode())


class Child:
    """A running process, leader of its own session and group."""

    def __init__(self, process: asyncio.subprocess.Process, pump: asyncio.Task[None], watcher: Guard) -> None:
        self._process = process
        self._guard = watcher
        self._pump = pump
        watcher.add(process.pid)

    @classmethod
    async def spawn(cls, argv: Sequence[str], env: Mapping[str, str], log: ProcessLog, watcher: Guard) -> "Child":
        """Start `argv` with exactly the environment `env`. Raises OSError when it cannot be run.

        The output pipe is ours, not asyncio's: with its own, a process that has died but whose children hold the
        pipe would not count as ended.
        """
        reading, writing = os.pipe()
        pump = asyncio.create_task(_pump(reading, log))
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=dict(env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),
            )
        finally:
            os.close(writing)
        return cls(process, pump, watcher)

    @property
    def pid(self) -> int:
        """The process id, which is the group's id too."""
        return self._process.pid

    async def exited(self) -> int:
        """Wait for the end; the exit status, negative for a signal."""
        return await self._process.wait()

    async def end(self, grace_s: float) -> None:
        """Ask it to stop, then what is left of its group, then kill that. Afterwards nothing of it runs."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_s)
        await self._end_group()
        await self._process.wait()
        await asyncio.wait([self._pump], timeout=PIPE_S)
        self._pump.cancel()
        self._guard.discard(self.pid)

    async def _end_group(self) -> None:
        """End what is left of the group. Helper processes get a moment: they end after the leader, and give its shared
        memory back. If the leader itself would not stop, all are killed at once."""
        if self._process.returncode is None:
            guard.signal_groups([self.pid], signal.SIGKILL)
        else:
            await asyncio.to_thread(guard.end_groups, [self.pid])


async def _pump(descriptor: int, log: ProcessLog) -> None:
    """Copy lines into the log until the pipe closes; a line beyond the limit is left out, not fatal."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        while line := await _line(reader):
            log.write(line.decode(errors="replace").rstrip("\n"))
    finally:
        transport.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty at the end."""
    try:
        return await reader.readline()
    except ValueError:
        return f"[a line of more than {LINE_BYTES} bytes was left out]\n".encode()


def _die_with_parent(parent: int) -> Callable[[], None]:
    """What a new process runs before its program: get SIGKILL when `parent` dies. The library is loaded beforehand,
    because little is safe between fork and exec."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
