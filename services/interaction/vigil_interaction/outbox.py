"""Committed messages on their way to JetStream: in order, each stored once, none lost when the process dies.

The store's outbox is written by the turn's commit; this is the worker's view of it. `flush` publishes from its head
and stops at the first failure; the next commit removes from the store what was published. A worker that takes the
session over publishes what is left again, and JetStream drops what it has already.
"""

from collections import deque
from collections.abc import Iterable

import structlog

from vigil.contract.outgoing import Outgoing
from vigil.runtime.errors import BusError, PublishRefused
from vigil_interaction import metrics
from vigil_interaction.ports import Bus

_log = structlog.get_logger(__name__)


class Outbox:
    """One session's unpublished messages. `published` counts those that the store still holds though JetStream
    has them."""

    def __init__(self, bus: Bus, left: Iterable[Outgoing] = ()) -> None:
        self._bus = bus
        self._waiting = deque(left)
        self.published = 0
        metrics.OUTBOX.inc(len(self._waiting))

    def committed(self, messages: Iterable[Outgoing]) -> None:
        """Take what a commit has just written; that commit also removed what had been published."""
        before = len(self._waiting)
        self._waiting.extend(messages)
        self.published = 0
        metrics.OUTBOX.inc(len(self._waiting) - before)

    async def flush(self) -> None:
        """Publish what waits, in order. A bus that is down leaves it waiting for the next turn."""
        while self._waiting:
            try:
                await self._bus.publish_stored(self._waiting[0])
            except PublishRefused as error:
                _log.error("message refused by the stream", subject=self._waiting[0].subject, error=str(error))
                return
            except BusError as error:
                _log.warning("message waits in the outbox", waiting=len(self._waiting), error=str(error))
                return
            self._waiting.popleft()
            self.published += 1
            metrics.OUTBOX.dec()

    def close(self) -> None:
        """Forget what waits: whoever takes the session over finds it in the store."""
        metrics.OUTBOX.dec(len(self._waiting))
        self._waiting.clear()
