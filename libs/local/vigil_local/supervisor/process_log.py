"""A process's output: in a bounded file that only its owner can read, and that a full disk cannot break."""

import contextlib
import errno
import os
from collections import deque
from pathlib import Path

LOG_BYTES = 8 * 1024 * 1024
LOG_FILES = 3
TAIL_LINES = 12


class ProcessLog:
    """Lines in a file of mode 0600, which becomes `<name>.1` at `max_bytes`; `files` of them are kept.

    The last lines are at hand for error messages. Nothing here raises: what cannot be written, because the disk is full
    or the folder is gone, is counted in `lost`, and the file says so once it can be written again.
    """

    def __init__(self, path: Path, max_bytes: int = LOG_BYTES, files: int = LOG_FILES) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.lost = 0
        self._max_bytes = max_bytes
        self._files = files
        self._descriptor: int | None = None

    def write(self, line: str) -> None:
        """Append one line."""
        self.tail.append(line)
        missing = f"[{self.lost:,} lines could not be written here]\n" if self.lost else ""
        try:
            self._append(f"{missing}{line}\n".encode(errors="replace"))
        except OSError:
            self.lost += 1
        else:
            self.lost = 0

    def close(self) -> None:
        """Close the file; a line that is written later opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _append(self, data: bytes) -> None:
        """Write all of `data` or nothing. Raises OSError."""
        size = os.fstat(self._open()).st_size
        if size and size + len(data) > self._max_bytes:
            self._rotate()
            size = 0
        descriptor = self._open()
        if os.write(descriptor, data) < len(data):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _open(self) -> int:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
            os.fchmod(self._descriptor, 0o600)  # it may be of an earlier version, which let others read
        return self._descriptor

    def _rotate(self) -> None:
        """`x.log` becomes `x.log.1`, which becomes `x.log.2`, and so on; the last one goes."""
        self.close()
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{number}") for number in range(1, self._files))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
