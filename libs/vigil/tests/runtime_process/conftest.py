"""Starts the trial worker as a real process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from vigil.testing.eventually import DEADLINE_S

PROGRAM = Path(__file__).with_name("worker_program.py")


class TrialWorker:
    """A running process, its log lines and its ports."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def logged(self, message: str) -> dict[str, Any]:
        """Wait for the log line with this message; an `AssertionError` when the process ends first."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := await self.process.stdout.readline():
                self.lines.append(json.loads(line))
                if self.lines[-1]["message"] == message:
                    return self.lines[-1]
        raise AssertionError(f"the process ended without saying {message!r}: {self.lines}")

    async def ended(self) -> tuple[int, list[str], str]:
        """Exit code, messages of all log lines, and what was written to standard error."""
        async with asyncio.timeout(DEADLINE_S):
            out, err = await self.process.communicate()
        self.lines += [json.loads(line) for line in out.splitlines()]
        code = self.process.returncode
        assert code is not None
        return code, [str(line["message"]) for line in self.lines], err.decode()


Start = Callable[..., Awaitable[TrialWorker]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start the trial worker with these variables; whatever still runs at the end is killed."""
    workers: list[TrialWorker] = []

    async def run(**variables: str) -> TrialWorker:
        given = {"engine_url": "http://127.0.0.1:9", **variables}
        environment = {f"VIGIL_{name.upper()}": value for name, value in given.items()}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), env=environment, stdout=pipe, stderr=pipe
        )
        workers.append(TrialWorker(process))
        return workers[-1]

    yield run
    for worker in workers:
        if worker.process.returncode is None:
            worker.process.kill()
            await worker.process.communicate()
