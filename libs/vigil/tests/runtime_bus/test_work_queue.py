"""A work queue against a real NATS server: each message goes to one consumer and is forgotten once acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.errors import BadRequestError

from vigil.contract.streams import SESSIONS, Retention, StreamSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.consumer import Consumer, Terms
from vigil.runtime.bus.jetstream import stream_config
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer

WORK = StreamSpec("WORK", "work to do", ("work.>",), 3_600.0, 1 << 20, Retention.WORK_QUEUE)
COUNT = 20
IN_ORDER = Terms(in_order=True)


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """JetStream with the work queue of these tests."""
    client = await nats.connect(nats_server.url)
    context = client.jetstream()
    await context.add_stream(stream_config(WORK))
    yield context
    await client.close()


async def submit(jetstream: JetStreamContext, *numbers: int) -> None:
    for number in numbers:
        await jetstream.publish("work.one", b"%d" % number)


async def left(jetstream: JetStreamContext) -> int:
    """Messages that the stream still holds."""
    return (await jetstream.stream_info(WORK.name)).state.messages


def worker(bus: Bus, terms: Terms = IN_ORDER) -> Consumer:
    return bus.consume(WORK, "worker", "work.>", terms)


async def take(consumer: Consumer, done: list[int], until: asyncio.Event) -> None:
    """Acknowledge messages until all of them have been taken by somebody."""
    async for delivery in consumer:
        await delivery.ack()
        done.append(int(delivery.payload))
        if len(done) == COUNT:
            until.set()


async def test_workers_share_the_messages_and_what_is_acknowledged_is_forgotten(
    bus: Bus, jetstream: JetStreamContext
) -> None:
    done: list[int] = []
    all_done = asyncio.Event()
    async with worker(bus) as first, worker(bus) as second, asyncio.TaskGroup() as group:
        taking = [group.create_task(take(consumer, done, all_done)) for consumer in (first, second)]
        await submit(jetstream, *range(COUNT))
        async with asyncio.timeout(DEADLINE_S):
            await all_done.wait()
        for task in taking:
            task.cancel()
    assert sorted(done) == list(range(COUNT)), "each message went to one worker"

    async def is_empty() -> bool:
        return await left(jetstream) == 0

    await eventually(is_empty, what="acknowledged work is forgotten")


async def test_work_that_was_not_acknowledged_stays_and_comes_again(bus: Bus, jetstream: JetStreamContext) -> None:
    await submit(jetstream, 1)
    hasty = Terms(ack_wait_s=0.2, in_order=True)
    async with asyncio.timeout(DEADLINE_S):
        async with worker(bus, hasty) as died:
            assert (await anext(died)).payload == b"1"
        assert await left(jetstream) == 1
        async with worker(bus, hasty) as successor:
            again = await anext(successor)
    assert (again.payload, again.delivered) == (b"1", 2)


async def test_a_second_consumer_of_the_same_work_is_refused(bus: Bus, jetstream: JetStreamContext) -> None:
    await submit(jetstream, 1)
    async with asyncio.timeout(DEADLINE_S), worker(bus) as consumer:
        await (await anext(consumer)).ack()
        config = (await jetstream.consumer_info(WORK.name, "worker")).config
        with pytest.raises(BadRequestError, match="unique"):
            await jetstream.add_consumer(WORK.name, replace(config, name="other", durable_name="other"))


async def test_a_deleted_consumer_of_a_work_queue_is_created_again_and_misses_nothing(
    bus: Bus, jetstream: JetStreamContext
) -> None:
    await submit(jetstream, 1)
    async with asyncio.timeout(DEADLINE_S), worker(bus, Terms(from_now=True)) as consumer:
        await (await anext(consumer)).ack()
        assert await jetstream.delete_consumer(WORK.name, "worker")
        await submit(jetstream, 2)
        seen = b"1"
        while seen == b"1":  # an acknowledgement of the last moment may have been lost with the consumer
            delivery = await anext(consumer)
            await delivery.ack()
            seen = delivery.payload
    assert seen == b"2"


async def test_a_limits_stream_keeps_what_was_acknowledged(bus: Bus, jetstream: JetStreamContext) -> None:
    log = replace(WORK, name="LOG", subjects=("log.>",), retention=Retention.LIMITS)
    await jetstream.add_stream(stream_config(log))
    await jetstream.publish("log.one", b"1")
    async with asyncio.timeout(DEADLINE_S):
        for durable in ("first", "second"):
            async with bus.consume(log, durable, "log.>") as consumer:
                delivery = await anext(consumer)
                await delivery.ack()
                assert delivery.payload == b"1"
    assert (await jetstream.stream_info("LOG")).state.messages == 1
    assert SESSIONS.retention is Retention.LIMITS
