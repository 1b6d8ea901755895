"""Records on their way into the stream AUDIT. A request never waits for NATS: its record waits here, within a bound."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import NoReturn
from uuid import uuid4

from vigil.contract.api_keys import ApiKey
from vigil.contract.events.audit import AuditData, audit_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError, BusUnavailable
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics

log = get_log()

CAPACITY = 4_096
RETRY_S = 0.5
# When the gateway stops, records that still wait get so long; then they are lost.
FLUSH_S = 1.0
MAX_ROUTE_CHARS = 200
MAX_SESSION_CHARS = 128


class AuditOutbox:
    """At most `capacity` records that wait; beyond it the oldest is lost, counted and told in the log.

    What waits when the process dies is lost, too: a request is answered before its record is stored.
    """

    def __init__(
        self, bus: Bus, capacity: int = CAPACITY, now_us: Callable[[], int] = lambda: time.time_ns() // 1_000
    ) -> None:
        self._bus = bus
        self._now_us = now_us
        self._waiting: deque[Outgoing] = deque(maxlen=capacity)
        self._filled = asyncio.Event()
        self._is_losing = False

    def record(self, holder: ApiKey, *, method: str, route: str, status: int, address: str, session: str = "") -> None:
        """Record a request of the holder's, at once: nobody waits for NATS."""
        data = AuditData(
            tenant=holder.tenant,
            actor=holder.actor,
            role=holder.role,
            method=method,
            route=route[:MAX_ROUTE_CHARS],
            session=session[:MAX_SESSION_CHARS],
            status=status,
            address=address,
        )
        if len(self._waiting) == self._waiting.maxlen:
            self._lost(1, "NATS takes records too slowly, or is away")
        self._waiting.append(audit_outgoing(data, event_id=uuid4().hex, time_us=self._now_us()))
        self._filled.set()
        metrics.AUDIT_WAITING.set(len(self._waiting))

    async def run(self) -> NoReturn:
        """Store what waits, one after the other, for ever. While NATS is away it waits on."""
        while True:
            await self._filled.wait()
            try:
                await self._store_all()
            except BusUnavailable:
                await asyncio.sleep(RETRY_S)

    async def flush(self) -> None:
        """Store what waits within `FLUSH_S`; the rest is lost. For the end, once nobody runs `run`."""
        with contextlib.suppress(BusUnavailable, TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._store_all()
        if self._waiting:
            self._lost(len(self._waiting), "the gateway stopped while NATS was away")

    async def _store_all(self) -> None:
        """Raises `BusUnavailable`; then the record waits on. One that was stored unnoticed is not stored twice."""
        while self._waiting:
            record = self._waiting[0]
            try:
                await self._bus.publish_stored(record)
            except BusUnavailable:
                raise
            except BusError as error:
                self._lost(1, str(error))
            else:
                metrics.AUDIT_RECORDED.inc()
                self._is_losing = False
            if self._waiting and self._waiting[0] is record:  # else it was pushed out meanwhile
                self._waiting.popleft()
            metrics.AUDIT_WAITING.set(len(self._waiting))
        self._filled.clear()

    def _lost(self, count: int, reason: str) -> None:
        """Count records that are lost, and say so once until one is stored again."""
        metrics.AUDIT_LOST.inc(count)
        if not self._is_losing:
            log.error("audit records lost", records=count, reason=reason)
        self._is_losing = True
