"""A subscriber that was away gets every alert once, in order. It knows nothing but nats-py.

No test waits for an hour, and JetStream lets nobody forge a message's time: what an hour needs (the stream keeps it,
the durable place is not forgotten) is read from the running server; that all of it comes is shown by a replay.
"""

import asyncio

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from vigil.contract import streams, subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.servers import NatsServer

DURABLE = "pager"
HOUR_S = 3_600
CAMERAS = ("lobby", "kitchen")
ALERTS = 720  # one every five seconds for an hour
ALERT_BYTES = 1_500  # an alert event is 0.9 to 1.2 KB


def alert(number: int) -> Outgoing:
    """The event with this number; cameras and states take turns."""
    state = tuple(AlertState)[number % 3]
    subject = subjects.alert("demo", CAMERAS[number % len(CAMERAS)], state)
    return Outgoing(subject, f"demo.s-1.alert.{number}", b"%d" % number, CLOUDEVENT)


async def take(server: NatsServer, count: int) -> list[int]:
    """Connect as a downstream program does, take its durable place, receive and acknowledge, and leave."""
    client: Client = await nats.connect(server.url)
    try:
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.EXPLICIT)
        pull = await client.jetstream().pull_subscribe(
            subjects.alerts_of("demo"), durable=DURABLE, stream=streams.ALERTS.name, config=config
        )
        found: list[int] = []
        async with asyncio.timeout(DEADLINE_S):
            while len(found) < count:
                for message in await pull.fetch(min(100, count - len(found)), timeout=DEADLINE_S):
                    found.append(int(message.data))
                    await message.ack_sync()
        assert (await pull.consumer_info()).num_pending == 0, "nothing comes twice"
        return found
    finally:
        await client.close()


async def test_all_that_was_stored_meanwhile_comes_once_and_in_order(bus: Bus, nats_server: NatsServer) -> None:
    await bus.publish_stored(alert(0))
    assert await take(nats_server, 1) == [0]
    for number in range(1, ALERTS + 1):
        await bus.publish_stored(alert(number))
        if number % 7 == 0:  # a worker that takes a session over publishes what it is not sure of again
            assert (await bus.publish_stored(alert(number - 1))).duplicate
            assert (await bus.publish_stored(alert(number))).duplicate
    assert await take(nats_server, ALERTS) == list(range(1, ALERTS + 1))


async def test_a_server_that_crashed_meanwhile_takes_nothing_away(bus: Bus, nats_server: NatsServer) -> None:
    await bus.publish_stored(alert(0))
    assert await take(nats_server, 1) == [0]
    for number in range(1, 20):
        await bus.publish_stored(alert(number))
    await nats_server.restart()
    async with asyncio.timeout(DEADLINE_S):
        await bus.connected()
    assert (await bus.publish_stored(alert(19))).duplicate, "it remembers what it has"
    await bus.publish_stored(alert(20))
    # A server that crashes may have forgotten that it delivered number 0, in its last moments.
    assert [one for one in await take(nats_server, await pending(nats_server)) if one] == list(range(1, 21))


async def pending(server: NatsServer) -> int:
    """How many messages were not delivered to the durable place yet."""
    client: Client = await nats.connect(server.url)
    try:
        found = await client.jetstream().consumer_info(streams.ALERTS.name, DURABLE)
        return found.num_pending or 0
    finally:
        await client.close()


async def test_an_hour_is_kept_and_so_is_the_place(bus: Bus, nats_server: NatsServer) -> None:
    await bus.publish_stored(alert(0))
    await take(nats_server, 1)
    client: Client = await nats.connect(nats_server.url)
    try:
        kept = (await client.jetstream().stream_info(streams.ALERTS.name)).config
        place = (await client.jetstream().consumer_info(streams.ALERTS.name, DURABLE)).config
    finally:
        await client.close()
    assert (kept.max_age or 0) >= 24 * HOUR_S, "days: an hour is far from the edge"
    assert kept.max_msgs == kept.max_msgs_per_subject == -1, "nothing but age and bytes takes an alert away"
    assert (kept.max_bytes or 0) >= 20 * HOUR_S * ALERT_BYTES, "twenty events a second for an hour"
    assert not place.inactive_threshold, "a durable place is not forgotten"
    assert (kept.duplicate_window or 0) == pytest.approx(streams.DEDUPLICATION_S)
