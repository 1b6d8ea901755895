"""A session is read once for all who look at it, and never is an old read taken for a new one."""

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import spec
from vigil.testing.servers import RedisServer
from vigil_gateway.live.looks import Looks

KEY = SessionKey("demo", "s-1")


async def test_a_look_is_shared_for_less_than_the_time_between_two_of_one_stream(
    redis: Redis, store: SessionStore, redis_server: RedisServer
) -> None:
    now_s = 100.0
    looks = Looks(store, 2.0, lambda: now_s)
    await store.create(spec("s-1"))
    first = await looks.at(KEY)
    assert (first.is_over, first.roles) == (False, {})
    await store.set_status(KEY, "ingestion", '{"state": "watching"}')
    await store.end(KEY, "enough")
    now_s += 1.7
    assert await looks.at(KEY) is first
    now_s += 0.3
    second = await looks.at(KEY)
    assert (second.is_over, second.roles) == (True, {"ingestion": {"state": "watching"}})
    await redis_server.kill()
    now_s += 2.0
    assert (await looks.at(KEY)).roles is None
