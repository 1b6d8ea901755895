"""What it takes to work on sessions: where they are stored, where their messages go, who holds them."""

from dataclasses import dataclass
from typing import Protocol

from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore


class SessionPorts(Protocol):
    """Whatever holds these three: `WorkerPorts`, or the ports of a service that has more of them."""

    @property
    def store(self) -> SessionStore:
        """Where sessions are stored."""
        ...

    @property
    def bus(self) -> Bus:
        """Where their messages go."""
        ...

    @property
    def placement(self) -> Placement:
        """Who holds them."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerPorts:
    """The ports of a worker that claims sessions."""

    store: SessionStore
    bus: Bus
    placement: Placement
