"""The `vigil-provision` command as a process."""

import asyncio
import os
import sys
from pathlib import Path

from vigil_client.testing.command import Result

PROGRAM = str(Path(sys.executable).with_name("vigil-provision"))
DEADLINE_S = 90.0  # longer than any wait of the command itself


async def provision(*arguments: str, **variables: str) -> Result:
    """Run it to its end with a plain environment and these variables. A traceback is never right."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *arguments,
        env={"PATH": os.defpath, "COLUMNS": "160", "LANG": "C.UTF-8", **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert b"Traceback" not in errors, errors.decode()
    return Result(process.returncode or 0, (output if process.returncode == 0 else errors).decode())
