"""When pushed sessions were last heard of, in a real Redis."""

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.pushed import PushedSessions
from vigil.testing.eventually import eventually

ONE, OTHER = SessionKey("demo", "s-1"), SessionKey("rival", "s-1")


async def test_silence_is_counted_from_the_last_word(redis: Redis) -> None:
    pushed = PushedSessions(redis)
    await pushed.heard(ONE)
    await pushed.heard(OTHER)
    assert await pushed.silent(60) == []
    await eventually(lambda: pushed.silent(0.1), what="both are silent")
    await pushed.heard(OTHER)
    assert await pushed.silent(0.1) == [ONE]
    await pushed.forget(ONE)
    await pushed.forget(ONE)
    assert await pushed.silent(0.1) == []
