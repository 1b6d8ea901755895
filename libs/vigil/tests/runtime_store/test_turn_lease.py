"""The turn of a pushed session, in a real Redis: one holder at a time, and no model time twice."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from vigil.core.command import Reset
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec, SessionState
from vigil.runtime.errors import SessionEnded, StoreUnavailable, TimePassed, TurnTaken, UnknownSession
from vigil.runtime.store.keys import session_keys, turn_key
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.turn_lease import Shown, TurnLeases
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port

KEY = SessionKey("demo", "s-1")
S, MS = 1_000_000, 1_000  # in µs


@pytest.fixture
def turns(redis: Redis) -> TurnLeases:
    """Turns with a lease that outlives a test."""
    return TurnLeases(redis, lease_s=3_600)


async def test_a_claim_sees_the_session_and_excludes_others(
    turns: TurnLeases, store: SessionStore, spec: SessionSpec
) -> None:
    lease = await turns.claim(KEY)
    assert lease.look is None, "its first call begins the session"
    with pytest.raises(TurnTaken, match="another call holds the turn"):
        await turns.claim(KEY)
    await store.create(spec, (Reset(),))
    await store.end(KEY, "over")
    await turns.release(lease)
    second = await turns.claim(KEY)
    assert second.look is not None
    assert (second.look.spec, second.look.ended is not None) == (spec, True)
    assert second.look == await store.look(KEY)
    await turns.release(lease)
    with pytest.raises(TurnTaken):
        await turns.claim(KEY)


async def test_of_many_calls_at_two_gateways_one_gets_the_turn(redis: Redis) -> None:
    gateways = TurnLeases(redis, lease_s=3_600), TurnLeases(redis, lease_s=3_600)
    claims = await asyncio.gather(*(gateways[number % 2].claim(KEY) for number in range(40)), return_exceptions=True)
    assert [type(claim) for claim in claims].count(TurnTaken) == 39


async def test_a_turn_whose_gateway_died_is_free_after_the_lease(
    turns: TurnLeases, redis: Redis, store: SessionStore
) -> None:
    dead = await turns.claim(KEY)
    assert await TurnLeases(redis, lease_s=1.0).renew(dead)  # the last time

    async def claimed() -> bool:
        try:
            return (await turns.claim(KEY)).token != dead.token
        except TurnTaken:
            return False

    await eventually(claimed, what="the lease has run out")
    assert not await turns.renew(dead)
    with pytest.raises(TurnTaken, match="without a renewal"):
        await turns.show(dead, S)


async def test_the_lease_is_its_own_whatever_becomes_of_the_session(
    store: SessionStore, redis: Redis, spec: SessionSpec
) -> None:
    turns = TurnLeases(redis, lease_s=60.0)  # shorter than a session that has ended is kept
    await turns.claim(KEY)
    await store.create(spec, confirmed=False)
    await store.confirm(KEY)
    await store.end(KEY, "over")
    assert 0 < await redis.pttl(turn_key(KEY)) <= 60_000


async def test_each_picture_is_after_the_last_though_the_clock_is_not(
    turns: TurnLeases, store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    lease = await turns.claim(KEY)
    captures = (9 * S, 14 * S, 9 * S + 900 * MS, 3 * S, 15 * S)
    assert [(await turns.show(lease, capture_us)).time_ms for capture_us in captures] == [0, 5_000, 5_001, 5_002, 6_000]
    given = [await turns.show(lease, 9 * S, given_ms) for given_ms in (6_001, 90_000)]
    assert given == [Shown(6_001, 9 * S), Shown(90_000, 9 * S)]
    assert (await turns.show(lease, 16 * S)).time_ms == 90_001


async def test_a_given_time_is_used_once_it_is_decided_on(
    turns: TurnLeases, store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    lease = await turns.claim(KEY)
    for given_ms in (5_000, 5_000, 4_000):
        assert (await turns.show(lease, S, given_ms)).time_ms == given_ms
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(replace(SessionState(), last_time_ms=4_000, next_sequence=1)))
    assert (await turns.show(lease, S, 4_001)).time_ms == 4_001
    for given_ms in (4_000, 0):
        with pytest.raises(TimePassed, match="up to 4 s") as refused:
            await turns.show(lease, S, given_ms)
        assert refused.value.last_ms == 4_000


async def test_what_was_decided_is_not_shown_again(turns: TurnLeases, store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    lease = await turns.claim(KEY)
    assert (await turns.show(lease, S)).time_ms == 0
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(replace(SessionState(), last_time_ms=7_000, next_sequence=1)))
    assert (await turns.show(lease, 2 * S)).time_ms == 7_001
    with pytest.raises(TimePassed):
        await turns.show(lease, 2 * S, 7_000)


async def test_the_next_call_finds_what_was_shown_last_and_how_far_the_session_has_decided(
    turns: TurnLeases, store: SessionStore, spec: SessionSpec
) -> None:
    lease = await turns.claim(KEY)
    assert (lease.shown, lease.decided_ms) == (None, -1)
    await store.create(spec)
    await turns.show(lease, S, 5_000, "a mark")
    await turns.release(lease)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(replace(SessionState(), last_time_ms=4_000, next_sequence=1)))
    lease = await turns.claim(KEY)
    assert (lease.shown, lease.decided_ms) == (Shown(5_000, S, "a mark"), 4_000)


async def test_times_of_racing_showings_are_all_different(redis: Redis, store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    gateways = TurnLeases(redis, lease_s=3_600), TurnLeases(redis, lease_s=3_600)
    lease = await gateways[0].claim(KEY)
    times = await asyncio.gather(*(gateways[number % 2].show(lease, S + number) for number in range(100)))
    assert len(set(times)) == 100


async def test_an_ended_or_unknown_session_is_shown_nothing(
    turns: TurnLeases, store: SessionStore, redis: Redis, spec: SessionSpec
) -> None:
    lease = await turns.claim(KEY)
    with pytest.raises(UnknownSession):
        await turns.show(lease, S)
    await store.create(spec)
    await turns.show(lease, S)
    await store.end(KEY, "over")
    with pytest.raises(SessionEnded):
        await turns.show(lease, S)
    left = [await redis.pttl(name) for name in session_keys(KEY) if await redis.exists(name)]
    assert all(left_ms > 0 for left_ms in left), "what the turns wrote is forgotten with the session"


async def test_without_a_server_calls_say_so() -> None:
    async with open_redis(f"redis://127.0.0.1:{free_port()}/0") as client:
        with pytest.raises(StoreUnavailable):
            await TurnLeases(client).claim(KEY)
