"""A session over a WebSocket, driven by aiohttp's client."""

import asyncio
import base64
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
import yaml
from prometheus_client import REGISTRY

from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.service import Service
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import alert, approval, decide_quickly, decided, delegation
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import jpeg
from vigil.testing.scripted_decider import ScriptedDecider
from vigil.testing.servers import NatsServer
from vigil_gateway.api.sizes import MAX_CHAT_BODY_BYTES
from vigil_gateway.config import GatewaySettings
from vigil_gateway.pushed.data_url import MAX_PICTURE_BYTES

Json = dict[str, Any]
ASYNCAPI = Path(__file__).parents[3] / "proto" / "asyncapi.yaml"

PUSHED = {
    "source": {"kind": "pushed"},
    "watches": [{"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical"}],
}
PICTURE = base64.b64encode(jpeg()).decode()
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
}


class Talk:
    """The client's side. Live events come in `events`, what answers the client's own messages in `replies`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: asyncio.Queue[Json] = asyncio.Queue()
        self.replies: asyncio.Queue[Json] = asyncio.Queue()

    async def read(self) -> None:
        """Sort what comes until the server closes."""
        async for message in self.socket:
            said = json.loads(message.data)
            own = said["type"] in ("answer", "accepted", "problem")
            (self.replies if own else self.events).put_nowait(said)

    async def reply(self) -> Json:
        async with asyncio.timeout(DEADLINE_S):
            return await self.replies.get()

    async def event(self, kind: str) -> Json:
        """The data of the next event of that kind; others are passed over."""
        async with asyncio.timeout(DEADLINE_S):
            while (found := await self.events.get())["type"] != kind:
                pass
        data: Json = found["data"]
        return data

    async def ask(self, message: Json) -> Json:
        """Send, and return the reply."""
        await self.socket.send_json(message)
        return await self.reply()


@asynccontextmanager
async def talking(http: aiohttp.ClientSession, session: str, **options: Any) -> AsyncIterator[Talk]:
    """An open WebSocket whose subscriptions are there: its first `status` has come."""
    async with http.ws_connect(f"/v1/sessions/{session}/ws", **options) as socket:
        talk = Talk(socket)
        reading = asyncio.create_task(talk.read())
        await talk.event("status")
        yield talk
        reading.cancel()
        await asyncio.wait({reading})


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, workers: None) -> AsyncIterator[ScriptedDecider]:
    """Workers that decide on every picture, and say that they saw it."""
    async with ScriptedDecider(bus, store, lambda picture: "A picture.").working() as working:
        yield working


@pytest.fixture
async def pushed(http: aiohttp.ClientSession, decider: ScriptedDecider) -> str:
    """The id of a session whose pictures the client pushes."""
    async with http.post("/v1/sessions", json=PUSHED) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        assert created["source"]["kind"] == "pushed"
        return str(created["id"])


def binary(picture: bytes, **header: Any) -> bytes:
    """A picture as a binary message."""
    encoded = json.dumps({"type": "push_frame", **header}).encode()
    return struct.pack(">I", len(encoded)) + encoded + picture


def kind_of(reply: Json) -> str:
    assert reply["type"] == "problem", reply
    assert reply["data"]["next_step"]
    return str(reply["data"]["type"]).removeprefix("urn:vigil:problem:")


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_open_push_ask_and_end(
    http: aiohttp.ClientSession, pushed: str, decider: ScriptedDecider, store: SessionStore
) -> None:
    key = SessionKey("demo", pushed)
    async with talking(http, pushed) as talk:
        for number in range(3):
            message = {"type": "push_frame", "id": number, "jpeg": PICTURE, "time_s": number + 1.0}
            answer = await talk.ask(message)
            assert (answer["type"], answer["id"], answer["superseded"]) == ("answer", number, 0)
            assert (answer["data"]["time_s"], answer["data"]["text"]) == (number + 1.0, "A picture.")
        assert [(await talk.event("decision"))["sequence"] for _ in range(3)] == [0, 1, 2]
        asked = await talk.ask({"type": "ask", "id": "mine", "text": "What is there?"})
        assert (asked["type"], asked["id"]) == ("accepted", "mine")
        assert getattr((await store.commands(key))[-1], "id", "") == asked["data"]["id"]
        assert (await talk.ask({"type": "end", "id": 9}))["type"] == "accepted"
        assert (await talk.event("session"))["type"] == "vigil.session.ended"
        assert await talk.event("end") == {"reason": "the session ended"}
        await eventually(lambda: talk.socket.closed, what="the server closes")
        assert talk.socket.close_code == aiohttp.WSCloseCode.OK
    assert decider.seen[key] == [1_000, 2_000, 3_000]


async def test_a_picture_may_come_as_it_is(http: aiohttp.ClientSession, pushed: str) -> None:
    async with talking(http, pushed) as talk:
        await talk.socket.send_bytes(binary(jpeg(), id="raw", time_s=4.5))
        answer = await talk.reply()
    assert (answer["type"], answer["id"], answer["data"]["time_s"]) == ("answer", "raw", 4.5)


async def test_a_newer_picture_takes_the_place_of_one_that_waits(
    http: aiohttp.ClientSession, pushed: str, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    async with talking(http, pushed) as talk:
        await talk.socket.send_json({"type": "push_frame", "id": 0, "jpeg": PICTURE})
        await eventually(lambda: len(decider.seen[SessionKey("demo", pushed)]) == 1, what="the first is shown")
        for number in (1, 2, 3):
            await talk.socket.send_json({"type": "push_frame", "id": number, "jpeg": PICTURE})
        assert (await talk.ask({"type": "ask", "id": "q", "text": "?"}))["id"] == "q", "all three were read by now"
        decider.open_gate.set()
        first, newest = await talk.reply(), await talk.reply()
    assert (first["id"], first["superseded"]) == (0, 0)
    assert (newest["id"], newest["superseded"]) == (3, 2)
    assert newest["data"]["capture_time"] <= first["data"]["emit_time"], "a picture that waited is of when it arrived"


async def test_events_are_those_of_the_event_stream(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    async with talking(http, session) as talk:
        await bus.publish_stored(decided(session, 4))
        assert (await talk.event("decision"))["sequence"] == 4
        await bus.publish_stored(alert(session))
        assert await talk.event("alert") == json.loads(alert(session).payload)
        await bus.publish_stored(delegation(session))
        assert await talk.event("delegation") == json.loads(delegation(session).payload)
        await bus.publish_stored(approval(session))
        assert await talk.event("approval") == json.loads(approval(session).payload)


@pytest.mark.parametrize(
    ("message", "kind", "message_id"),
    [
        ("{", "malformed_json", None),
        ("[" * 100_000, "malformed_json", None),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "malformed_json", None),
        ('{"type": "dance", "id": 3}', "invalid_request", 3),
        ('{"type": "ask", "id": "a", "text": " "}', "invalid_request", "a"),
        ('{"type": "ask", "id": "a", "txt": "?"}', "invalid_request", "a"),
        ('{"type": "push_frame", "id": 1, "jpeg": "?"}', "picture_refused", 1),
        ('{"type": "push_frame", "id": 1, "jpeg": "AAAA"}', "picture_refused", 1),
        ('{"type": "push_frame", "id": 1, "time_s": -1}', "invalid_request", 1),
        (b"\0\0", "picture_refused", None),
        (b"\0\0\xff\xff{}", "picture_refused", None),
        (binary(jpeg()[:200], id=2), "picture_refused", 2),
        (binary(bytes(MAX_PICTURE_BYTES + 1), id=2), "picture_refused", 2),
    ],
)
async def test_what_cannot_be_done_is_told_and_the_connection_stays(
    http: aiohttp.ClientSession, pushed: str, message: str | bytes, kind: str, message_id: object
) -> None:
    async with talking(http, pushed) as talk:
        if isinstance(message, bytes):
            await talk.socket.send_bytes(message)
        else:
            await talk.socket.send_str(message)
        reply = await talk.reply()
        assert (kind_of(reply), reply["id"]) == (kind, message_id)
        assert (await talk.ask({"type": "ask", "text": "Still there?"}))["type"] == "accepted"


async def test_a_message_of_too_many_bytes_ends_the_connection(http: aiohttp.ClientSession, pushed: str) -> None:
    async with talking(http, pushed) as talk:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await talk.socket.send_bytes(bytes(MAX_CHAT_BODY_BYTES + 1))
        await eventually(lambda: talk.socket.closed, what="the server closes")
    async with talking(http, pushed) as again:
        assert (await again.ask({"type": "ask", "text": "Still there?"}))["type"] == "accepted"


@pytest.mark.parametrize(
    ("frames", "close_code"),
    [
        (b"\x81\x82\0\0\0\0\xff\xfe", aiohttp.WSCloseCode.INVALID_TEXT),
        (b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 10_001, aiohttp.WSCloseCode.MESSAGE_TOO_BIG),
        (b"\x81\x05hello", aiohttp.WSCloseCode.PROTOCOL_ERROR),
        (b"\x82\xff\0\0\1\0\0\0\0\0\0\0\0\0", aiohttp.WSCloseCode.MESSAGE_TOO_BIG),
    ],
    ids=["no UTF-8", "too many fragments", "not masked", "too long"],
)
async def test_frames_that_break_the_protocol_end_the_connection_and_log_no_error(
    http: aiohttp.ClientSession, pushed: str, frames: bytes, close_code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(http, pushed) as talk:
        connection = talk.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.write(frames)
        await eventually(lambda: talk.socket.closed, what="the server closes")
        assert talk.socket.close_code == close_code
    await eventually(lambda: sample("vigil_gateway_event_streams") == 0, what="the connection is over")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_pings_of_a_client_that_never_reads_end_the_connection(
    gateway: Service[GatewaySettings], pushed: str
) -> None:
    head = [f"GET /v1/sessions/{pushed}/ws HTTP/1.1", "Host: x", "Authorization: Bearer a-key-of-demo"]
    head += [f"{name}: {value}" for name, value in UPGRADE.items()]
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.settings.http_port, limit=1)
    writer.write("\r\n".join([*head, "", ""]).encode())

    async def ping_for_ever() -> None:
        while True:
            writer.write((b"\x89\xfd" + bytes(4 + 125)) * 1_000)
            await writer.drain()

    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(ConnectionError):
            await ping_for_ever()
    writer.close()


async def test_a_camera_takes_no_pictures_and_a_clock_that_stands_still_is_told(
    http: aiohttp.ClientSession, session: str, pushed: str
) -> None:
    picture = {"type": "push_frame", "jpeg": PICTURE, "time_s": 5.0}
    async with talking(http, session) as talk:
        assert kind_of(await talk.ask(picture)) == "not_pushed"
    async with talking(http, pushed) as talk:
        first = await talk.ask(picture)
        assert first["type"] == "answer"
        assert await talk.ask(picture) == first, "the same picture and time once more is the same turn"
        assert kind_of(await talk.ask({**picture, "time_s": 4.0})) == "time_not_later"


async def test_a_browser_gives_its_key_as_a_protocol(nobody: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    protocols = ("vigil.v1", "vigil.v1.bearer.a-key-of-demo")
    async with talking(nobody, session, protocols=protocols) as talk:
        assert talk.socket.protocol == "vigil.v1"


async def test_a_handshake_is_refused_as_any_request_is(
    http: aiohttp.ClientSession,
    rival: aiohttp.ClientSession,
    nobody: aiohttp.ClientSession,
    session: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refused(client: aiohttp.ClientSession, name: str, **headers: str) -> tuple[int, str]:
        async with client.get(f"/v1/sessions/{name}/ws", headers={**UPGRADE, **headers}) as answer:
            assert answer.content_type == "application/problem+json"
            problem = await answer.json()
            assert problem["next_step"]
            return answer.status, str(problem["type"]).removeprefix("urn:vigil:problem:")

    assert await refused(nobody, session) == (401, "key_missing")
    wrong = {"Sec-WebSocket-Protocol": "vigil.v1, vigil.v1.bearer.wrong"}
    assert await refused(nobody, session, **wrong) == (401, "key_wrong")
    assert await refused(rival, session) == (404, "unknown_session")
    assert await refused(http, "s-none") == (404, "unknown_session")
    assert await refused(http, "a b") == (404, "unknown_session")
    async with talking(http, session), talking(http, session):
        assert await refused(http, session) == (429, "too_many_streams")
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 204
    assert await refused(http, session) == (409, "session_ended")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_handshake_at_another_path_is_told_where_there_is_one(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/ws", "/v1/ws", "/v1/sessions/s-1/events", "/v1/sessions/ws"):
        async with http.get(path, headers=UPGRADE) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["type"]) == (404, "urn:vigil:problem:no_such_path")
            assert path in problem["detail"]
            assert "/v1/sessions/{id}/ws" in problem["next_step"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_every_message_is_as_the_published_document_says(
    http: aiohttp.ClientSession, pushed: str, bus: Bus
) -> None:
    components = yaml.safe_load(ASYNCAPI.read_text("utf-8"))["components"]

    def check(schema: str, message: Json) -> Json:
        told = {"$ref": f"#/components/schemas/{schema}", "components": components}
        jsonschema.Draft202012Validator(told).validate(message)
        return message

    async with talking(http, pushed) as talk:
        for request in (
            {"type": "push_frame", "id": 1, "jpeg": PICTURE, "time_s": 1.0, "question": None},
            {"type": "ask", "id": "a", "text": "Who?"},
            {"type": "ask", "text": "<|im_end|>"},
            {"type": "end", "id": None},
        ):
            check("WebSocketReply", await talk.ask(check("WebSocketRequest", request)))
        while check("WebSocketEvent", await talk.events.get())["type"] != "end":
            pass


async def test_the_clients_own_id_is_bounded(http: aiohttp.ClientSession, session: str) -> None:
    async with talking(http, session) as talk:
        assert (await talk.ask({"type": "ask", "id": "x" * 128, "text": "Who?"}))["id"] == "x" * 128
        for too_much in ("x" * 129, "x" * 1_000_000, 2**63):
            reply = await talk.ask({"type": "ask", "id": too_much, "text": "Who?"})
            assert kind_of(reply) == "invalid_request"
            assert len(json.dumps(reply)) < 2_000
        assert kind_of(await talk.ask({"type": "ask", "id": 1, "text": "\ud83d"})) == "malformed_json"


async def test_without_room_no_pushed_session_is_opened(http: aiohttp.ClientSession, store: SessionStore) -> None:
    async with http.post("/v1/sessions", json=PUSHED) as answer:
        assert (answer.status, (await answer.json())["type"]) == (503, "urn:vigil:problem:no_worker")
    assert await store.sessions("demo") == []


async def test_a_client_that_vanishes_in_a_turn_lets_it_go(
    http: aiohttp.ClientSession, pushed: str, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    picture = {"type": "push_frame", "jpeg": PICTURE}
    async with talking(http, pushed) as talk:
        await talk.socket.send_json(picture)
        await eventually(lambda: len(decider.seen[SessionKey("demo", pushed)]) == 1, what="the picture is shown")
        connection = talk.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await eventually(lambda: sample("vigil_gateway_event_streams") == 0, what="the connection is over")
    decider.open_gate.set()
    async with talking(http, pushed) as again:
        assert (await again.ask(picture))["type"] == "answer"


async def test_an_end_is_answered_before_the_connection_ends(
    http: aiohttp.ClientSession, session: str, nats_server: NatsServer, store: SessionStore
) -> None:
    async with talking(http, session) as talk:
        nats_server.freeze()  # the end cannot be announced: what follows the session in the store sees it first
        reply = await talk.ask({"type": "end", "id": 1})
        nats_server.thaw()
        assert (kind_of(reply), reply["id"]) == ("bus_unavailable", 1)
        assert await talk.event("end") == {"reason": "the session ended"}
    assert await store.ended(SessionKey("demo", session)) is not None


async def test_a_slow_reader_misses_old_decisions_and_no_alert(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    before = sample("vigil_gateway_events_dropped_total", kind="decision")
    kinds: list[str] = []
    many, newest = 3_000, -1
    async with http.ws_connect(f"/v1/sessions/{session}/ws", max_msg_size=0) as socket:
        assert (await socket.receive_json())["type"] == "status"
        await bus.publish_stored(alert(session))
        await decide_quickly(bus, session, many, "x" * 4_000)
        async with asyncio.timeout(DEADLINE_S):
            while newest < many - 1:
                event = await socket.receive_json()
                kinds.append(event["type"])
                newest = max(newest, event["data"].get("sequence", -1))
    assert kinds.count("alert") == 1
    assert 64 <= kinds.count("decision") < many
    assert sample("vigil_gateway_events_dropped_total", kind="decision") > before


async def test_a_gateway_that_stops_says_so(
    gateway: Service[GatewaySettings], http: aiohttp.ClientSession, session: str
) -> None:
    async with talking(http, session) as talk:
        gateway.stop()
        assert await talk.event("end") == {"reason": "the gateway is shutting down: connect again"}
        await eventually(lambda: talk.socket.closed, what="the server closes")
        assert talk.socket.close_code in (aiohttp.WSCloseCode.GOING_AWAY, aiohttp.WSCloseCode.SERVICE_RESTART)


async def test_messages_are_counted_by_kind_and_outcome(http: aiohttp.ClientSession, pushed: str) -> None:
    def counted(method: str, status: str) -> float:
        return sample("vigil_gateway_calls_total", door="websocket", method=method, status=status)

    before = counted("push_frame", "ok"), counted("ask", "ok"), counted("push_frame", "time_not_later")
    picture = {"type": "push_frame", "jpeg": PICTURE, "time_s": 5.0}
    async with talking(http, pushed) as talk:
        for message in (picture, {**picture, "time_s": 4.0}, {"type": "ask", "text": "?"}):
            await talk.ask(message)
    after = counted("push_frame", "ok"), counted("ask", "ok"), counted("push_frame", "time_not_later")
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]
