import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.contract.events.utterances import utterance_outgoing
from vigil.core.alert import AlertState
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.service import Service
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import (
    EMISSION,
    alert,
    approval,
    decide_quickly,
    decided,
    decision,
    delegation,
    spec,
    started,
)
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer, RedisServer
from vigil_gateway.config import GatewaySettings

Event = tuple[str, dict[str, object]]


class Stream:
    """A client's side of an event stream. `heartbeats` counts comment lines."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.heartbeats = 0

    async def __anext__(self) -> Event:
        async with asyncio.timeout(DEADLINE_S):
            return await self._read()

    async def of(self, kind: str) -> dict[str, object]:
        """The data of the next event of that kind; others are passed over."""
        while True:
            name, data = await anext(self)
            if name == kind:
                return data

    async def ended(self) -> bool:
        """Whether the server ends the answer, with nothing more."""
        async with asyncio.timeout(DEADLINE_S):
            return not (await self._answer.content.read()).strip()

    def __aiter__(self) -> "Stream":
        return self

    async def _read(self) -> Event:
        kind, data = "", ""
        async for raw in self._answer.content:
            line = raw.decode().rstrip("\n")
            if line.startswith(":"):
                self.heartbeats += 1
            elif line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif not line and kind:
                return kind, json.loads(data)
        raise StopAsyncIteration


@asynccontextmanager
async def listening(http: aiohttp.ClientSession, session: str) -> AsyncIterator[Stream]:
    """An open stream whose subscriptions are there: its first `status` has come."""
    async with http.get(f"/v1/sessions/{session}/events") as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        stream = Stream(answer)
        assert (await anext(stream))[0] == "status"
        yield stream


async def test_everything_that_happens_in_a_session_is_streamed(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with listening(http, session) as stream:
        await bus.publish_stored(decided(session, 4))
        shown = await stream.of("decision")
        spoken = utterance_outgoing(spec(session), decision(5, "Fire!"), EMISSION)
        assert spoken is not None
        await bus.publish_stored(spoken)
        utterance = await stream.of("utterance")
        await bus.publish_stored(alert(session))
        raised = await stream.of("alert")
        await bus.publish_stored(delegation(session))
        delegated = await stream.of("delegation")
        await bus.publish_stored(started(session))
        begun = await stream.of("delegation")
        await bus.publish_stored(approval(session))
        asked = await stream.of("approval")
    assert shown == {
        "session": session,
        "sequence": 4,
        "time_s": 4.0,
        "action": "silent",
        "spoke": False,
        "text": "",
        "question": "",
        "malformed": "",
        "capture_time": "2023-11-14T22:13:20.000Z",
        "emit_time": "2023-11-14T22:13:20.250Z",
        "latency_ms": 250.0,
        "p": {"silent": 0.9, "speak": 0.08, "delegate": 0.02},
        "frames_skipped": 0,
        "engine_ms": 70.0,
        "prompt_tokens": 90,
        "cached_tokens": 80,
        "completion_tokens": 0,
        "request_bytes": 2_000,
        "prefix_share": 1.0,
        "duplicate": False,
        "task": "",
        "observed": [],
    }
    assert utterance == json.loads(spoken.payload)
    assert delegated == json.loads(delegation(session).payload)
    assert begun == json.loads(started(session).payload)
    assert asked == json.loads(approval(session).payload)
    assert raised == json.loads(alert(session).payload)


async def test_another_session_on_the_same_camera_is_not_heard(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with listening(http, session) as stream:
        for name in ("s-other", session):
            await bus.publish_stored(alert(name))
        raised = await stream.of("alert")
    assert raised == json.loads(alert(session).payload)


async def test_a_message_that_cannot_be_read_is_counted_and_passed_over(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    before = sample("vigil_gateway_events_unreadable_total", kind="alert")
    async with listening(http, session) as stream:
        for garbage in (b"\xff\x00", b"[]", b'{"type": 4}'):
            await bus.publish(subjects.alert("demo", "lobby", AlertState.OPENED), garbage)
        await bus.publish_stored(alert(session))
        assert await stream.of("alert") == json.loads(alert(session).payload)
    assert sample("vigil_gateway_events_unreadable_total", kind="alert") == before + 3


async def test_status_is_sent_when_it_changes_and_a_comment_when_nothing_does(
    http: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    async with listening(http, session) as stream:
        await store.set_status(SessionKey("demo", session), "ingestion", '{"state": "reconnecting"}')
        shown = await stream.of("status")
        assert shown["roles"] == {"ingestion": {"state": "reconnecting"}}
        heartbeats = stream.heartbeats
        following = asyncio.create_task(anext(stream))
        await eventually(lambda: stream.heartbeats >= heartbeats + 2, what="two heartbeats")
        assert not following.done()
        following.cancel()


async def test_the_stream_ends_with_its_session_after_its_last_alert(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with listening(http, session) as stream:
        async with http.delete(f"/v1/sessions/{session}") as answer:
            assert answer.status == 204
        assert (await stream.of("session"))["type"] == "vigil.session.ended"
        await bus.publish_stored(alert(session))
        assert await stream.of("alert") == json.loads(alert(session).payload)
        assert await stream.of("end") == {"reason": "the session ended"}
        assert await stream.ended()


async def test_the_stream_ends_when_word_of_the_end_was_lost(
    http: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    async with listening(http, session) as stream:
        await store.end(SessionKey("demo", session), "the gateway died right after this")
        assert await stream.of("end") == {"reason": "the session ended"}


async def test_the_stream_outlives_a_restart_of_nats(
    http: aiohttp.ClientSession, session: str, bus: Bus, nats_server: NatsServer
) -> None:
    async with listening(http, session) as stream:
        await bus.publish_stored(decided(session, 1))
        assert (await stream.of("decision"))["sequence"] == 1
        await nats_server.kill()
        await eventually(lambda: not bus.is_connected, what="the bus notices")
        await nats_server.start()
        await bus.connected()
        # The gateway's own connection comes back in its own time: what is live is lost until then.
        following = asyncio.create_task(stream.of("decision"))
        sequences = iter(range(2, 1_000))

        async def heard() -> bool:
            await bus.publish_stored(decided(session, next(sequences)))
            return following.done()

        await eventually(heard, what="a decision after the restart")
        assert following.result()["action"] == "silent"


async def test_the_stream_outlives_redis(
    http: aiohttp.ClientSession, session: str, bus: Bus, redis_server: RedisServer
) -> None:
    async with listening(http, session) as stream:
        await redis_server.kill()
        assert (await stream.of("status"))["roles"] is None
        await bus.publish_stored(decided(session, 1))
        assert (await stream.of("decision"))["sequence"] == 1
        await redis_server.start()
        assert (await stream.of("status"))["roles"] == {}


async def test_a_tenant_has_only_so_many_streams_and_a_closed_one_makes_room(
    http: aiohttp.ClientSession, session: str
) -> None:
    async with listening(http, session):
        async with listening(http, session), http.get(f"/v1/sessions/{session}/events") as answer:
            assert answer.status == 429
            assert (await answer.json())["type"] == "urn:vigil:problem:too_many_streams"
        await eventually(lambda: sample("vigil_gateway_event_streams") == 1, what="the slot is free")
        async with listening(http, session):
            assert sample("vigil_gateway_event_streams") == 2
    await eventually(lambda: sample("vigil_gateway_event_streams") == 0, what="every slot is free")


async def test_a_client_that_does_not_read_misses_old_decisions_and_no_alert(
    gateway: Service[GatewaySettings], session: str, bus: Bus
) -> None:
    many = 3_000
    before = sample("vigil_gateway_events_dropped_total", kind="decision")
    async with unread(gateway.settings.http_port, session) as reader:
        seen = await reader.readuntil(b"event: status")
        await bus.publish_stored(alert(session))
        await decide_quickly(bus, session, many, "x" * 4_000)
        async with asyncio.timeout(DEADLINE_S):
            while f'"sequence":{many - 1},'.encode() not in seen[-16_000:]:
                seen += await reader.read(65_536)
    assert seen.count(b"event: alert") == 1
    assert 64 <= seen.count(b"event: decision") < many
    assert sample("vigil_gateway_events_dropped_total", kind="decision") > before


@asynccontextmanager
async def unread(port: int, session: str) -> AsyncIterator[asyncio.StreamReader]:
    """An event stream whose client has little room for what it does not read."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    narrow.connect(("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=narrow, limit=16_384)
    head = f"GET /v1/sessions/{session}/events HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer a-key-of-demo\r\n\r\n"
    writer.write(head.encode())
    try:
        yield reader
    finally:
        writer.close()
        await writer.wait_closed()


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
