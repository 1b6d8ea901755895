"""Starts the load generator and reads its report."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bench.load_plan import LoadPlan, LoadReport
from bench.processes import PATH, TESTS, Usage, usage

_STOP_S = 10.0


class Generator:
    """A running load generator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def usage(self) -> Usage:
        """What the generator has used. Raises `ProcessLookupError` when it has ended."""
        return usage(self._process.pid)

    async def finished(self, deadline_s: float) -> LoadReport:
        """Wait until the plan is done. Raises `TimeoutError`."""
        async with asyncio.timeout(deadline_s):
            return await self._report()

    async def stop(self) -> LoadReport:
        """End the load; what it did."""
        if self._process.returncode is None:
            self._process.terminate()
        async with asyncio.timeout(_STOP_S):
            return await self._report()

    async def kill(self) -> None:
        """End it without a report. Idempotent."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _report(self) -> LoadReport:
        if self._process.stdout is None:
            raise RuntimeError("the load generator has no output")
        line = await self._process.stdout.read()
        await self._process.wait()
        if not line:
            raise RuntimeError("the load generator failed: its log has the reason")
        return msgspec.json.decode(line, type=LoadReport)


@asynccontextmanager
async def loading(plan: LoadPlan, folder: Path) -> AsyncIterator[Generator]:
    """Run the plan in a process of its own; it ends with the block at the latest."""
    with (folder / "load.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.load"),
            env={"PATH": PATH, "PYTHONPATH": str(TESTS)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    generator = Generator(process)
    try:
        await _tell(process, plan)
        yield generator
    finally:
        await generator.kill()


async def _tell(process: asyncio.subprocess.Process, plan: LoadPlan) -> None:
    if process.stdin is None:
        raise RuntimeError("the load generator has no input")
    process.stdin.write(plan.encode())
    await process.stdin.drain()
    process.stdin.close()


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
