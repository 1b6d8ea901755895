"""Sessions whose frames are pushed, by when their client may have gone: nobody else would know it.

A sorted set holds every such session with the time at which to look at it next. When its client was last heard of
stands in the session itself, where each of its turns notes it.
"""

from typing import Any

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import PREFIX, Part, from_member, member, part_key
from vigil.runtime.store.redis_client import unavailable

DUE = f"{PREFIX}:{{pushed}}:due"
# A session that one gateway looks at or ends is not given to another for so long.
_LOOKED_AT_MS = 30_000
_LOOKED_AT_ONCE = 500
_PACKAGE = "vigil.runtime.store"


class PushedSessions:
    """The sorted set of pushed sessions. Every method raises `StoreUnavailable`, `StoreFull`."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._due = redis_client.script(redis, _PACKAGE, "silent")
        self._postpone = redis_client.script(redis, _PACKAGE, "postpone")

    async def expect(self, key: SessionKey, within_s: float) -> None:
        """A client begins this session now and is to be heard of `within_s`."""
        with unavailable():
            seconds, microseconds = await self._redis.time()
            due_ms = seconds * 1000 + microseconds // 1000 + round(within_s * 1000)
            await self._redis.zadd(DUE, {member(key): due_ms})

    async def silent(self, for_s: float) -> list[SessionKey]:
        """Sessions that nobody has shown a picture for so long. Each is given to one caller; end and `forget` it: if
        that caller dies, the session is given to another half a minute later. It also works when Redis has no memory
        left: the sessions that end give some back."""
        with unavailable():
            now_ms, *names = await self._due(keys=[DUE], args=[_LOOKED_AT_MS, _LOOKED_AT_ONCE])
            keys = [from_member(name) for name in names]
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.hget(part_key(key, Part.SHOWN), "heard_ms")
                heard = [int(found or 0) for found in await pipeline.execute()]
            due_ms = {key: heard_ms + round(for_s * 1000) for key, heard_ms in zip(keys, heard, strict=True)}
            later = [part for key, at_ms in due_ms.items() if at_ms > now_ms for part in (at_ms, member(key))]
            if later:
                await self._postpone(keys=[DUE], args=later)
        return [key for key, at_ms in due_ms.items() if at_ms <= now_ms]

    async def forget(self, key: SessionKey) -> None:
        """The session is over. Idempotent."""
        with unavailable():
            await self._redis.zrem(DUE, member(key))
