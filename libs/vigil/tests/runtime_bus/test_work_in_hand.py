"""The frame of a worker of a work queue, on real NATS: taking, holding, giving back, putting aside."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from vigil.contract import subjects
from vigil.contract.events.envelope import decode_event
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.contract.streams import DEAD_LETTERS, MEMORY_REQUESTS
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.consumer import Delivery, Terms
from vigil.runtime.bus.work_queue import WorkQueue, give_back
from vigil.runtime.errors import StoreUnavailable
from vigil.testing.eventually import eventually

SUBJECT = subjects.memory_requested(SessionKey("demo", "s-1"))
LONG_S, LEASE_S = 3_600.0, 1.0  # a lease that outlives a test, and one that runs out during it
ATTEMPTS = 5


def queue(bus: Bus, lease_s: float) -> WorkQueue:
    return WorkQueue(bus, MEMORY_REQUESTS, "memory", lease_s, lambda: 1_000_000)


class Taker:
    """Takes messages; `faults` are raised first, one each."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.taken: list[Delivery] = []

    async def take(self, delivery: Delivery) -> None:
        if self.faults:
            raise self.faults.pop()
        self.taken.append(delivery)


@asynccontextmanager
async def taking(bus: Bus, taker: Taker, lease_s: float = LONG_S) -> AsyncIterator[WorkQueue]:
    """A worker that takes what comes, for as long as the block lasts."""
    await bus.publish_stored(Outgoing(SUBJECT, "m-1", b"work", PROTOBUF))
    consumer = bus.consume(MEMORY_REQUESTS, "memory", subjects.ALL_MEMORY_REQUESTS, Terms(ack_wait_s=lease_s))
    async with consumer as deliveries:
        running = asyncio.create_task(queue(bus, lease_s).take_all(deliveries, taker.take))
        try:
            yield queue(bus, lease_s)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_what_cannot_be_taken_now_comes_again(bus: Bus) -> None:
    taker = Taker(StoreUnavailable("Redis is away"))
    async with taking(bus, taker):
        (delivery,) = await eventually(lambda: taker.taken, what="it is taken")
    assert (delivery.payload, delivery.delivered) == (b"work", 2)


async def test_what_is_held_is_delivered_to_nobody_until_it_is_let_go(bus: Bus) -> None:
    """A machine that stands still for a lease loses what it holds; without the holding each attempt would lose it."""
    taker = Taker()
    async with taking(bus, taker, LEASE_S) as work:
        await eventually(lambda: taker.taken, what="it is taken")
        for attempt in range(ATTEMPTS):
            looks, before = itertools.count(), len(taker.taken)
            over = asyncio.Event()

            def in_hand(looks: Iterator[int] = looks, over: asyncio.Event = over) -> list[Delivery]:
                if next(looks) == 9:
                    over.set()
                return taker.taken[-1:]

            holding = asyncio.create_task(work.hold_all(in_hand))
            await over.wait()  # two leases
            holding.cancel()
            if len(taker.taken) == before:
                break
            assert attempt < ATTEMPTS - 1, "it came again while it was held"
        await eventually(lambda: len(taker.taken) > before, what="it comes again")


async def test_what_is_given_back_comes_at_once(bus: Bus) -> None:
    taker = Taker()
    async with taking(bus, taker):
        (delivery,) = await eventually(lambda: taker.taken, what="it is taken")
        await give_back(delivery, 0.0)
        await eventually(lambda: len(taker.taken) == 2, what="it comes again")


async def test_what_is_no_work_is_put_aside_and_still_to_be_acknowledged(bus: Bus) -> None:
    taker = Taker()
    async with taking(bus, taker) as work:
        (delivery,) = await eventually(lambda: taker.taken, what="it is taken")
        await work.put_aside(delivery, "these bytes are no work")
        assert (await bus.size(MEMORY_REQUESTS)).messages == 1
        await delivery.ack()
    (stored,) = (await bus.stored(DEAD_LETTERS, DEAD_LETTERS.family, 1, 10)).messages
    data = decode_event(stored.payload).data
    assert (data["reason"], data["stream"], data["sequence"]) == ("these bytes are no work", "MEMORY_REQUESTS", 1)
    assert base64.b64decode(data["payload_base64"]) == b"work"
