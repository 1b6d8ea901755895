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
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer
from vigil_client.alerts import alert_subject, alerts, subscribed, utterances
from vigil_client.cloudevents import Alert, Utterance
from vigil_client.errors import BadSubject, ClientError, NotAdmitted, Unreachable
from vigil_client.nats_connection import RECONNECT_S, REFUSED_S
from vigil_client.testing.scripted_answers import alert_json
from vigil_client.testing.scripted_history import ScriptedHistory

OPENED, CLOSED = "vigil.v1.alert.demo.lobby.opened", "vigil.v1.alert.demo.lobby.closed"


@pytest.fixture
async def service(nats_server: NatsServer) -> AsyncIterator[Nats]:
    """A connection."""
    connection = await nats.connect(nats_server.url, max_reconnect_attempts=-1)
    yield connection
    await connection.close()


def payload(state: str, number: int = 1, **changes: Any) -> bytes:
    return json.dumps(alert_json(state, number, **changes)).encode()


async def take(source: AsyncIterator[Alert], count: int) -> list[Alert]:
    found = []
    async with asyncio.timeout(DEADLINE_S):
        async for alert in source:
            found.append(alert)
            if len(found) == count:
                return found
    return found


async def test_live_alerts_are_heard(nats_server: NatsServer, service: Nats) -> None:
    async with subscribed(nats_server.url, alert_subject("demo", "lobby")) as received:
        await service.publish("vigil.v1.alert.demo.elsewhere.opened", payload("opened"))
        await service.publish(OPENED, payload("opened"))
        async with asyncio.timeout(DEADLINE_S):
            event = json.loads(await anext(received))
    assert event["data"]["state"] == "opened"
    assert event["data"]["source_id"] == "lobby"


async def test_nothing_published_after_the_subscription_is_missed(nats_server: NatsServer, service: Nats) -> None:
    for number in range(20):
        async with subscribed(nats_server.url, alert_subject()) as received:
            await service.publish(OPENED, payload("opened", alert_id=f"a-{number}"))
            async with asyncio.timeout(DEADLINE_S):
                assert json.loads(await anext(received))["data"]["alert_id"] == f"a-{number}"


async def test_alerts_go_on_after_the_server_was_killed(nats_server: NatsServer, service: Nats) -> None:
    async with subscribed(nats_server.url, alert_subject()) as received:
        await nats_server.restart()
        listening = asyncio.ensure_future(anext(received))
        while not listening.done():
            with contextlib.suppress(NatsError, OSError):
                await service.publish(OPENED, payload("opened"))
                await service.flush(timeout=1)
            await asyncio.wait({listening}, timeout=0.1)
    assert json.loads(listening.result())["data"]["state"] == "opened"


async def test_the_past_comes_in_order_and_then_the_present(nats_server: NatsServer, service: Nats) -> None:
    stored = [payload("opened"), payload("updated", number=2), payload("closed", number=3)]
    async with ScriptedHistory(stored).served(nats_server.url) as history:
        replay = alerts(nats_server.url, "demo", since=timedelta(hours=1))
        past = await take(replay, 3)
        assert [alert.state for alert in past] == ["opened", "updated", "closed"]
        assert past[0].latency_ms == 250.0
        assert past[0].snapshot_path == "/v1/alerts/a-1/snapshot"
        await service.publish(CLOSED, stored[2], headers={"Nats-Msg-Id": "a-1.3"})
        await service.publish(OPENED, payload("opened", text="Again."), headers={"Nats-Msg-Id": "a-2.1"})
        assert [alert.text for alert in await take(replay, 1)] == ["Again."], "what was given already is not repeated"
    assert [asked.get("after") for asked in history.asked] == [None, 2]


async def test_what_was_stored_while_nats_was_away_comes_when_it_is_back(
    nats_server: NatsServer, service: Nats
) -> None:
    told: list[str] = []
    history = ScriptedHistory([payload("opened")])
    async with history.served(nats_server.url):
        replay = alerts(nats_server.url, "demo", since=timedelta(hours=1), on_fault=told.append)
        await take(replay, 1)
        waiting = asyncio.ensure_future(take(replay, 1))
        await nats_server.kill()
        history.events.append(payload("closed", number=2))
        await nats_server.start()
        async with asyncio.timeout(DEADLINE_S):
            assert [alert.state for alert in await waiting] == ["closed"]
        await service.publish(OPENED, payload("opened", number=3, text="Live."))
        assert [alert.text for alert in await take(replay, 1)] == ["Live."]
    assert "the connection to NATS was lost: connecting again" in told


async def test_a_history_that_nobody_tells_is_said(nats_server: NatsServer) -> None:
    with pytest.raises(Unreachable, match="nobody answers a request for past events"):
        await anext(alerts(nats_server.url, since=timedelta(hours=1)))


async def test_a_history_that_is_refused_is_said(nats_server: NatsServer, service: Nats) -> None:
    async def refuse(message: Msg) -> None:
        where = f"vigil.v1.history.answer.demo.{json.loads(message.data)['asker']}"
        await service.publish(where, b"not for you", headers={"Vigil-End": "refused"})

    await service.subscribe("vigil.v1.history.ask.demo", cb=refuse)
    await service.jetstream().account_info()  # an answer: the server knows the subscription
    with pytest.raises(ClientError, match="the gateway refuses: not for you"):
        await anext(alerts(nats_server.url, since=timedelta(hours=1)))


async def test_the_past_is_that_of_one_tenant(nats_server: NatsServer) -> None:
    with pytest.raises(BadSubject, match="past events are those of one tenant"):
        await anext(alerts(nats_server.url, "*", since=timedelta(hours=1)))


@pytest.mark.parametrize("unexpected", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"data": {"state": 1}}', b"null"])
async def test_a_message_that_is_no_alert_is_left_out_and_told(
    nats_server: NatsServer, service: Nats, unexpected: bytes
) -> None:
    told: list[str] = []
    heard = alerts(nats_server.url, on_fault=told.append)
    listening = asyncio.ensure_future(take(heard, 1))
    while not listening.done():
        await service.publish(OPENED, unexpected)
        await service.publish(OPENED, payload("opened"))
        await asyncio.wait({listening}, timeout=0.05)
    assert listening.result()[0].text == "A fire has started."
    assert told[0].startswith("left out: ")


async def test_utterances_are_chosen_by_camera(nats_server: NatsServer) -> None:
    stored = []
    for source in ("yard", "lobby"):
        data = alert_json("opened")["data"] | {"source_id": source, "action": "speak"}
        stored.append(json.dumps({"id": source, "type": "vigil.utterance", "data": data}).encode())
    async with ScriptedHistory(stored).served(nats_server.url), asyncio.timeout(DEADLINE_S):
        said: Utterance = await anext(utterances(nats_server.url, source="lobby", since=timedelta(minutes=1)))
    assert (said.source_id, said.text) == ("lobby", "A fire has started.")


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
        with pytest.raises(NotAdmitted, match=r"(?i)authorization"):
            await anext(alerts(f"nats://pager:guess@127.0.0.1:{server.port}"))
    finally:
        await server.kill()


def knowing(password: str) -> str:
    """The configuration of a server that knows the user with this password alone."""
    return f'authorization: {{"user": "pager", "password": "{password}"}}'


def refusals(server: NatsServer) -> int:
    """How often the server has refused somebody."""
    return (server.folder / "output.log").read_text("utf-8").count("authentication error")


async def published_until(listening: asyncio.Future[bytes], url: str) -> None:
    """Publish an alert again and again until it is heard."""
    service = await nats.connect(url)
    async with asyncio.timeout(DEADLINE_S):
        while not listening.done():
            await service.publish(OPENED, payload("opened"))
            await asyncio.wait({listening}, timeout=0.1)
    await service.close()
    assert json.loads(listening.result())["data"]["state"] == "opened"


async def test_alerts_go_on_however_long_nats_did_not_know_their_user(tmp_path: Path) -> None:
    server, forgetful = NatsServer(tmp_path / "a", knowing("x")), NatsServer(tmp_path / "b", knowing("y"))
    forgetful.port = server.port
    url = f"nats://pager:x@127.0.0.1:{server.port}"
    told: list[str] = []
    await server.start()
    try:
        async with subscribed(url, alert_subject(), on_fault=told.append) as received:
            listening = asyncio.ensure_future(anext(received))
            await server.kill()
            await forgetful.start()
            many = REFUSED_S / RECONNECT_S + 2  # a module has ended by then
            await eventually(lambda: listening.done() or refusals(forgetful) >= many, what="refused for long")
            assert not listening.done()
            await forgetful.kill()
            await server.start()
            await published_until(listening, url)
    finally:
        await server.kill()
        await forgetful.kill()
    lost, refused, ended = told
    assert "was lost: connecting again" in lost
    assert "does not let the user pager in" in refused
    assert refused.endswith(": trying again")
    assert ended == ""


async def revoke(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve as NATS does until a subscription is made, and then revoke the user in words."""
    writer.write(b'INFO {"server_id": "scripted", "version": "2.10.0", "max_payload": 1048576, "headers": true}\r\n')
    is_subscribed, flushes = False, 0
    while flushes < 2:
        line = await reader.readline()
        is_subscribed = is_subscribed or line.startswith(b"SUB ")
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n")
            flushes += is_subscribed
    writer.write(b"-ERR 'User Authentication Revoked'\r\n")
    await writer.drain()
    writer.close()


async def test_alerts_go_on_after_their_user_was_revoked_for_a_while(nats_server: NatsServer) -> None:
    await nats_server.kill()
    told: list[str] = []
    revoking = await asyncio.start_server(revoke, "127.0.0.1", nats_server.port)
    async with subscribed(nats_server.url, alert_subject(), on_fault=told.append) as received:
        revoking.close()
        await nats_server.start()
        await published_until(asyncio.ensure_future(anext(received)), nats_server.url)
    assert told == ["the connection to NATS was lost: connecting again", ""]
