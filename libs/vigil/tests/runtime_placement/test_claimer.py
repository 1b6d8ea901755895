"""The claimer against real servers: sessions run where their lease is, and nowhere else."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusUnavailable, StoreCorrupt, StoreNewer
from vigil.runtime.placement.claimer import Claimer, Offers, Run
from vigil.runtime.placement.leases import LEASE_S, Capacity, Claim, Offer, Placement
from vigil.testing.eventually import eventually
from vigil.testing.servers import NatsServer, RedisServer
from vigil.testing.timing import once_within

ROLES = tuple(Role)
PATIENCE_S = 2.0  # for so long a full worker leaves a session to others
ATTEMPTS = 5
KEY = SessionKey("demo", "s-1")
OTHER = SessionKey("demo", "s-2")


class Worker:
    """A run that only notes what it is told to run, and when it stops."""

    def __init__(self) -> None:
        self.runs: list[Claim] = []
        self.running: set[Claim] = set()
        self.overlap = False

    async def run(self, claim: Claim) -> None:
        self.runs.append(claim)
        self.overlap |= claim.key in {held.key for held in self.running}
        self.running.add(claim)
        try:
            await asyncio.Event().wait()
        finally:
            self.running.discard(claim)


class Looked(Placement):
    """Counts how often it was answered who lives: a draining worker asks each time that it looks. `seen_s` is when it
    asked last of the times at which there was somebody."""

    looks = 0
    seen_s = 0.0

    async def capacity(self, role: Role) -> Capacity:
        asked_s = time.monotonic()
        found = await super().capacity(role)
        self.looks += 1
        if found.workers:
            self.seen_s = asked_s
        return found


@asynccontextmanager
async def claiming(claimer: Claimer) -> AsyncIterator[asyncio.Task[None]]:
    """Run a claimer; cancelled at the end, as a drain does."""
    task = asyncio.create_task(claimer.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def placement(redis: Redis) -> Placement:
    """Placement with leases that outlive a test."""
    return Placement(redis, lease_s=3_600)


@pytest.fixture
def brief(redis: Redis) -> Placement:
    """Placement with the leases of production."""
    return Placement(redis)


MakeClaimer = Callable[..., Claimer]


@pytest.fixture
def make(placement: Placement, bus: Bus) -> MakeClaimer:
    """Makes claimers of the codec's role."""

    def make_claimer(
        worker: str,
        run: Run,
        capacity: int = 4,
        offer: Offers | None = None,
        leases: Placement = placement,
        **more: Any,
    ) -> Claimer:
        return Claimer(leases, bus, role=Role.CODEC, worker=worker, capacity=capacity, run=run, offer=offer, **more)

    return make_claimer


async def tell(bus: Bus, event: Lifecycle) -> None:
    """What the gateway publishes after it opened or closed a session."""
    data = SessionData(KEY.tenant, KEY.session, "lobby", "", "", "")
    await bus.publish_stored(session_outgoing(event, data, created_us=0, number=0, emit_time_us=0))


async def test_a_session_runs_at_once_when_it_is_opened_and_stops_when_it_is_closed(
    make: MakeClaimer, placement: Placement, bus: Bus
) -> None:
    worker = Worker()
    async with claiming(make("a", worker.run)):
        await placement.open(KEY, ROLES)
        await tell(bus, Lifecycle.REQUESTED)
        await eventually(lambda: worker.running == {Claim(KEY, 1)}, what="it runs")
        await placement.close(KEY, ROLES)
        await tell(bus, Lifecycle.ENDED)
        await eventually(lambda: not worker.running, what="it stops")
    assert worker.runs == [Claim(KEY, 1)]


async def test_a_worker_holds_no_more_than_its_capacity_and_another_takes_the_rest(
    make: MakeClaimer, placement: Placement
) -> None:
    first, second = Worker(), Worker()
    await placement.open(KEY, ROLES)
    await placement.open(OTHER, ROLES)
    async with claiming(make("a", first.run, capacity=1)):
        await eventually(lambda: len(first.running) == 1)
        assert (await placement.capacity(Role.CODEC)).free == 0
        async with claiming(make("b", second.run, capacity=1)):
            await eventually(lambda: len(second.running) == 1)
            assert {one.key for one in first.running | second.running} == {KEY, OTHER}
            assert (await placement.capacity(Role.CODEC)).workers == 2


async def test_a_full_worker_leaves_sessions_to_others_and_takes_what_nobody_took(
    make: MakeClaimer, placement: Placement
) -> None:
    """It measured that it can hold one; the second session is late there, and nowhere else."""
    full, other = Worker(), Worker()
    await placement.open(KEY, ROLES)
    async with claiming(make("a", full.run, offer=lambda _: Offer(1))):
        await eventually(lambda: full.running, what="it runs")
        assert (await placement.capacity(Role.CODEC)).free == 0
        async with claiming(make("b", other.run)):
            await eventually(lambda: _workers(placement, 2), what="both live")
            for number in range(ATTEMPTS):
                second, opened_s = SessionKey("demo", f"second-{number}"), time.monotonic()
                await placement.open(second, ROLES)
                await eventually(lambda: other.running or len(full.running) == 2, what="one of them takes it")
                if other.running:
                    break
                assert time.monotonic() - opened_s >= PATIENCE_S, "the other one had no time to take it"
                await placement.close(second, ROLES)  # this machine stood still: the full one may have it by now
                await eventually(lambda: len(full.running) == 1, what="it is let go")
            assert {claim.key for claim in other.running} == {second}
            assert len(full.running) == 1
        await eventually(lambda: len(full.running) == 2, what="nobody else is there any more")


async def test_a_dead_worker_is_replaced_within_three_seconds(make: MakeClaimer, brief: Placement) -> None:
    """A worker that dies stops renewing and releases nothing: its claim is taken by hand here."""
    worker = Worker()

    async def dies(number: int) -> None:
        key = SessionKey("demo", f"of-the-dead-{number}")
        await brief.open(key, ROLES)
        assert await brief.claim(Role.CODEC, "dead", 1) == [Claim(key, 1)]
        async with claiming(make("b", worker.run, leases=brief)):
            await eventually(lambda: Claim(key, 2, previous="dead") in worker.runs, what="it runs again")
        await brief.close(key, ROLES)

    await once_within(3.0, dies)


async def test_a_drained_worker_hands_over_at_once(make: MakeClaimer, placement: Placement) -> None:
    """Its lease would last much longer."""
    await placement.open(KEY, ROLES)
    first, second = Worker(), Worker()
    async with claiming(make("a", first.run)):
        await eventually(lambda: first.running, what="it runs")
    assert not first.running
    assert (await placement.capacity(Role.CODEC)).workers == 0
    async with claiming(make("b", second.run)):
        await eventually(lambda: second.running == {Claim(KEY, 2, previous="a")}, what="it runs at the other worker")


async def test_a_draining_worker_goes_on_until_another_one_runs_its_session(
    make: MakeClaimer, placement: Placement
) -> None:
    """At no moment does nobody run it."""
    await placement.open(KEY, ROLES)
    first, second = Worker(), Worker()
    async with claiming(make("a", first.run)) as draining:
        await eventually(lambda: first.running, what="it runs")
        async with claiming(make("b", second.run)):
            await eventually(lambda: _workers(placement, 2), what="another worker is there")
            draining.cancel()

            def is_taken() -> bool:
                assert first.running or second.running, "nobody runs it"
                return second.running == {Claim(KEY, 2, previous="a")}

            await eventually(is_taken, what="the other worker runs it")
            await eventually(lambda: not first.running, what="then it is let go")


async def test_a_draining_worker_goes_on_until_the_other_one_is_at_work(
    make: MakeClaimer, placement: Placement
) -> None:
    await placement.open(KEY, ROLES)
    first, second = Worker(), Worker()
    at_work = asyncio.Event()
    asked: list[Claim] = []

    async def relieved(claim: Claim) -> bool:
        asked.append(claim)
        return at_work.is_set()

    async with claiming(make("a", first.run, relieved=relieved)) as draining:
        await eventually(lambda: first.running, what="it runs")
        async with claiming(make("b", second.run)):
            await eventually(lambda: _workers(placement, 2), what="another worker is there")
            draining.cancel()
            await eventually(lambda: second.running and len(asked) >= 2, what="the other one has it, but opens yet")
            assert first.running == {asked[0]}
            at_work.set()
            await eventually(lambda: not first.running, what="then it is let go")


async def test_a_worker_that_is_not_relieved_goes_all_the_same(make: MakeClaimer, placement: Placement) -> None:
    async def relieved(_: Claim) -> bool:
        return False

    await placement.open(KEY, ROLES)
    first, second = Worker(), Worker()
    async with claiming(make("a", first.run, relieved=relieved, hand_over_s=1.0)) as draining:
        await eventually(lambda: first.running, what="it runs")
        async with claiming(make("b", second.run)):
            await eventually(lambda: _workers(placement, 2), what="another worker is there")
            draining.cancel()
            await eventually(draining.done, what="it goes")
            await eventually(lambda: second.running == {Claim(KEY, 2, previous="a")}, what="the other one has it")


async def test_a_draining_worker_goes_on_for_one_look_after_it_is_relieved(make: MakeClaimer, redis: Redis) -> None:
    """What reached it before the other worker listened may still be on its way inside of this process."""
    leases = Looked(redis, lease_s=3_600)
    await leases.open(KEY, ROLES)
    second = Worker()
    looks_at: dict[str, int] = {}

    async def run(_: Claim) -> None:
        looks_at["begun"] = leases.looks
        try:
            await asyncio.Event().wait()
        finally:
            looks_at["stopped"] = leases.looks

    async def relieved(_: Claim) -> bool:
        looks_at["relieved"] = leases.looks
        return True

    async with claiming(make("a", run, leases=leases, relieved=relieved)) as draining:
        await eventually(lambda: looks_at, what="it runs")
        async with claiming(make("b", second.run, leases=leases)):
            await eventually(lambda: _workers(leases, 2), what="another worker is there")
            draining.cancel()
            await eventually(lambda: draining.done(), what="it is let go")
    assert looks_at["stopped"] > looks_at["relieved"]


async def test_a_draining_worker_waits_for_one_that_misses_its_heartbeats_for_a_moment(
    make: MakeClaimer, redis: Redis
) -> None:
    leases = Looked(redis, lease_s=3_600)
    await leases.open(KEY, ROLES)
    began, stopped_s = asyncio.Event(), list[float]()

    async def run(_: Claim) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped_s.append(time.monotonic())

    async with claiming(make("a", run, leases=leases, hand_over_s=3_600.0)) as draining:
        await eventually(began.is_set, what="it runs")
        await leases.heartbeat(Role.CODEC, "b", 4)
        draining.cancel()
        await eventually(lambda: leases.seen_s, what="it has seen the other worker")
        await leases.retire(Role.CODEC, "b")
        await eventually(lambda: stopped_s, what="it waits no longer than for a lease")
    assert stopped_s[0] - leases.seen_s >= LEASE_S


async def test_a_run_that_fails_while_its_worker_drains_is_started_again(
    make: MakeClaimer, placement: Placement
) -> None:
    await placement.open(KEY, ROLES)
    second, at_work = Worker(), asyncio.Event()
    began: list[Claim] = []

    async def run(claim: Claim) -> None:
        began.append(claim)
        if len(began) == 1:
            await failing.wait()
            raise BusUnavailable("no bus for a moment")
        await asyncio.Event().wait()

    async def relieved(_: Claim) -> bool:
        return at_work.is_set()

    failing = asyncio.Event()
    async with claiming(make("a", run, relieved=relieved, hand_over_s=60.0)) as draining:
        await eventually(lambda: began, what="it runs")
        async with claiming(make("b", second.run)):
            await eventually(lambda: _workers(placement, 2), what="another worker is there")
            draining.cancel()
            await eventually(lambda: second.running, what="the other one has it, but is not at work")
            failing.set()
            await eventually(lambda: len(began) == 2, what="it runs again meanwhile")
            at_work.set()
            await eventually(lambda: draining.done(), what="then it is let go")
            assert second.running == {Claim(KEY, 2, previous="a")}


async def test_a_run_that_fails_is_started_again_without_touching_the_others(
    make: MakeClaimer, placement: Placement
) -> None:
    worker = Worker()
    failures = 0

    async def run(claim: Claim) -> None:
        nonlocal failures
        if claim.key == KEY and failures < 2:
            failures += 1
            raise ConnectionError("the camera is gone")
        await worker.run(claim)

    await placement.open(KEY, ROLES)
    await placement.open(OTHER, ROLES)
    async with claiming(make("a", run)):
        await eventually(lambda: {one.key for one in worker.running} == {KEY, OTHER}, what="both run")
    assert failures == 2
    assert len(worker.runs) == 2


async def test_a_session_that_was_overtaken_stops(make: MakeClaimer, placement: Placement, redis: Redis) -> None:
    worker = Worker()
    await placement.open(KEY, ROLES)
    async with claiming(make("a", worker.run)):
        await eventually(lambda: worker.running, what="it runs")

        async def overtaken() -> list[Claim]:
            """As if this process had been paused; the worker may renew its lease just before it is claimed."""
            await redis.zadd("vigil:v1:{placement}:codec:expiry", {"demo.s-1": 0})
            return await placement.claim(Role.CODEC, "b", 1)

        assert await eventually(overtaken, what="another one claims it") == [Claim(KEY, 2, previous="a")]
        await eventually(lambda: not worker.running, what="it stops")


async def test_a_session_that_comes_back_while_it_stops_never_runs_twice(
    make: MakeClaimer, placement: Placement, bus: Bus
) -> None:
    worker = Worker()
    may_stop = asyncio.Event()

    async def slow_to_stop(claim: Claim) -> None:
        try:
            await worker.run(claim)
        finally:
            worker.running.add(claim)
            await may_stop.wait()
            worker.running.discard(claim)

    await placement.open(KEY, ROLES)
    claimer = make("a", slow_to_stop)
    async with claiming(claimer):
        await eventually(lambda: worker.running, what="it runs")
        await placement.close(KEY, ROLES)
        await tell(bus, Lifecycle.ENDED)
        await eventually(lambda: not claimer.held, what="it is let go")
        await placement.open(KEY, ROLES)
        await eventually(lambda: claimer.held == (Claim(KEY, 1),), what="it is claimed again")
        assert len(worker.runs) == 1
        may_stop.set()
        await eventually(lambda: len(worker.runs) == 2, what="it runs again")
    assert not worker.overlap


async def test_sessions_stop_while_leases_cannot_be_renewed_and_come_back(
    make: MakeClaimer, brief: Placement, redis_server: RedisServer
) -> None:
    worker = Worker()
    await brief.open(KEY, ROLES)
    async with claiming(make("a", worker.run, leases=brief)):
        await eventually(lambda: worker.running, what="it runs")
        await redis_server.kill()
        await eventually(lambda: not worker.running, what="it stops when the lease has run out")
        count, before = len(worker.runs), worker.runs[-1]
        await redis_server.start()
        await eventually(lambda: len(worker.runs) > count, what="it runs again")
    assert worker.runs[count].fence > before.fence
    assert worker.runs[count].previous == "a"


async def test_a_short_restart_of_redis_is_not_noticed(
    make: MakeClaimer, placement: Placement, redis_server: RedisServer
) -> None:
    worker = Worker()
    await placement.open(KEY, ROLES)
    async with claiming(make("a", worker.run)):
        await eventually(lambda: worker.running, what="it runs")
        await redis_server.restart()
        await placement.open(OTHER, ROLES)
        await eventually(lambda: len(worker.running) == 2, what="the next session runs too")
    assert [one.key for one in worker.runs] == [KEY, OTHER]


async def test_a_session_that_cannot_be_read_is_told_of_once_without_a_traceback(
    make: MakeClaimer, placement: Placement
) -> None:
    runs: list[Claim] = []

    async def run(claim: Claim) -> None:
        runs.append(claim)
        raise StoreCorrupt(claim.key, "its spec cannot be read")

    await placement.open(KEY, ROLES)
    with capture_logs() as logs:
        async with claiming(make("a", run)):
            await eventually(lambda: len(runs) >= 2, what="it is tried again")
    told = [entry for entry in logs if entry["log_level"] in ("warning", "error")]
    assert [(entry["event"], entry["error"]) for entry in told] == [("session not read", "its spec cannot be read")]
    assert "exc_info" not in told[0]


async def test_a_session_of_a_newer_release_is_left_to_a_worker_that_knows_it(
    make: MakeClaimer, placement: Placement
) -> None:
    older, newer = Worker(), Worker()
    tried: list[Claim] = []

    async def run(claim: Claim) -> None:
        if claim.key == KEY:
            tried.append(claim)
            raise StoreNewer(claim.key, "it is stored in a newer form")
        await older.run(claim)

    await placement.open(KEY, ROLES)
    with capture_logs() as logs:
        async with claiming(make("older", run)):
            await eventually(lambda: _is_unheld(placement, KEY), what="it is given up")
            await placement.open(OTHER, ROLES)
            await eventually(lambda: older.running, what="what comes after it is taken all the same")
            assert await placement.unheld(Role.CODEC, 9) == [KEY]
            async with claiming(make("newer", newer.run)):
                await eventually(lambda: newer.running, what="the other worker takes it")
                assert await placement.owner(Role.CODEC, KEY) == "newer"
    assert len(tried) == 1
    told = [entry for entry in logs if entry["event"] == "session left to a newer release"]
    assert [entry["error"] for entry in told] == ["it is stored in a newer form"]


async def _is_unheld(placement: Placement, key: SessionKey) -> bool:
    return await placement.owner(Role.CODEC, key) is not None and key in await placement.unheld(Role.CODEC, 9)


async def test_without_the_bus_sessions_are_found_by_looking(
    make: MakeClaimer, placement: Placement, nats_server: NatsServer
) -> None:
    worker = Worker()
    async with claiming(make("a", worker.run)):
        await nats_server.kill()
        await placement.open(KEY, ROLES)
        await eventually(lambda: worker.running == {Claim(KEY, 1)}, what="it runs")


async def test_cancelling_the_claimer_ends_it(make: MakeClaimer) -> None:
    async with claiming(make("a", Worker().run)) as task:
        await asyncio.sleep(0)
    assert task.cancelled()


async def _workers(placement: Placement, count: int) -> bool:
    return (await placement.capacity(Role.CODEC)).workers == count
