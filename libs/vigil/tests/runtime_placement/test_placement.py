"""Leases in a real Redis: one holder at a time, and a new one soon after the old one died."""

import asyncio

import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.errors import StoreUnavailable
from vigil.runtime.placement.leases import Capacity, Claim, Offer, Placement, Shortage
from vigil.runtime.store.redis_client import open_redis
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port

KEYS = [SessionKey("demo", f"s-{number}") for number in range(6)]
ROLES = tuple(Role)
KEY = KEYS[0]


@pytest.fixture
def placement(redis: Redis) -> Placement:
    """Placement with leases that outlive a test."""
    return Placement(redis, lease_s=3_600)


@pytest.fixture
def brief(redis: Redis) -> Placement:
    """Placement with leases that run out during a test: nothing may need them to last."""
    return Placement(redis, lease_s=1.0)


async def run_out(redis: Redis, role: Role) -> None:
    """Let the lease of the first session run out, as time would."""
    name, member = f"vigil:v1:{{placement}}:{role}:expiry", "demo.s-0"
    assert await redis.zscore(name, member) is not None
    await redis.zadd(name, {member: 1})


async def test_an_open_session_is_claimed_once_per_role(placement: Placement) -> None:
    await placement.open(KEY, ROLES)
    await placement.open(KEY, ROLES)
    for role in Role:
        assert await placement.claim(role, "a", 8) == [Claim(KEY, 1)]
        assert await placement.claim(role, "b", 8) == []
        assert await placement.owner(role, KEY) == "a"


async def test_workers_that_race_share_the_sessions_without_overlap(placement: Placement) -> None:
    for key in KEYS:
        await placement.open(key, ROLES)
    claims = await asyncio.gather(*(placement.claim(Role.CODEC, worker, 2) for worker in "abcd"))
    assert all(len(share) <= 2 for share in claims)
    assert sorted(claim.key for share in claims for claim in share) == KEYS


async def test_no_more_than_the_limit_is_claimed(placement: Placement) -> None:
    for key in KEYS:
        await placement.open(key, ROLES)
    assert len(await placement.claim(Role.CODEC, "a", 4)) == 4
    assert await placement.claim(Role.CODEC, "a", 0) == []


async def test_a_lease_that_ran_out_is_claimed_with_a_higher_fence(brief: Placement) -> None:
    await brief.open(KEY, ROLES)
    [first] = await brief.claim(Role.CODEC, "a", 1)
    [second] = await eventually(lambda: brief.claim(Role.CODEC, "b", 1), what="the lease has run out")
    assert second == Claim(KEY, 2, previous="a")
    assert await brief.renew(Role.CODEC, "a", [first]) == [KEY]
    assert await brief.renew(Role.CODEC, "b", [second]) == []


async def test_a_clock_that_is_set_back_strands_no_session_and_no_worker(brief: Placement, redis: Redis) -> None:
    await brief.open(KEY, ROLES)
    [first] = await brief.claim(Role.CODEC, "a", 1)
    await brief.heartbeat(Role.CODEC, "a", 2)
    seconds, _ = await redis.time()
    for table, member in (("expiry", "demo.s-0"), ("workers", "a")):  # as if written an hour from now
        name = f"vigil:v1:{{placement}}:{Role.CODEC}:{table}"
        assert await redis.zscore(name, member) is not None
        await redis.zadd(name, {member: (seconds + 3_600) * 1_000})
    assert await brief.claim(Role.CODEC, "b", 1) == [], "its worker may live"
    assert await brief.renew(Role.CODEC, "a", [first]) == []
    [second] = await eventually(lambda: brief.claim(Role.CODEC, "b", 1), what="a lease later it is another's")
    assert second == Claim(KEY, 2, previous="a")

    async def capacity() -> bool:
        await brief.heartbeat(Role.CODEC, "b", 3)
        return (await brief.capacity(Role.CODEC)).capacity == 3

    await eventually(capacity, what="the silent worker is forgotten")


async def test_a_renewed_lease_holds(placement: Placement, redis: Redis) -> None:
    await placement.open(KEY, ROLES)
    [claim] = await placement.claim(Role.CODEC, "a", 1)
    for _ in range(3):
        await run_out(redis, Role.CODEC)
        assert await placement.renew(Role.CODEC, "a", [claim]) == []
        assert await placement.claim(Role.CODEC, "b", 1) == []
    await run_out(redis, Role.CODEC)
    assert await placement.claim(Role.CODEC, "b", 1) == [Claim(KEY, 2, previous="a")]


async def test_a_released_session_is_claimed_at_once_and_only_by_its_holder_released(placement: Placement) -> None:
    await placement.open(KEY, ROLES)
    [first] = await placement.claim(Role.CODEC, "a", 1)
    await placement.release(Role.CODEC, "b", [first])
    assert await placement.claim(Role.CODEC, "b", 1) == []
    await placement.release(Role.CODEC, "a", [first])
    assert await placement.claim(Role.CODEC, "b", 1) == [Claim(KEY, 2, previous="a")]


async def test_a_session_is_taken_up_once_a_later_claim_says_so(placement: Placement) -> None:
    await placement.open(KEY, ROLES)
    [first] = await placement.claim(Role.CODEC, "a", 1)
    await placement.take_up(Role.CODEC, first)
    await placement.release(Role.CODEC, "a", [first])
    [second] = await placement.claim(Role.CODEC, "b", 1)
    assert not await placement.is_taken_up(Role.CODEC, first), "it is claimed, and not heard yet"
    await placement.take_up(Role.CODEC, second)
    await placement.take_up(Role.CODEC, second)
    assert await placement.is_taken_up(Role.CODEC, first)
    assert not await placement.is_taken_up(Role.CODEC, second)
    assert not await placement.is_taken_up(Role.INTERACTION, Claim(KEY, 0)), "each role by itself"


async def test_a_session_is_heard_while_its_holder_lives_and_has_said_so(placement: Placement, redis: Redis) -> None:
    assert not await placement.is_heard(Role.TTS, KEY), "it is not open"
    await placement.open(KEY, [Role.TTS])
    assert not await placement.is_heard(Role.TTS, KEY), "nobody holds it"
    [first] = await placement.claim(Role.TTS, "a", 1)
    assert not await placement.is_heard(Role.TTS, KEY), "it is claimed, and not heard yet"
    await placement.take_up(Role.TTS, first)
    assert await placement.is_heard(Role.TTS, KEY)
    await run_out(redis, Role.TTS)
    assert not await placement.is_heard(Role.TTS, KEY), "its holder lives no more"
    [second] = await placement.claim(Role.TTS, "b", 1)
    assert not await placement.is_heard(Role.TTS, KEY), "the next holder does not hear yet"
    await placement.take_up(Role.TTS, second)
    assert await placement.is_heard(Role.TTS, KEY)
    await placement.release(Role.TTS, "b", [second])
    assert not await placement.is_heard(Role.TTS, KEY), "it is given up"


async def test_who_lost_a_session_says_nothing_of_it(placement: Placement) -> None:
    await placement.open(KEY, ROLES)
    [first] = await placement.claim(Role.CODEC, "a", 1)
    await placement.release(Role.CODEC, "a", [first])
    [second] = await placement.claim(Role.CODEC, "b", 1)
    await placement.release(Role.CODEC, "b", [second])
    [third] = await placement.claim(Role.CODEC, "c", 1)
    await placement.take_up(Role.CODEC, second)
    assert not await placement.is_taken_up(Role.CODEC, first)
    await placement.take_up(Role.CODEC, third)
    assert await placement.is_taken_up(Role.CODEC, first)


async def test_nobody_waits_for_a_closed_session_to_be_taken_up_and_nothing_of_it_is_kept(
    placement: Placement, redis: Redis
) -> None:
    await placement.open(KEY, ROLES)
    [first] = await placement.claim(Role.CODEC, "a", 1)
    await placement.take_up(Role.CODEC, first)
    await placement.close(KEY, ROLES)
    assert await placement.is_taken_up(Role.CODEC, first)
    await placement.take_up(Role.CODEC, first)
    assert await redis.keys(f"vigil:v1:{{placement}}:{Role.CODEC}:heard") == []


async def test_a_closed_session_is_lost_to_its_holder_and_claimed_by_nobody(placement: Placement) -> None:
    await placement.open(KEY, ROLES)
    [claim] = await placement.claim(Role.CODEC, "a", 1)
    [other] = await placement.claim(Role.INTERACTION, "a", 1)
    await placement.close(KEY, (Role.CODEC,))
    assert await placement.renew(Role.CODEC, "a", [claim]) == [KEY]
    assert await placement.renew(Role.INTERACTION, "a", [other]) == []
    await placement.close(KEY, ROLES)
    await placement.release(Role.CODEC, "a", [claim])
    for role in Role:
        assert await placement.claim(role, "b", 1) == []
        assert await placement.owner(role, KEY) is None


async def test_capacity_counts_live_workers_and_every_open_session(placement: Placement, brief: Placement) -> None:
    assert await placement.capacity(Role.CODEC) == Capacity(workers=0, capacity=0, open_sessions=0)
    await placement.heartbeat(Role.CODEC, "a", 2)
    await placement.heartbeat(Role.CODEC, "b", 3)
    await placement.open(KEYS[0], ROLES)
    await placement.open(KEYS[1], ROLES)
    await placement.claim(Role.CODEC, "a", 1)
    capacity = await placement.capacity(Role.CODEC)
    assert capacity == Capacity(workers=2, capacity=5, open_sessions=2)
    assert capacity.free == 3
    await placement.retire(Role.CODEC, "b")
    assert await placement.capacity(Role.CODEC) == Capacity(workers=1, capacity=2, open_sessions=2)
    await brief.heartbeat(Role.CODEC, "a", 2)  # its last one
    await eventually(lambda: _no_worker(brief), what="a silent worker is forgotten")


async def test_the_patient_take_what_waited_long_enough(placement: Placement) -> None:
    await placement.open(KEY, ROLES)
    assert await placement.claim(Role.CODEC, "a", 1, patience_s=30) == []

    async def claimed() -> list[Claim]:
        return await placement.claim(Role.CODEC, "a", 1, patience_s=0.2)

    assert await eventually(claimed, what="it has waited") == [Claim(KEY, 1)]


async def test_what_workers_share_is_counted_once(placement: Placement) -> None:
    await placement.heartbeat(Role.CODEC, "a", Offer(60, ceiling=100, models=("small", "large")))
    await placement.heartbeat(Role.CODEC, "b", Offer(60, ceiling=80, models=("small",)))
    await placement.heartbeat(Role.INGESTION, "c", Offer(5))
    assert await placement.capacity(Role.CODEC) == Capacity(2, 100, 0, ("large", "small"))
    assert await placement.capacity(Role.INGESTION) == Capacity(1, 5, 0)
    await placement.heartbeat(Role.CODEC, "a", Offer(10, ceiling=100))
    assert (await placement.capacity(Role.CODEC)).capacity == 70


async def test_a_context_is_the_shortest_that_a_worker_tells(placement: Placement) -> None:
    await placement.heartbeat(Role.INTERACTION, "a", Offer(1, 0, ("large", "small"), {"large": 40_960}))
    await placement.heartbeat(Role.INTERACTION, "b", Offer(1, 0, ("large", "small"), {"large": 32_768}))
    await placement.heartbeat(Role.INTERACTION, "c", Offer(1, 0, ("large", "small")))
    found = await placement.capacity(Role.INTERACTION)
    assert (found.models, found.contexts) == (("large", "small"), {"large": 32_768})


async def _no_worker(placement: Placement) -> bool:
    return await placement.capacity(Role.CODEC) == Capacity(workers=0, capacity=0, open_sessions=2)


async def test_more_sessions_than_capacity_leave_nothing_free() -> None:
    assert Capacity(workers=1, capacity=2, open_sessions=3).free == 0


async def test_without_a_server_calls_say_so() -> None:
    async with open_redis(f"redis://127.0.0.1:{free_port()}/0") as client:
        placement = Placement(client)
        for call in (placement.open(KEY, ROLES), placement.claim(Role.CODEC, "a", 1), placement.capacity(Role.CODEC)):
            with pytest.raises(StoreUnavailable):
                await call


async def test_a_session_may_need_some_roles_only(placement: Placement) -> None:
    await placement.open(KEY, (Role.CODEC,))
    assert await placement.claim(Role.INGESTION, "worker-1", 5) == []
    assert [claim.key for claim in await placement.claim(Role.CODEC, "worker-1", 5)] == [KEY]


async def test_a_session_is_admitted_for_all_of_its_roles_or_for_none(placement: Placement) -> None:
    roles = (Role.CODEC, Role.INTERACTION)
    assert await placement.admit(KEY, roles) == Shortage(without_worker=roles, full=())
    await placement.heartbeat(Role.CODEC, "a", 1)
    await placement.heartbeat(Role.INTERACTION, "b", 0)
    assert await placement.admit(KEY, roles) == Shortage((), (Role.INTERACTION,))
    assert await placement.claim(Role.CODEC, "a", 1) == [], "nothing is opened"
    await placement.heartbeat(Role.INTERACTION, "b", 1)
    assert await placement.shortage(roles) is None
    assert await placement.admit(KEY, roles) is None
    assert await placement.admit(KEY, roles) is None, "the same session has its place already"
    assert await placement.admit(KEYS[1], roles) == await placement.shortage(roles) == Shortage((), roles)
    for role in roles:
        assert [claim.key for claim in await placement.claim(role, "a", 5)] == [KEY]


async def test_workers_that_died_offer_no_place(placement: Placement, brief: Placement) -> None:
    async def shortage() -> Shortage | None:
        return await placement.shortage((Role.CODEC,))

    await placement.heartbeat(Role.CODEC, "a", 5)
    assert await shortage() is None
    await brief.heartbeat(Role.CODEC, "a", 5)  # its last one
    assert await eventually(shortage, what="its heartbeat ran out") == Shortage((Role.CODEC,), ())


async def test_fifty_that_race_for_the_last_places_get_as_many_as_there_are(redis: Redis) -> None:
    gateways = Placement(redis, lease_s=60), Placement(redis, lease_s=60)
    await gateways[0].heartbeat(Role.CODEC, "a", Offer(9, ceiling=7))
    await gateways[0].heartbeat(Role.INTERACTION, "b", Offer(9))
    sessions = [SessionKey("demo", f"r-{number}") for number in range(50)]
    roles = (Role.CODEC, Role.INTERACTION)
    answers = await asyncio.gather(*(gateways[number % 2].admit(key, roles) for number, key in enumerate(sessions)))
    assert answers.count(None) == 7
    assert {answer for answer in answers if answer} == {Shortage((), (Role.CODEC,))}
    assert (await gateways[0].capacity(Role.INTERACTION)).open_sessions == 7
