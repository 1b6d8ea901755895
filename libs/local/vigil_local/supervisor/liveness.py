"""Liveness of a process that runs: after a disk was full, NATS stores nothing until it is started again."""

import asyncio
import time
from pathlib import Path

from vigil_local.supervisor import disk
from vigil_local.supervisor.gates import Gate

POLL_S = 1.0


async def until_unhealthy(ask: Gate, directory: Path, unhealthy_s: float, poll_s: float = POLL_S) -> str:
    """Return why a process has to be started again although it runs: it has been unhealthy for `unhealthy_s` seconds.

    While the disk of `directory` is full a restart changes nothing, so that time does not count.
    """
    healthy_at = time.monotonic()
    while True:
        await asyncio.sleep(poll_s)
        why = await ask()
        if not why or disk.shortage(directory):
            healthy_at = time.monotonic()
        elif time.monotonic() - healthy_at >= unhealthy_s:
            return f"unhealthy for {unhealthy_s:g} s: {why}"
