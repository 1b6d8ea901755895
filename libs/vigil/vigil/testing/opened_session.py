"""A session on real NATS and Redis that workers may claim, and what is stored about its life."""

from dataclasses import dataclass

import nats
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.streams import SESSIONS
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.keys import Part, part_key
from vigil.testing.eventually import DEADLINE_S


@dataclass(frozen=True, slots=True)
class Opened:
    """An open session, the ports of a worker, and what became of the session."""

    ports: WorkerPorts
    spec: SessionSpec
    redis: Redis
    nats_url: str

    @property
    def key(self) -> SessionKey:
        """The session's key."""
        return self.spec.key

    async def forget(self) -> None:
        """Lose all of the session, as the end of its retention would."""
        await self.redis.delete(*(part_key(self.key, part) for part in Part))

    async def open_roles(self) -> set[Role]:
        """The roles that may still claim the session."""
        return {role for role in Role if (await self.ports.placement.capacity(role)).open_sessions}

    async def events(self) -> list[CloudEvent]:
        """The stored events of the session's life, oldest first."""
        client = await nats.connect(self.nats_url)
        try:
            js = client.jetstream()
            subscription = await js.subscribe(subjects.lifecycle_of(self.key), ordered_consumer=True)
            count = (await js.stream_info(SESSIONS.name)).state.messages
            return [decode_event((await subscription.next_msg(timeout=DEADLINE_S)).data) for _ in range(count)]
        finally:
            await client.close()
