"""Past events for downstream systems, from a real stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from prometheus_client import REGISTRY

from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_gateway.live.history import FLOOD, answer_history

ALERTS = "vigil.v1.alert.demo.*.*"


@pytest.fixture
async def answering(nats_server: NatsServer, bus: Bus) -> AsyncIterator[None]:
    """Two gateways that answer, of which one gets each request."""
    config = BusConfig(nats_server.url, "history")
    tasks = [asyncio.create_task(answer_history(config)) for _ in range(2)]
    await eventually(lambda: bus.is_heard("vigil.v1.history.ask.demo"), what="a gateway listens")
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
async def asker(nats_server: NatsServer) -> AsyncIterator[Nats]:
    client = await nats.connect(nats_server.url)
    yield client
    await client.close()


async def store(bus: Bus, *numbers: int, tenant: str = "demo", source: str = "lobby") -> None:
    for number in numbers:
        subject = f"vigil.v1.alert.{tenant}.{source}.opened"
        await bus.publish_stored(Outgoing(subject, f"{tenant}.a-{number}.0", str(number).encode(), CLOUDEVENT))


async def ask(client: Nats, tenant: str = "demo", **request: Any) -> list[Msg]:
    """The answers to a request, once they have ended; asked again until the gateway listens."""
    while True:
        asker = f"x-{datetime.now(UTC).timestamp():.6f}".replace(".", "-")
        answers = await client.subscribe(f"vigil.v1.history.answer.{tenant}.{asker}")
        payload = json.dumps({"subject": ALERTS, "asker": asker} | request).encode()
        await client.publish(f"vigil.v1.history.ask.{tenant}", payload, reply="vigil.v1.alert.demo.forged.opened")
        found: list[Msg] = []
        try:
            async with asyncio.timeout(1):
                while not found or "Vigil-End" not in head(found[-1]):
                    found.append(await answers.next_msg(timeout=DEADLINE_S))
            return found
        except TimeoutError:
            continue


def head(message: Msg) -> dict[str, str]:
    return message.headers or {}


def since(hours: float = 1.0) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


async def test_a_tenants_events_come_unchanged_in_order_and_by_pages(bus: Bus, answering: None, asker: Nats) -> None:
    await store(bus, 0, 1, 2)
    await store(bus, 9, tenant="rival")
    await store(bus, 3, source="yard")
    first = await ask(asker, since=since(), limit=3)
    assert [message.data for message in first] == [b"0", b"1", b"2", b""]
    assert head(first[0])["Nats-Msg-Id"] == "demo.a-0.0"
    assert head(first[0])["Vigil-Subject"] == "vigil.v1.alert.demo.lobby.opened"
    assert head(first[-1])["Vigil-End"] == "more"
    last = int(head(first[-2])["Vigil-Sequence"])
    second = await ask(asker, after=last)
    assert [(message.data, head(message).get("Vigil-End")) for message in second] == [(b"3", None), (b"", "done")]
    third = await ask(asker, after=int(head(second[0])["Vigil-Sequence"]))
    assert [head(message)["Vigil-End"] for message in third] == ["done"]
    yard = await ask(asker, subject="vigil.v1.alert.demo.yard.*", since=since())
    assert [message.data for message in yard] == [b"3", b""]


async def test_time_decides_where_the_past_begins(bus: Bus, answering: None, asker: Nats) -> None:
    await store(bus, 0)
    between = datetime.now(UTC).isoformat()
    await store(bus, 1)
    assert [message.data for message in await ask(asker, since=between)] == [b"1", b""]
    assert [message.data for message in await ask(asker, since=since(-1))] == [b""]


async def test_an_answer_goes_nowhere_else(bus: Bus, answering: None, asker: Nats) -> None:
    elsewhere = await asker.subscribe("vigil.v1.alert.>")
    await ask(asker, since=since())  # an answer: the server knows the subscription
    await store(bus, 0)
    await ask(asker, since=since())
    assert (await elsewhere.next_msg(timeout=DEADLINE_S)).data == b"0", "as it was stored"
    assert elsewhere.pending_msgs == 0


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (
            {"subject": "vigil.v1.alert.rival.*.*", "since": "2026-01-01T00:00:00Z"},
            "no subject of events of the tenant demo",
        ),
        ({"subject": "vigil.v1.alert.>", "since": "2026-01-01T00:00:00Z"}, "no subject of events of the tenant demo"),
        ({"subject": "vigil.v1.decision.demo.>", "after": 0}, "no subject of events of the tenant demo"),
        ({}, "needs `since` or `after`"),
        ({"since": "2026-01-01T00:00:00Z", "after": 1}, "and not both"),
        ({"since": "2026-01-01T00:00:00"}, "no time zone"),
        ({"after": -1}, "not negative"),
        ({"after": 0, "limit": 1_000_000}, "`limit` is from 1 to 256"),
        ({"after": 0, "more": True}, "unknown field `more`"),
    ],
)
async def test_what_breaks_a_rule_is_refused_in_words(
    answering: None, asker: Nats, request_: dict[str, Any], reason: str
) -> None:
    (refusal,) = await ask(asker, **request_)
    assert head(refusal)["Vigil-End"] == "refused"
    assert reason in refusal.data.decode()


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"asker": "a.b"}', b'{"asker": ">"}', b"[" * 10_000])
async def test_what_cannot_be_read_is_ignored(bus: Bus, answering: None, asker: Nats, payload: bytes) -> None:
    await store(bus, 0)
    heard = await asker.subscribe("vigil.v1.history.answer.>")
    await asker.publish("vigil.v1.history.ask.demo", payload)
    assert [message.data for message in await ask(asker, since=since())] == [b"0", b""]
    assert heard.pending_msgs == 2, "the answers to what could be read"


async def test_a_flood_of_requests_cuts_nobody_off_and_is_over_when_it_ends(
    answering: None, asker: Nats, nats_server: NatsServer, bus: Bus
) -> None:
    """Before requests had a connection of their own, a tenant that sent more than is read had the gateway's closed."""
    await store(bus, 1)
    assert await ask(asker, since=since())
    before = floods()
    _, flooding = await asyncio.open_connection("127.0.0.1", nats_server.port)
    flooding.write(b'CONNECT {"verbose":false}\r\n')
    request = b"PUB vigil.v1.history.ask.demo 2\r\n{}\r\n"

    async def is_flooded() -> bool:
        flooding.write(request * 4 * FLOOD)
        await flooding.drain()
        await bus.ping()
        return floods() > before

    await eventually(is_flooded, what="a gateway hears no more for a while")
    assert bus.arrivals == 1
    flooding.close()
    await flooding.wait_closed()
    assert [message.data for message in (await ask(asker, since=since()))[:-1]] == [b"1"]


def floods() -> float:
    return REGISTRY.get_sample_value("vigil_gateway_history_floods_total") or 0.0
