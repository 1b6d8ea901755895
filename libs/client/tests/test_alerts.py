"""Alerts straight from a real NATS server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig

from vigil.testing.servers import NatsServer, free_port
from vigil_client.alerts import alert_subject, alerts, subscribed, utterances
from vigil_client.cloudevents import Alert, Utterance
from vigil_client.errors import BadSubject, NotFound, Unreachable
from vigil_client.testing.scripted_gateway import alert_json

STREAMS = {"ALERTS": "vigil.v1.alert.>", "UTTERANCES": "vigil.v1.utterance.>", "DECISIONS": "vigil.v1.decision.>"}
OPENED, CLOSED = "vigil.v1.alert.demo.lobby.opened", "vigil.v1.alert.demo.lobby.closed"


@pytest.fixture
async def service(nats_server: NatsServer) -> AsyncIterator[Nats]:
    """A connection, and the streams that the services declare."""
    connection = await nats.connect(nats_server.url)
    for name, subject in STREAMS.items():
        await connection.jetstream().add_stream(StreamConfig(name=name, subjects=[subject]))
    yield connection
    await connection.close()


def payload(state: str, **changes: Any) -> bytes:
    return json.dumps(alert_json(state, **changes)).encode()


async def take(source: AsyncIterator[Alert], count: int) -> list[Alert]:
    found = []
    async with asyncio.timeout(10):
        async for alert in source:
            found.append(alert)
            if len(found) == count:
                return found
    return found


async def test_live_alerts_are_heard(nats_server: NatsServer, service: Nats) -> None:
    async with subscribed(nats_server.url, alert_subject("demo", "lobby"), "ALERTS") as received:
        await service.publish("vigil.v1.alert.demo.elsewhere.opened", payload("opened"))
        await service.publish(OPENED, payload("opened"))
        async with asyncio.timeout(10):
            event = json.loads(await anext(received))
    assert event["data"]["state"] == "opened"
    assert event["data"]["source_id"] == "lobby"


async def test_nothing_published_after_the_subscription_is_missed(nats_server: NatsServer, service: Nats) -> None:
    for number in range(20):
        async with subscribed(nats_server.url, alert_subject(), "ALERTS") as received:
            await service.publish(OPENED, payload("opened", alert_id=f"a-{number}"))
            async with asyncio.timeout(10):
                assert json.loads(await anext(received))["data"]["alert_id"] == f"a-{number}"


async def test_alerts_go_on_after_the_server_was_killed(nats_server: NatsServer, service: Nats) -> None:
    async with subscribed(nats_server.url, alert_subject(), "ALERTS") as received:
        await nats_server.restart()
        listening = asyncio.ensure_future(anext(received))
        while not listening.done():
            with contextlib.suppress(NatsError, OSError):
                await service.publish(OPENED, payload("opened"))
                await service.flush(timeout=1)
            await asyncio.wait({listening}, timeout=0.1)
    assert json.loads(listening.result())["data"]["state"] == "opened"


async def test_the_past_comes_in_order_and_then_the_present(nats_server: NatsServer, service: Nats) -> None:
    await service.jetstream().publish(OPENED, payload("opened"))
    await service.jetstream().publish(CLOSED, payload("closed"))
    replay = alerts(nats_server.url, "demo", since=timedelta(hours=1))
    past = await take(replay, 2)
    assert [alert.state for alert in past] == ["opened", "closed"]
    assert past[0].latency_ms == 250.0
    assert past[0].snapshot_path == "/v1/alerts/a-1/snapshot"
    await service.jetstream().publish(OPENED, payload("opened", text="Again."))
    assert [alert.text for alert in await take(replay, 1)] == ["Again."]


async def test_utterances_are_chosen_by_camera(nats_server: NatsServer, service: Nats) -> None:
    for source in ("yard", "lobby"):
        data = alert_json("opened")["data"] | {"source_id": source, "action": "speak"}
        event = {"id": source, "type": "vigil.utterance", "data": data}
        await service.jetstream().publish("vigil.v1.utterance.demo.s-1", json.dumps(event).encode())
    async with asyncio.timeout(10):
        said: Utterance = await anext(utterances(nats_server.url, source="lobby", since=timedelta(minutes=1)))
    assert (said.source_id, said.text) == ("lobby", "A fire has started.")


async def test_a_stream_that_is_not_there(nats_server: NatsServer) -> None:
    with pytest.raises(NotFound, match="no stream ALERTS"):
        await anext(alerts(nats_server.url, since=timedelta(hours=1)))


@pytest.mark.parametrize("wrong", ["", "a.b", "a b", ">", "é", "x" * 65])
def test_a_name_that_cannot_be_in_a_subject(wrong: str) -> None:
    assert alert_subject("demo", "lobby") == "vigil.v1.alert.demo.lobby.*"
    with pytest.raises(BadSubject, match="cannot be in a subject"):
        alert_subject("demo", wrong)


async def test_no_server() -> None:
    with pytest.raises(Unreachable, match=r"cannot be used: .*failed") as unreachable:
        await anext(alerts(f"nats://user:secret@127.0.0.1:{free_port()}"))
    assert "secret" not in unreachable.value.message


async def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, 'authorization: {"user": "pager", "password": "secret"}')
    await server.start()
    try:
        with pytest.raises(Unreachable, match=r"(?i)authorization"):
            await anext(alerts(f"nats://pager:guess@127.0.0.1:{server.port}"))
    finally:
        await server.kill()
