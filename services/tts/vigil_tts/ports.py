"""What it takes to speak for sessions."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.sessions import SessionStore
from vigil_tts.synthesizers.port import Synthesizer


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Ports:
    """The connections of a worker, and its speech engine."""

    store: SessionStore
    bus: Bus
    placement: Placement
    engine: Synthesizer
    now_us: Callable[[], int] = now_us

    @classmethod
    def of(cls, ports: WorkerPorts, engine: Synthesizer) -> "Ports":
        """Those of a worker that claims sessions, with the engine."""
        return cls(ports.store, ports.bus, ports.placement, engine)
