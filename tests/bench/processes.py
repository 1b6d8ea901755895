"""Child processes: started with a log of their own, watched from /proc, ended whatever happens."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.settings import ROOT

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STOP_S = 15.0
_POLL_S = 0.1

TESTS = ROOT / "tests"
PATH = f"{Path(sys.executable).parent}:{os.defpath}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_s: float
    rss_bytes: int


@dataclass(slots=True)
class Child:
    """A running process."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def usage(self) -> Usage:
        """Processor time and resident memory. Raises `ProcessLookupError` when it has ended."""
        return usage(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL when that does not help. Idempotent."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), _STOP_S)
            except TimeoutError:
                self.process.kill()
        await self.process.wait()

    def tail(self) -> str:
        """The end of its log, for an error message."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])


def usage(pid: int) -> Usage:
    """What process `pid` has used. Raises `ProcessLookupError` when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} has ended") from error
    return Usage((int(stat[11]) + int(stat[12])) / _TICKS_PER_S, pages * _PAGE_BYTES)


@asynccontextmanager
async def child(
    name: str, argv: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """Run `argv` for as long as the block lasts; its output goes to the file `<folder>/<name>.log`."""
    log = folder / f"{name}.log"
    environment = {"PATH": PATH, "PYTHONPATH": str(TESTS), "HOME": str(folder), **(variables or {})}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *argv, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )
    started = Child(name, process, log)
    try:
        yield started
    finally:
        await started.stop()


async def answers(one: Child, url: str, deadline_s: float) -> None:
    """Wait until `url` answers 200. Raises `RuntimeError` with the process's last words when it does not."""
    end = time.monotonic() + deadline_s
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while time.monotonic() < end and one.process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(_POLL_S)
    raise RuntimeError(f"{one.name} is not ready ({url}):\n{one.tail()}")
