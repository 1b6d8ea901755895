"""Durable consumers against a real NATS server."""

import asyncio
import threading
import time
from collections.abc import Callable

import nats

from vigil.contract import streams, subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.consumer import Consumer, Delivery, Terms
from vigil.runtime.bus.round_trip import round_trip
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer

SUBJECT = subjects.alert("demo", "lobby", AlertState.OPENED)


async def send(bus: Bus, *numbers: int) -> None:
    """Store alerts with these numbers."""
    for number in numbers:
        await bus.publish_stored(Outgoing(SUBJECT, f"alert.{number}", b"%d" % number, CLOUDEVENT))


def alerts(bus: Bus) -> Consumer:
    """The durable consumer of these tests."""
    return bus.consume(streams.ALERTS, "pager", subjects.alerts_of("demo"))


async def take(consumer: Consumer, count: int, deadline_s: float = DEADLINE_S) -> list[int]:
    """Receive and acknowledge `count` messages."""
    numbers = []
    async with asyncio.timeout(deadline_s):
        for _ in range(count):
            delivery = await anext(consumer)
            await delivery.ack()
            numbers.append(int(delivery.payload))
    return numbers


async def test_what_was_stored_while_nobody_listened_is_delivered(bus: Bus) -> None:
    await send(bus, 1, 2)
    async with alerts(bus) as consumer:
        assert await take(consumer, 2) == [1, 2]
        await send(bus, 3)
        assert await take(consumer, 1) == [3]


async def test_a_consumer_goes_on_where_its_predecessor_stopped(bus: Bus) -> None:
    await send(bus, 1, 2, 3)
    async with alerts(bus) as first:
        assert await take(first, 2) == [1, 2]
    await send(bus, 4)
    async with alerts(bus) as second:
        assert await take(second, 2, deadline_s=25) == [3, 4], "long before the acknowledgement wait of 30 s has passed"


async def test_what_came_and_was_not_taken_is_handed_back(bus: Bus) -> None:
    await send(bus, *range(20))
    async with alerts(bus) as first:
        assert await take(first, 1) == [0]
    async with alerts(bus) as second:
        assert sorted(await take(second, 19, deadline_s=25)) == list(range(1, 20))


async def test_a_message_that_is_put_back_comes_again_and_is_counted(bus: Bus) -> None:
    await send(bus, 1)
    async with alerts(bus) as consumer:
        first = await anext(consumer)
        await first.retry(delay_s=0.05)
        again: Delivery = await anext(consumer)
        await again.give_up()
    assert (first.delivered, again.delivered) == (1, 2)
    assert first.sequence == again.sequence == 1
    assert again.headers["Nats-Msg-Id"] == "alert.1"


async def test_a_consumer_goes_on_after_the_server_crashed(bus: Bus, nats_server: NatsServer) -> None:
    async with alerts(bus) as consumer:
        await send(bus, 1)
        assert await take(consumer, 1) == [1]
        waiting = asyncio.create_task(take(consumer, 1))
        await nats_server.restart()
        async with asyncio.timeout(DEADLINE_S):
            await bus.connected()
        await send(bus, 2)
        seen = await waiting
        while 2 not in seen:  # a server that crashes may have forgotten an acknowledgement of its last moments
            seen += await take(consumer, 1, deadline_s=DEADLINE_S)
    assert seen in ([2], [1, 2])


def stand_still(meanwhile: Callable[[], None]) -> None:
    """Keep this thread, and with it the event loop, from doing anything for longer than the server may be silent."""
    other = threading.Thread(target=meanwhile)
    other.start()
    other.join()
    time.sleep(2.5)


async def test_a_process_that_stood_still_takes_what_came_meanwhile(bus: Bus, nats_server: NatsServer) -> None:
    def publish() -> None:
        async def elsewhere() -> None:
            client = await nats.connect(nats_server.url)
            await client.jetstream().publish(SUBJECT, b"1", headers={"Nats-Msg-Id": "alert.1"})
            await client.close()

        asyncio.run(elsewhere())

    async with alerts(bus) as consumer:
        receiving = asyncio.ensure_future(anext(consumer))
        await eventually(lambda: consumer.exists, what="the consumer is made")
        await round_trip(bus._connection.client(), DEADLINE_S)  # its request has reached the server
        stand_still(publish)
        async with asyncio.timeout(DEADLINE_S):
            delivery = await receiving
        await delivery.ack()
    assert delivery.delivered == 1, "it is not delivered again, half a minute later"


async def test_a_consumer_that_was_deleted_is_created_again(bus: Bus, nats_server: NatsServer) -> None:
    async with alerts(bus) as consumer:
        await send(bus, 1)
        assert await take(consumer, 1) == [1]
        client = await nats.connect(nats_server.url)
        assert await client.jetstream().delete_consumer(streams.ALERTS.name, "pager")
        await client.close()
        await send(bus, 2)
        seen = await take(consumer, 1)
        while 2 not in seen:
            seen += await take(consumer, 1)
    assert seen[-1] == 2


async def test_what_was_taken_before_a_renewal_and_not_acknowledged_comes_again(bus: Bus) -> None:
    await send(bus, 1, 2, 3)
    async with alerts(bus) as consumer:
        held = await anext(consumer)
        await consumer.renew()  # 2 and 3 have come already: they are taken after it
        seen: set[int] = set()
        async with asyncio.timeout(DEADLINE_S):
            while int(held.payload) not in seen:
                seen.update(await take(consumer, 1))
    assert seen == {1, 2, 3}


async def test_one_that_skips_the_past_misses_nothing_when_it_is_deleted(bus: Bus, nats_server: NatsServer) -> None:
    await send(bus, 1)
    terms = Terms(in_order=True, from_now=True)
    client = await nats.connect(nats_server.url)
    async with bus.consume(streams.ALERTS, "pager", subjects.alerts_of("demo"), terms) as consumer:
        receiving = asyncio.create_task(take(consumer, 1))
        await eventually(lambda: consumer.exists, what="the consumer is made")
        for number in (2, 3):
            assert await client.jetstream().delete_consumer(streams.ALERTS.name, "pager")
            await send(bus, number)
            seen = await receiving
            while number not in seen:  # the last one may come again
                seen += await take(consumer, 1)
            assert 1 not in seen
            receiving = asyncio.create_task(take(consumer, 1))
        assert await client.jetstream().delete_stream(streams.ALERTS.name)
        await bus.ensure_streams()
        await send(bus, 4, 5)
        assert [*await receiving, *await take(consumer, 1)] == [4, 5], "a new stream is read from its beginning"
    await client.close()


async def test_a_consumer_follows_a_changed_filter(bus: Bus) -> None:
    def named(tenant: str) -> Consumer:
        return bus.consume(streams.ALERTS, "pager", subjects.alerts_of(tenant), Terms(in_order=True))

    other = subjects.alert("rival", "lobby", AlertState.OPENED)
    async with named("demo") as consumer:
        await send(bus, 1)
        assert await take(consumer, 1) == [1]
    await send(bus, 2)
    await bus.publish_stored(Outgoing(other, "alert.3", b"3", CLOUDEVENT))
    async with named("rival") as consumer:
        assert await take(consumer, 1) == [3]


async def test_in_order_a_retry_holds_back_what_follows(bus: Bus) -> None:
    await send(bus, 1, 2)
    terms = Terms(in_order=True)
    async with bus.consume(streams.ALERTS, "pager", subjects.alerts_of("demo"), terms) as consumer:
        assert not consumer.exists
        first = await anext(consumer)
        assert consumer.exists
        await first.retry(delay_s=0.2)
        assert await take(consumer, 2) == [1, 2]


async def test_from_now_on_the_past_is_skipped_and_nothing_after_it(bus: Bus) -> None:
    await send(bus, 1)
    terms = Terms(from_now=True, forget_s=3_600)
    async with bus.consume(streams.ALERTS, "pager", subjects.alerts_of("demo"), terms) as consumer:
        receiving = asyncio.create_task(take(consumer, 1))
        await eventually(lambda: consumer.exists, what="the consumer is made")
        await send(bus, 2)
        assert await receiving == [2]
    await send(bus, 3)
    async with bus.consume(streams.ALERTS, "pager", subjects.alerts_of("demo"), terms) as consumer:
        assert await take(consumer, 1) == [3]


async def test_new_terms_hold_for_a_consumer_that_is_there(bus: Bus) -> None:
    await send(bus, 1)
    async with alerts(bus) as consumer:
        await anext(consumer)
    hasty = Terms(ack_wait_s=0.2)
    async with (
        asyncio.timeout(DEADLINE_S),
        bus.consume(streams.ALERTS, "pager", subjects.alerts_of("demo"), hasty) as consumer,
    ):
        again = await anext(consumer)
    assert (again.sequence, again.delivered) == (1, 2), "long before the usual 30 s"
