"""Who may say and hear what at the NATS server of `vigil up`."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig

from vigil.testing.eventually import eventually
from vigil_client.alerts import alert_subject, alerts, subscribed
from vigil_client.testing.scripted_gateway import alert_json
from vigil_local.testing.servers import UpNats

STREAMS = {"ALERTS": "vigil.v1.alert.>", "UTTERANCES": "vigil.v1.utterance.>", "DECISIONS": "vigil.v1.decision.>"}
OPENED = "vigil.v1.alert.demo.lobby.opened"


@pytest.fixture
async def service(up_nats: UpNats) -> AsyncIterator[Nats]:
    """A connection with every right, and the streams that the services declare."""
    connection = await nats.connect(up_nats.operator_url)
    for name, subject in STREAMS.items():
        await connection.jetstream().add_stream(StreamConfig(name=name, subjects=[subject]))
    yield connection
    await connection.close()


@pytest.fixture
def denials() -> list[str]:
    """What the server has refused the stranger, as it says."""
    return []


@pytest.fixture
async def stranger(up_nats: UpNats, denials: list[str]) -> AsyncIterator[Nats]:
    """A plain connection without a name."""

    async def note(error: Exception) -> None:
        denials.append(str(error))

    connection = await nats.connect(up_nats.open_url, error_cb=note)
    yield connection
    await connection.close()


def payload(state: str, **changes: Any) -> bytes:
    return json.dumps(alert_json(state, **changes)).encode()


async def test_a_stranger_hears_alerts_live_and_from_their_stream(up_nats: UpNats, service: Nats) -> None:
    async with subscribed(up_nats.open_url, alert_subject("demo", "lobby"), "ALERTS") as received:
        await service.jetstream().publish(OPENED, payload("opened"))
        async with asyncio.timeout(10):
            assert json.loads(await anext(received))["data"]["state"] == "opened"
            past = await anext(alerts(up_nats.open_url, since=timedelta(hours=1)))
    assert past.state == "opened"


@pytest.mark.parametrize(
    "subject", ["vigil.v1.frame.raw.demo.s", "vigil.v1.decision.demo.s", "vigil.v1.command.>", ">"]
)
async def test_a_stranger_may_not_listen_to(stranger: Nats, denials: list[str], subject: str) -> None:
    await stranger.subscribe(subject)
    await eventually(
        lambda: any("permissions violation for subscription" in text.lower() for text in denials), what="a refusal"
    )


@pytest.mark.parametrize(
    "subject",
    [
        OPENED,
        "vigil.v1.frame.raw.demo.s",
        "$JS.API.STREAM.PURGE.ALERTS",
        "$JS.API.STREAM.DELETE.ALERTS",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.MSG.DELETE.ALERTS",
        "$JS.API.CONSUMER.CREATE.DECISIONS",
        "$JS.API.CONSUMER.DELETE.ALERTS.someone",
    ],
)
async def test_a_stranger_may_not_say(service: Nats, stranger: Nats, denials: list[str], subject: str) -> None:
    await stranger.publish(subject, b"{}")
    await eventually(
        lambda: any("permissions violation for publish" in text.lower() for text in denials), what="a refusal"
    )
    assert (await service.jetstream().stream_info("ALERTS")).state.messages == 0


async def test_a_stranger_may_keep_a_durable_place(stranger: Nats, service: Nats) -> None:
    await service.jetstream().publish(OPENED, payload("opened"))
    consumer = await stranger.jetstream().pull_subscribe("vigil.v1.alert.>", durable="pager", stream="ALERTS")
    (message,) = await consumer.fetch(1, timeout=5)
    await message.ack_sync()
    assert json.loads(message.data)["data"]["state"] == "opened"
    with pytest.raises(NatsError):
        await consumer.fetch(1, timeout=0.2)
