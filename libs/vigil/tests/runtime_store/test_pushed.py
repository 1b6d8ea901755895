"""Which pushed sessions their clients have left, in a real Redis."""

import asyncio

import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.errors import StoreFull
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.pushed import DUE, PushedSessions
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.turn_lease import TurnLeases
from vigil.testing.eventually import eventually

FIRST, OTHER = SessionKey("demo", "s-1"), SessionKey("rival", "s-1")


async def test_silence_is_counted_from_the_last_picture(redis: Redis, store: SessionStore, spec: SessionSpec) -> None:
    pushed, turns = PushedSessions(redis), TurnLeases(redis, lease_s=3_600)
    await store.create(spec)
    for key in (FIRST, OTHER):
        await pushed.expect(key, within_s=0)
    await turns.show(await turns.claim(FIRST), 1_000_000)
    assert await pushed.silent(3_600.0) == [OTHER], "the first one was heard of a moment ago"
    assert await pushed.silent(0.5) == [], "it is looked at when its hour is over"
    await redis.zadd(DUE, {"demo.s-1": 0})
    assert await eventually(lambda: pushed.silent(0.5), what="the first one is silent as well") == [FIRST]
    for key in (FIRST, OTHER, OTHER):
        await pushed.forget(key)
    assert not await redis.exists(DUE)


async def test_a_session_that_is_expected_later_is_not_silent(redis: Redis) -> None:
    pushed = PushedSessions(redis)
    await pushed.expect(FIRST, within_s=60)
    assert await pushed.silent(0) == []


async def test_a_silent_session_is_given_to_one_gateway(redis: Redis) -> None:
    gateways = [PushedSessions(redis) for _ in range(4)]
    keys = [SessionKey("demo", f"s-{number}") for number in range(20)]
    for key in keys:
        await gateways[0].expect(key, within_s=0)
    shares = await asyncio.gather(*(gateway.silent(0) for gateway in gateways))
    assert sorted(key for share in shares for key in share) == sorted(keys)
    await redis.zadd(DUE, {"demo.s-3": 0})  # half a minute after the gateway that had it died
    assert await gateways[1].silent(0) == [keys[3]]


async def test_a_redis_without_memory_is_full_and_not_away(redis: Redis) -> None:
    pushed, turns, placement = PushedSessions(redis), TurnLeases(redis), Placement(redis, lease_s=3_600)
    await placement.heartbeat(Role.CODEC, "w", 1)
    await redis.config_set("maxmemory", "1")
    try:
        for refused in (
            pushed.expect(FIRST, within_s=0),
            turns.claim(FIRST),
            placement.admit(FIRST, [Role.CODEC]),
        ):
            with pytest.raises(StoreFull, match="no memory left: end sessions or raise maxmemory"):
                await refused
    finally:
        await redis.config_set("maxmemory", "0")


async def test_silent_sessions_are_found_when_redis_has_no_memory_left(
    redis: Redis, store: SessionStore, spec: SessionSpec
) -> None:
    pushed, turns = PushedSessions(redis), TurnLeases(redis, lease_s=3_600)
    await store.create(spec)
    for key in (FIRST, OTHER):
        await pushed.expect(key, within_s=0)
    await turns.show(await turns.claim(FIRST), 1_000_000)
    await redis.config_set("maxmemory", "1")
    try:
        assert await pushed.silent(60) == [OTHER]
    finally:
        await redis.config_set("maxmemory", "0")
    assert await pushed.silent(60) == [], "the first one is looked at when its minute is over"
