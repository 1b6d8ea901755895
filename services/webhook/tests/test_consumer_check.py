"""A bridge whose consumer somebody changes, and one into whose stream somebody copies alerts."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.js.api import ConsumerConfig
from prometheus_client import REGISTRY

from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.testing.eventually import eventually

Fixture = Any  # those of conftest.py, which importlib mode does not let tests import
STREAM, DURABLE = "ALERTS", "webhook-pager"
Change = Callable[[ConsumerConfig], ConsumerConfig]


@pytest.fixture
async def intruder(stage: Fixture) -> AsyncIterator[Nats]:
    """Somebody with every right."""
    client = await nats.connect(stage.nats.url)
    yield client
    await client.close()


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(f"vigil_webhook_{name}_total", {"endpoint": "pager"}) or 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda config: replace(config, filter_subject="vigil.v1.alert.nobody.>"), "filter_subject is"),
        (lambda config: replace(config, headers_only=True), "headers_only is True and not None"),
        (lambda config: replace(config, max_deliver=1), "max_deliver is 1 and not -1"),
        (lambda config: replace(config, max_ack_pending=1), "max_ack_pending is 1"),
        (None, "pause_until is"),
    ],
    ids=["another filter", "without payloads", "one try each", "one at a time", "paused"],
)
async def test_a_changed_consumer_is_told_and_made_again_and_nothing_is_missed(
    stage: Fixture, receivers: Fixture, stored: Fixture, intruder: Nats, change: Change | None, said: str
) -> None:
    receiver = receivers()
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}, webhook_check_s=0.3) as bridge:
        await stage.send(stored(0))
        await receiver.has(1)
        before = counted("consumer_changes")
        jetstream = intruder.jetstream()
        if change is None:
            until = b'{"pause_until": "2099-01-01T00:00:00Z"}'
            await intruder.request(f"$JS.API.CONSUMER.PAUSE.{STREAM}.{DURABLE}", until, timeout=5)
        else:
            there = (await jetstream.consumer_info(STREAM, DURABLE)).config
            await jetstream.add_consumer(STREAM, change(there))
        await stage.send(stored(1), stored(2))

        async def told() -> str:
            checks: str = (await bridge.health.check()).checks["consumers"]
            return checks if said in checks else ""

        assert "somebody changed the consumer of pager" in str(await eventually(told, what="it is told"))
        assert await receiver.has(3) == [0, 1, 2], "those that came meanwhile too, and none twice"
        assert counted("consumer_changes") == before + 1
        await eventually(lambda: ready(bridge), what="all is well again")
        await stage.send(stored(3))
        assert await receiver.has(4) == [0, 1, 2, 3]


async def ready(bridge: Fixture) -> bool:
    return bool((await bridge.health.check()).ready)


async def test_an_alert_that_is_stored_again_is_not_sent_again(
    stage: Fixture, receivers: Fixture, stored: Fixture, intruder: Nats
) -> None:
    receiver = receivers()
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(0), stored(1))
        await receiver.has(2)
        await intruder.jetstream().purge_stream(STREAM)  # with it goes what the stream knows of repeated ids
        await intruder.jetstream().delete_stream(STREAM)
        await stage.bus.ensure_streams()
        await stage.send(stored(0), stored(1), stored(2))
        assert await receiver.has(3) == [0, 1, 2]


async def test_what_no_service_of_ours_stored_there_is_put_aside_and_not_signed(
    stage: Fixture, receivers: Fixture, stored: Fixture, intruder: Nats
) -> None:
    receiver = receivers()
    await receiver.start()
    real = stored(0)
    forged = [
        (real.subject, real.payload, {}),
        (real.subject, real.payload, {"Nats-Msg-Id": "demo.other"}),
        ("vigil.v1.alert.demo.forged.opened", real.payload, {"Nats-Msg-Id": real.message_id}),
        (real.subject.replace("opened", "closed"), stored(1).payload, {"Nats-Msg-Id": stored(1).message_id}),
        (stored(3).subject, stored(3).payload, {"Nats-Msg-Id": stored(3).message_id, "Nats-Stream": "ALERTS"}),
        ("vigil.v1.alert.demo.lobby.opened.more", stored(4).payload, {"Nats-Msg-Id": stored(4).message_id}),
        (real.subject, json.dumps({"id": "x", "data": None} | ENVELOPE).encode(), {"Nats-Msg-Id": "None.x"}),
    ]
    before = counted("foreign")
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        for subject, payload, headers in forged:
            await intruder.jetstream().publish(subject, payload, headers=headers or None)
        await stage.send(stored(5))
        assert await receiver.has(1) == [5]
        reachable = len(forged) - 1  # the filter of the consumer leaves one of them out
        letters = await stage.dead_letters(reachable)
    assert counted("foreign") == before + reachable
    assert {letter["data"]["reason"].split(":")[0] for letter in letters} == {"not stored by Vigil"}


ENVELOPE = {"source": "s", "type": "vigil.alert.opened", "subject": "x", "time": "t", "specversion": "1.0"}


async def test_an_alert_chained_through_two_streams_is_not_signed_again(
    stage: Fixture, receivers: Fixture, stored: Fixture, intruder: Nats
) -> None:
    """What whoever has every right can still have a server do: no reader can."""
    receiver = receivers()
    await receiver.start()
    jetstream = intruder.jetstream()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(0))
        await receiver.has(1)
        sources = [{"name": STREAM, "subject_transforms": [{"src": "vigil.v1.alert.>", "dest": "copied.>"}]}]
        copy = {"name": "COPY", "sources": sources, "storage": "file", "retention": "limits", "num_replicas": 1}
        republish = {"republish": {"src": "copied.>", "dest": "vigil.v1.alert.>"}}
        answer = await intruder.request("$JS.API.STREAM.CREATE.COPY", json.dumps(copy | republish).encode(), timeout=5)
        assert b'"error"' not in answer.data, answer.data
        await eventually(lambda: copied(jetstream), what="the copy")
        await stage.bus.publish_stored(Outgoing(stored(1).subject, stored(1).message_id, stored(1).payload, CLOUDEVENT))
        assert await receiver.has(2) == [0, 1]


async def copied(jetstream: Any) -> bool:
    return bool((await jetstream.stream_info("COPY")).state.messages)
