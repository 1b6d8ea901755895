"""A disk that a test can fill: a file system in memory, which only root can mount."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_BLOCK = bytes(1 << 20)


class SmallDisk:
    """A mounted file system that can be filled and emptied."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filling = path / "filling"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filling.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(_BLOCK):
                pass

    def make_room(self) -> None:
        """Free what `fill` took."""
        self._filling.unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, size_mb: int = 80) -> Iterator[SmallDisk]:
    """A disk of its own at `path`; the test is skipped where none can be mounted."""
    path.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(path)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"a full disk needs `mount`: {errno.errorcode.get(error.errno or 0, error)}")
    if mounted.returncode != 0:
        pytest.skip(f"a full disk needs a file system of its own, which only root can mount: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
