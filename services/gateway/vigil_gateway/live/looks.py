"""What the store says of a session, read once for all streams that look at it: two hundred viewers cost one read."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from vigil.core.ids import SessionKey
from vigil.runtime.errors import StoreError
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.sessions import SessionStore
from vigil_gateway.sessions.status import roles_status

log = get_log()

# A read is used again for so much of the time between two looks of a stream: its next look always finds a newer one.
_FRESH = 0.9


@dataclass(frozen=True, slots=True)
class Look:
    """Whether the session is over, and what each role says of it; None when the store could not be read."""

    at_s: float
    is_over: bool
    roles: dict[str, object] | None


class Looks:
    """The newest look at each session. `interval_s` is the time between two looks of one stream."""

    def __init__(self, store: SessionStore, interval_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._fresh_s = interval_s * _FRESH
        self._monotonic = monotonic
        self._newest: dict[SessionKey, Look] = {}

    async def at(self, key: SessionKey) -> Look:
        """How the session is, as somebody read it a moment ago, or now."""
        known = self._newest.get(key)
        if known is None or self._monotonic() - known.at_s >= self._fresh_s:
            known = await self._read(key)
            self._forget_old()
            self._newest[key] = known
        return known

    async def _read(self, key: SessionKey) -> Look:
        now_s = self._monotonic()
        try:
            return Look(now_s, await self._store.ended(key) is not None, await roles_status(self._store, key))
        except StoreError as error:
            log.warning("status not read", error=str(error))
            return Look(now_s, is_over=False, roles=None)

    def _forget_old(self) -> None:
        oldest_s = self._monotonic() - self._fresh_s
        self._newest = {key: look for key, look in self._newest.items() if look.at_s > oldest_s}
