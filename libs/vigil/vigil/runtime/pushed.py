"""When a session whose frames are pushed was last heard of: nobody else would know that its client has gone."""

from typing import Any

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.redis_client import unavailable
from vigil.runtime.session_keys import PREFIX, from_member, member

_KEY = f"{PREFIX}:{{pushed}}:heard"


class PushedSessions:
    """A sorted set of sessions by when they were heard of. Every method raises `StoreUnavailable`."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes

    async def heard(self, key: SessionKey) -> None:
        """A client has spoken in this session now."""
        with unavailable():
            await self._redis.zadd(_KEY, {member(key): await self._now_s()})

    async def silent(self, for_s: float) -> list[SessionKey]:
        """The sessions that nobody has spoken in for so long."""
        with unavailable():
            found = await self._redis.zrangebyscore(_KEY, 0, await self._now_s() - for_s)
        return [from_member(one) for one in found]

    async def forget(self, key: SessionKey) -> None:
        """The session is over. Idempotent."""
        with unavailable():
            await self._redis.zrem(_KEY, member(key))

    async def _now_s(self) -> float:
        seconds, microseconds = await self._redis.time()
        return float(seconds) + float(microseconds) / 1e6
