"""A process that runs and says that it cannot go on: after a disk was full, NATS stores nothing until a new start."""

import asyncio
import time
from pathlib import Path

from vigil_local.supervisor import disk
from vigil_local.supervisor.gates import Gate

POLL_S = 1.0


async def fall_sick(ask: Gate, directory: Path, sick_s: float, poll_s: float = POLL_S) -> str:
    """Return why a process has to be started again although it runs: for `sick_s` seconds it has said so.

    While the disk of `directory` is full a new start changes nothing, so that is waited out.
    """
    well_at = time.monotonic()
    while True:
        await asyncio.sleep(poll_s)
        why = await ask()
        if not why or disk.shortage(directory):
            well_at = time.monotonic()
        elif time.monotonic() - well_at >= sick_s:
            return f"sick for {sick_s:g} s: {why}"
