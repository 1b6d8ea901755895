"""What it takes to write blocks of memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vigil.runtime.bus.client import Bus
from vigil.runtime.process.backoff import Backoff
from vigil.runtime.store.sessions import SessionStore
from vigil_memory.summarisers.port import Summariser


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Ports:
    """Connections and the summariser of a worker, with its patience. Times are in seconds."""

    bus: Bus
    sessions: SessionStore
    summariser: Summariser
    lease_s: float = 10.0
    retries: int = 3
    deadline_s: float = 120.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=1.0, most_s=30.0))
    now_us: Callable[[], int] = now_us
