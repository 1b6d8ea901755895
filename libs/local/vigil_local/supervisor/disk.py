"""Room on the disk that a data directory is on: what is said when it ends, and when there is some again."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

# Below this Redis and NATS soon cannot write: Redis then exits, and NATS stores nothing until it is started again.
FULL_BYTES = 32 << 20
POLL_S = 1.0


def free_bytes(path: Path) -> int:
    """Bytes that a process without special rights can still write to the file system of `path`."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def shortage(path: Path, full_bytes: int = FULL_BYTES) -> str:
    """`disk full: 3 MB free on …`; empty while there is room, and where that cannot be found out."""
    try:
        free = free_bytes(path)
    except OSError:
        return ""
    return f"disk full: {free / 1e6:.0f} MB free on {path}" if free < full_bytes else ""


@asynccontextmanager
async def watched(path: Path, say: Callable[[str], None], poll_s: float = POLL_S) -> AsyncIterator[None]:
    """While this is open, `say` when the disk becomes full and when there is room again."""
    watching = asyncio.create_task(_watch(path, say, poll_s))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(path: Path, say: Callable[[str], None], poll_s: float) -> None:
    was_full = False
    while True:
        short = shortage(path)
        if short and not was_full:
            say(f"{short}: nothing can be stored until there is room again; then all goes on by itself")
        elif was_full and not short:
            say(f"there is room again: {free_bytes(path) / 1e6:,.0f} MB free on {path}")
        was_full = bool(short)
        await asyncio.sleep(poll_s)
