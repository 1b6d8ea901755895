"""Stores the events of a session's speech in their order, beside the speaking: JetStream may be slow or away."""

import asyncio

from vigil.contract.outgoing import Outgoing
from vigil.runtime.bus.client import Bus
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, BusUnavailable
from vigil.runtime.process.logs import get_log
from vigil_tts import metrics

CAPACITY = 256
RETRY_S = 1.0

log = get_log()


class Telling:
    """Holds the newest `CAPACITY` events that are not stored yet; older ones are dropped and counted."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._events: KeepLatest[Outgoing] = KeepLatest(CAPACITY)

    def tell(self, event: Outgoing) -> None:
        """Have the event stored soon."""
        self._events.offer(event)

    async def run(self) -> None:
        """Store events until `close` was called and all are stored. Cancelled, it leaves what is not stored."""
        async for event, dropped in self._events.counted():
            metrics.EVENTS_LOST.inc(dropped)
            await self._store(event)

    def close(self) -> None:
        """No more events come."""
        self._events.close()

    async def _store(self, event: Outgoing) -> None:
        while True:
            try:
                await self._bus.publish_stored(event)
            except BusUnavailable:
                await asyncio.sleep(RETRY_S)
            except BusError as error:  # it would be refused again
                metrics.EVENTS_LOST.inc()
                log.warning("speech event not stored", subject=event.subject, reason=str(error))
                return
            else:
                return
