"""The wall clock of a source's thread, and its stop signal."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Microseconds since the Unix epoch, and waiting that a stop ends at once."""

    def now_us(self) -> int:
        """The time; it never runs backwards."""
        ...

    def wait_until(self, due_us: int) -> bool:
        """Wait for `due_us` (not at all if it is past). False when the source is to stop."""
        ...


class WallClock:
    """Read once from the system, then advanced by the monotonic clock: a step of the system's time cannot move it."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._start_us = time.time_ns() // 1_000 - time.monotonic_ns() // 1_000

    def now_us(self) -> int:
        return self._start_us + time.monotonic_ns() // 1_000

    def wait_until(self, due_us: int) -> bool:
        return not self._stop.wait(max(due_us - self.now_us(), 0) / 1_000_000)

    def stop(self) -> None:
        """End every wait, now and later. Callable from any thread."""
        self._stop.set()
