"""Standard output of a process that runs for months: no reader of it and no full disk can end the process."""

import io
import os
import sys
from collections.abc import Callable
from typing import TextIO, cast


class UnfailingOutput(io.TextIOBase):
    """Text to a file descriptor, at once and in UTF-8, what UTF-8 cannot hold as an escape.

    Nothing raises. What the system refuses, because the reader has closed the pipe or the disk of the file is full, is
    left out and `lost` is called. Nothing is kept back, so the end of the process has nothing left to fail on.
    """

    encoding = "utf-8"

    def __init__(self, descriptor: int, lost: Callable[[], None] = lambda: None) -> None:
        self._descriptor = descriptor
        self._lost = lost

    def write(self, text: str, /) -> int:
        """Write what can be written; the length of `text`."""
        left = text.encode(self.encoding, errors="backslashreplace")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._lost()
        return len(text)

    def writable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether a terminal reads it."""
        return os.isatty(self._descriptor)


def unfailing_stdout(lost: Callable[[], None] = lambda: None) -> TextIO:
    """Standard output that does not fail; where it is no file of the system (in a test), as it is."""
    try:
        return cast(TextIO, UnfailingOutput(sys.stdout.fileno(), lost))
    except (OSError, AttributeError):
        return sys.stdout
