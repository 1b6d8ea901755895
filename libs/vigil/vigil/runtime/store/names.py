"""Which session a client's own name means: the newest one that was begun under it.

The first session of a name has the name's id. When it has ended, the next picture begins another session under the same
name. That one gets an id of its own, for what was stored and published of the first stays under the first one's id.
"""

from secrets import token_hex
from typing import Any

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store.keys import newest_key
from vigil.runtime.store.redis_client import unavailable

# Longer than a session of pushed pictures may be silent before it ends (a day). Every use begins it again.
KEPT_S = 3 * 86_400
_LONGEST_STEM = 54


class SessionNames:
    """Names to sessions. Every method raises `StoreUnavailable`, `StoreFull`."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes

    async def newest(self, named: SessionKey) -> SessionKey:
        """The newest session of the name with this id, which need not be there: the name's own where there was no
        other."""
        with unavailable():
            found = await self._redis.getex(newest_key(named), ex=KEPT_S)
        return named if found is None else SessionKey(named.tenant, found.decode())

    async def begin_anew(self, named: SessionKey) -> SessionKey:
        """The key of another session under the same name, which `newest` gives from now on. Hold the turn of the
        session that has ended, so that two calls do not begin two."""
        fresh = SessionKey(named.tenant, f"{named.session[:_LONGEST_STEM]}-{token_hex(4)}")
        with unavailable():
            await self._redis.set(newest_key(named), fresh.session, ex=KEPT_S)
        return fresh
