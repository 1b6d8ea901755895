"""One `vigil up` per data directory, by a file lock that the kernel releases whatever happens to its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vigil_local.errors import AlreadyRunning


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, with this process's id in it. Raises `AlreadyRunning`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise AlreadyRunning(
                f"vigil up already runs with the data directory {path.parent} (process {holder})",
                f"use it, stop it (kill {holder}), or give another --data-dir",
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
