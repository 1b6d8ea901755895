"""The `vigil` command, as a process or in this one."""

import asyncio
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from vigil_client.main import main

VIGIL = str(Path(sys.executable).with_name("vigil"))


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    status: int
    output: str


def invoked(*arguments: str) -> Result:
    """Run it in this process, which has no event loop: faster than a process, and signals are not part of it."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        try:
            main(arguments)
        except SystemExit as ended:
            return Result(int(ended.code or 0), output.getvalue())
    return Result(0, output.getvalue())


async def start(*arguments: str, cwd: Path | None = None) -> asyncio.subprocess.Process:
    """Start it with a plain environment; its errors come with its output."""
    return await asyncio.create_subprocess_exec(
        VIGIL,
        *arguments,
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": "/tmp", "COLUMNS": "160", "LANG": "C.UTF-8"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def vigil(*arguments: str, cwd: Path | None = None, deadline_s: float = 90.0) -> Result:
    """Run it to its end. A traceback is never right."""
    process = await start(*arguments, cwd=cwd)
    output, _ = await asyncio.wait_for(process.communicate(), deadline_s)
    assert b"Traceback" not in output, output.decode()
    return Result(process.returncode or 0, output.decode())
