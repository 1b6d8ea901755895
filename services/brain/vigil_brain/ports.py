"""What it takes to work on tasks."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from vigil.runtime.bus.client import Bus
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil_brain.catalogue import Catalogue


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Ports:
    """Connections and brains of a worker, with its name and its patience. Times are in seconds."""

    bus: Bus
    tasks: TaskStore
    sessions: SessionStore
    approvals: ApprovalStore
    catalogue: Catalogue
    worker: str
    lease_s: float = 2.0
    retries: int = 2
    snapshot_bytes: int = 8 << 20
    approval_timeout_s: float = 300.0
    now_us: Callable[[], int] = now_us
    monotonic: Callable[[], float] = time.monotonic
