"""What a session needs from outside, as one value that `main.py` makes and every session of the worker shares.

Engines are behind a protocol, since tests and other builds bring their own. The store, the bus and the placement are
the runtime's clients: tests run them on real servers.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from vigil.contract.outgoing import Outgoing
from vigil.core import consolidation
from vigil.core.decide import Completion
from vigil.core.ids import SessionKey
from vigil.core.prewarm import DEFAULT_LEAD_TURNS
from vigil.core.profile import PromptProfile
from vigil.runtime.bus.client import Bus
from vigil.runtime.engine.client import EngineRequest, Resend
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil_interaction.load import Load
from vigil_interaction.turn_metrics import past_changed

PREWARMS_AT_ONCE = 4
DEFAULT_RECALL_DEADLINE_S = 0.15


class Engine(Protocol):
    """The model of one session."""

    async def action_ids(self, profile: PromptProfile) -> Mapping[str, int]:
        """Token ids of the profile's action words; raises `EngineError`."""
        ...

    async def complete(self, request: EngineRequest, resend: Resend) -> Completion:
        """One completion; raises `EngineError`."""
        ...


class Engines(Protocol):
    """All engines."""

    def of(self, session: str, model: str) -> Engine:
        """The engine that serves this session's model; the same one as long as it is up."""
        ...


class StoredBus(Protocol):
    """Where the messages and the pictures of a turn are stored."""

    async def publish_stored(self, outgoing: Outgoing) -> object:
        """Store one message in JetStream, once."""
        ...

    async def last_message_id(self, subject: str) -> str:
        """The id of the newest message stored on a subject; empty when there is none."""
        ...

    async def put_snapshot(self, name: str, data: bytes) -> None:
        """Keep the picture that an alert refers to."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What a session talks to. `worker` is this process; `clock` counts microseconds since the epoch.

    The next chunk is shown to the engine `prewarm_turns` before it begins (0: never), `prewarm_slots` at once. Blocks
    are asked for `memory_lead_turns` before it, and a turn with a question waits `recall_deadline_s` for memory (0:
    nothing is recalled).
    `past_changed` hears of a session and the number of its chunk whose earlier turns changed: a defect of ours, which
    is counted and logged, and which tests make fail.
    """

    store: SessionStore
    bus: Bus
    placement: Placement
    engines: Engines
    engine_deadline_s: float
    worker: str
    clock: Callable[[], int]
    load: Load
    monotonic: Callable[[], float] = time.perf_counter
    prewarm_turns: int = DEFAULT_LEAD_TURNS
    memory_lead_turns: int = consolidation.DEFAULT_LEAD_TURNS
    recall_deadline_s: float = DEFAULT_RECALL_DEADLINE_S
    prewarm_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PREWARMS_AT_ONCE))
    past_changed: Callable[[SessionKey, int], None] = past_changed
