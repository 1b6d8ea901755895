"""The wall clock of a source's thread, and its stop signal."""

import threading
import time
from typing import Protocol

from vigil.runtime.process.logs import get_log

log = get_log()


class Clock(Protocol):
    """Microseconds since the Unix epoch, and waiting that a stop ends at once."""

    def now_us(self) -> int:
        """The time; it never runs backwards."""
        ...

    def wait_until(self, due_us: int) -> bool:
        """Wait for `due_us` (not at all if it is past). False when the source is to stop."""
        ...


class WallClock:
    """Read once from the system, then advanced by the monotonic clock, so a step of the system's time cannot move it.

    It starts no earlier than `not_before_us`, the time up to which another worker has watched: otherwise a host whose
    clock is behind would show nothing new until its clock has caught up.
    """

    def __init__(self, not_before_us: int = 0) -> None:
        self._stop = threading.Event()
        now_us = time.time_ns() // 1_000
        if now_us < not_before_us:
            log.warning("clock fell behind", behind_s=(not_before_us - now_us) / 1e6)
        self._start_us = max(now_us, not_before_us) - time.monotonic_ns() // 1_000

    def now_us(self) -> int:
        return self._start_us + time.monotonic_ns() // 1_000

    def wait_until(self, due_us: int) -> bool:
        return not self._stop.wait(max(due_us - self.now_us(), 0) / 1_000_000)

    def stop(self) -> None:
        """End every wait, now and later. Callable from any thread."""
        self._stop.set()
