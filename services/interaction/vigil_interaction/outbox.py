"""Committed messages on their way to JetStream: in order, each stored once, none lost when the process dies.

The store's outbox is written by the turn's commit; this is the worker's view of it. `flush` publishes from its head
and stops at the first failure; the next commit removes from the store what was published. A worker that takes the
session over publishes what is left again, and JetStream drops what it has already.

A server that leaves a publish unanswered (its disk is full or hangs) would cost every turn the whole time-out. After
such an attempt the next one is made only when twice the time that it took has passed; turns go on meanwhile.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

from vigil.contract.outgoing import Outgoing
from vigil.runtime.errors import BusError, PublishRefused
from vigil.runtime.process.logs import get_log
from vigil_interaction import metrics
from vigil_interaction.ports import StoredBus

log = get_log()

_PAUSE_PER_WAIT = 2.0  # of the time that a failed attempt took: at most a third of all time is spent waiting


class Outbox:
    """One session's unpublished messages. `published` counts those that the store still holds though JetStream
    has them."""

    def __init__(
        self, bus: StoredBus, left: Iterable[Outgoing] = (), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._bus = bus
        self._monotonic = monotonic
        self._not_before_s = monotonic()
        self._waiting = deque(left)
        self._is_unsure = bool(self._waiting)
        self.published = 0
        metrics.OUTBOX.inc(len(self._waiting))

    @property
    def is_empty(self) -> bool:
        """Whether all that was committed is published."""
        return not self._waiting

    def committed(self, messages: Iterable[Outgoing]) -> None:
        """Take what a commit has just written; that commit also removed what had been published."""
        before = len(self._waiting)
        self._waiting.extend(messages)
        self.published = 0
        metrics.OUTBOX.inc(len(self._waiting) - before)

    async def flush(self) -> None:
        """Publish what waits, in order. A bus that is down leaves it waiting for the next turn, or for a later one."""
        began_s = self._monotonic()
        if began_s < self._not_before_s:
            return
        try:
            if self._is_unsure:
                await self._skip_stored()
            while self._waiting:
                await self._bus.publish_stored(self._waiting[0])
                self._is_published(1)
        except PublishRefused as error:
            log.error("message refused by the stream", subject=self._waiting[0].subject, error=str(error))
        except BusError as error:
            ended_s = self._monotonic()
            self._not_before_s = ended_s + _PAUSE_PER_WAIT * (ended_s - began_s)
            self._is_unsure = bool(self._waiting)  # the first may be stored, and only its answer lost
            log.warning("message kept in the outbox", waiting=len(self._waiting), error=str(error))

    async def _skip_stored(self) -> None:
        """Pass over what is stored already: after taking over, or after a publish whose answer never came.

        JetStream's own de-duplication forgets after minutes; a session may have been left, or the bus away, for longer.
        Messages are published in order, so the newest one on a subject shows how far the publishing came.
        """
        ids, before = [message.message_id for message in self._waiting], self.published
        for subject in {message.subject for message in self._waiting}:
            newest = await self._bus.last_message_id(subject)
            if newest in ids:
                self._is_published(max(0, ids.index(newest) + 1 - (self.published - before)))
        self._is_unsure = False

    def _is_published(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        self.published += count
        metrics.OUTBOX.dec(count)

    def close(self) -> None:
        """Forget what waits: whoever takes the session over finds it in the store."""
        metrics.OUTBOX.dec(len(self._waiting))
        self._waiting.clear()
