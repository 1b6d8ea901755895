"""What a session's tick needs from outside. The runtime's adapters fit these; tests may pass scripted ones."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vigil.contract.outgoing import Outgoing
from vigil.core.command import Command
from vigil.core.decide import Completion
from vigil.core.ids import SessionKey
from vigil.core.profile import PromptProfile
from vigil.runtime.engine.client import EngineRequest, Resend
from vigil.runtime.store.sessions import Commit


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
        """The one that serves this session's model; the same as long as it is up."""
        ...


class Store(Protocol):
    """The session's state."""

    async def commit(self, key: SessionKey, fence: int, commit: Commit) -> tuple[Command, ...]:
        """One atomic round trip; the commands that wait after it."""
        ...

    async def commands(self, key: SessionKey) -> tuple[Command, ...]:
        """The commands that wait."""
        ...

    async def frames(self, key: SessionKey, uuids: Sequence[str]) -> Mapping[str, bytes]:
        """Pixels of the chunk's frames."""
        ...


class Bus(Protocol):
    """Where events go."""

    async def publish_stored(self, outgoing: Outgoing) -> object:
        """Store one message in JetStream, once."""
        ...

    async def last_message_id(self, subject: str) -> str:
        """The id of the newest message stored on a subject; empty when there is none."""
        ...

    async def put_snapshot(self, name: str, data: bytes) -> None:
        """Keep the picture that an alert refers to."""
        ...
