"""When a session whose frames are pushed was last heard of: nobody else would know that its client has gone."""

from typing import Any

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store.keys import PREFIX, from_member, member
from vigil.runtime.store.redis_client import unavailable

_KEY = f"{PREFIX}:{{pushed}}:heard"
_SHOWN = f"{PREFIX}:{{pushed}}:shown"


class PushedSessions:
    """A sorted set of sessions by when they were heard of, and the model time of what was last shown in each. Every
    method raises `StoreUnavailable`."""

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

    async def shows(self, key: SessionKey, time_ms: int) -> int:
        """Note that a picture of `time_ms` is shown, or of a millisecond after the last one where that is not earlier;
        returns which. For one client at a time."""
        with unavailable():
            last = await self._redis.hget(_SHOWN, member(key))
            later_ms = time_ms if last is None else max(time_ms, int(last) + 1)
            await self._redis.hset(_SHOWN, member(key), later_ms)
        return later_ms

    async def forget(self, key: SessionKey) -> None:
        """The session is over. Idempotent."""
        with unavailable():
            await self._redis.zrem(_KEY, member(key))
            await self._redis.hdel(_SHOWN, member(key))

    async def _now_s(self) -> float:
        seconds, microseconds = await self._redis.time()
        return float(seconds) + float(microseconds) / 1e6
