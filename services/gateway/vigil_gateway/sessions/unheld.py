"""Tells that a session has no interaction worker: then no worker is there that could tell it.

Every gateway looks by itself. What they find is one stall under one number, so it is told once. The worker that takes
the session tells that it has recovered.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec

from vigil.contract.events.envelope import rfc3339
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.core.stall import LEAST_S, Cause
from vigil.runtime.errors import PortError, StoreCorrupt, UnknownSession
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.lifecycle import now_us
from vigil.runtime.session.outages import STALL, tell_begin, told
from vigil_gateway import metrics
from vigil_gateway.ports import Ports

log = get_log()

LOOK_S = 1.0
MOST = 1_024  # sessions without a worker that are looked at, at once
WORDS = "no interaction worker holds the session: start one, or see why it is full, or of an older release (its log)"


class Unheld:
    """The sessions without a worker, and since when, by this gateway's own clock."""

    def __init__(self, ports: Ports, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ports = ports
        self._monotonic = monotonic
        self._since_s: dict[SessionKey, float] = {}
        self._told: set[SessionKey] = set()

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except PortError as error:
                log.warning("sessions without a worker not looked for", reason=str(error))

    async def look(self) -> None:
        """Tell of each session that has had no worker for as long as a stall takes. Raises `PortError`."""
        now_s = self._monotonic()
        found = await self._ports.placement.unheld(Role.INTERACTION, MOST)
        self._since_s = {key: self._since_s.get(key, now_s) for key in found}
        self._told &= self._since_s.keys()
        late = [key for key, since_s in self._since_s.items() if now_s - since_s > LEAST_S]
        await self._tell_all(key for key in late if key not in self._told)
        metrics.UNHELD.set(len(self._told))

    async def _tell_all(self, keys: Iterable[SessionKey]) -> None:
        for key in tuple(keys):
            try:
                if await self._ports.store.ended(key) is None and await self._is_unheld(key):
                    await self._tell(key)
                    self._told.add(key)
            except (UnknownSession, StoreCorrupt) as error:
                log.warning("stalled session not read", tenant=key.tenant, session=key.session, error=str(error))
                self._told.add(key)

    async def _is_unheld(self, key: SessionKey) -> bool:
        """Whether the session still has no worker: telling of the sessions before it took time."""
        return bool(await self._ports.placement.lacking(key, [Role.INTERACTION]))

    async def _tell(self, key: SessionKey) -> None:
        """Write the status first: when the store refuses it, all is tried again. Raises `PortError`."""
        bus, store = self._ports.bus, self._ports.store
        spec, state = await store.spec(key), await store.history(key)
        said = {"state": "stalled", "cause": Cause.NO_WORKER, "detail": WORDS, "since": rfc3339(now_us())}
        await store.set_status(key, Role.INTERACTION, msgspec.json.encode(said).decode())
        before = await told(bus, spec, STALL)
        if before.lasting is not None:
            return  # another gateway told it, or it began while a worker held the session
        number = max(state.next_sequence, before.following)
        if await tell_begin(bus, spec, STALL, number, worker="", cause=Cause.NO_WORKER, reason=WORDS):
            log.warning("session stalled", tenant=key.tenant, session=key.session, cause=Cause.NO_WORKER.value)
