"""When pushed sessions were last heard of, in a real Redis."""

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store.pushed import PushedSessions
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


async def test_each_picture_is_after_the_last_though_the_clock_is_not(redis: Redis) -> None:
    pushed = PushedSessions(redis)
    assert [await pushed.shows(ONE, time_ms) for time_ms in (0, 5_000, 900, 900, 6_000)] == [
        0,
        5_000,
        5_001,
        5_002,
        6_000,
    ]
    assert await pushed.shows(OTHER, 900) == 900
    await pushed.forget(ONE)
    assert await pushed.shows(ONE, 0) == 0
