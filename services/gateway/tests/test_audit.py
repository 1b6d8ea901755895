"""What is recorded of requests that change something, at every door, and who may read it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from vigil.contract import subjects
from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.contract.events.audit import AuditData, decode_audit
from vigil.contract.streams import AUDIT
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil.v1 import gateway_pb2 as pb
from vigil.v1.gateway_pb2_grpc import GatewayServiceStub
from vigil_gateway.audit.outbox import AuditOutbox
from vigil_gateway.audit.routes import read_audit
from vigil_gateway.config import GatewaySettings

BODY = {"source": {"url": "rtsp://user:a-password@camera.local/1"}, "watches": [{"text": "Fire?", "name": "fire"}]}
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DESK = ApiKey(digest_of("a-key-of-desk"), "demo", KeyRole.OPERATOR, "desk")
UNNAMED = ApiKey(digest_of("a-key-of-demo"), "demo")


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """A key of each role, one without a name, and administrators of two tenants."""
    path = tmp_path / "keys.json"
    admins = [ApiKey(digest_of(f"a-key-of-{name}"), tenant, KeyRole.ADMIN, name) for name, tenant in ADMINS.items()]
    screen = ApiKey(digest_of("a-key-of-screen"), "demo", KeyRole.VIEWER, "screen")
    path.write_bytes(encode_keys([*admins, DESK, screen, UNNAMED]))
    return path


ADMINS = {"chief": "demo", "rival": "rival"}


def client(url: str, name: str) -> aiohttp.ClientSession:
    """Who is refused is answered before the body was read, so each request has a connection of its own."""
    headers = {"Authorization": f"Bearer a-key-of-{name}"}
    return aiohttp.ClientSession(url, headers=headers, connector=aiohttp.TCPConnector(force_close=True))


@pytest.fixture
async def desk(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """An operator."""
    async with client(front, "desk") as opened:
        yield opened


async def recorded(bus: Bus, count: int, tenant: str = "demo") -> list[AuditData]:
    """The tenant's records once there are so many."""

    async def found() -> list[AuditData]:
        page = await bus.stored(AUDIT, subjects.audit(tenant), BEGINNING, 1_000)
        return [decode_audit(message.payload).data for message in page.messages]

    async def are_there() -> bool:
        return len(await found()) >= count

    await eventually(are_there, what=f"{count} records are stored")
    return await found()


def short(records: list[AuditData]) -> list[tuple[str, str, str, int]]:
    return [(record.actor, record.method, record.route, record.status) for record in records]


async def test_each_change_over_http_is_recorded_and_nothing_that_is_read(
    desk: aiohttp.ClientSession, bus: Bus, workers: None
) -> None:
    async with desk.post("/v1/sessions", json=BODY) as answer:
        session = (await answer.json())["id"]
    async with desk.get(f"/v1/sessions/{session}"), desk.get("/v1/sessions"):
        pass
    async with desk.post(f"/v1/sessions/{session}/queries", json={"text": "What is secret here?"}):
        pass
    async with desk.post(f"/v1/sessions/{session}/queries", json={"text": ""}) as answer:
        assert answer.status == 422
    async with desk.delete("/v1/sessions/unknown") as answer:
        assert answer.status == 404
    async with desk.post("/v1/nothing/here") as answer:
        assert answer.status == 404
    async with desk.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 204
    records = await recorded(bus, 6)
    queries, one = "/v1/sessions/{session}/queries", "/v1/sessions/{session}"
    assert short(records) == [
        ("desk", "POST", "/v1/sessions", 201),
        ("desk", "POST", queries, 202),
        ("desk", "POST", queries, 422),
        ("desk", "DELETE", one, 404),
        ("desk", "POST", "none", 404),
        ("desk", "DELETE", one, 204),
    ]
    assert [record.session for record in records] == [session, session, session, "unknown", "", session]
    assert {(record.tenant, record.role, record.address) for record in records} == {("demo", "operator", "127.0.0.1")}


async def test_a_record_holds_no_body_and_no_key(desk: aiohttp.ClientSession, bus: Bus, workers: None) -> None:
    async with desk.post("/v1/sessions", json=BODY):
        pass
    async with desk.post("/v1/login", json={"key": "a-key-of-desk"}) as answer:
        csrf = (await answer.json())["csrf"]
        cookie = answer.cookies["vigil_login"].value
    await recorded(bus, 2)
    page = await bus.stored(AUDIT, subjects.audit("demo"), BEGINNING, 10)
    for message in page.messages:
        text = json.dumps([message.payload.decode(), dict(message.headers)])
        for secret in ("a-key-of-desk", DESK.sha256, cookie, csrf, "a-password", "Fire?"):
            assert secret not in text


async def test_what_is_refused_is_recorded_and_strangers_are_not(front: str, bus: Bus, workers: None) -> None:
    async with client(front, "screen") as screen:
        async with screen.post("/v1/sessions", json=BODY) as answer:
            assert answer.status == 403
        async with screen.patch("/v1/sessions/lobby", json={}) as answer:
            assert answer.status == 403
        async with screen.get("/v1/keys") as answer:
            assert answer.status == 403
    async with client(front, "stranger") as stranger, stranger.post("/v1/sessions", json=BODY) as answer:
        assert answer.status == 401
    jar, connector = aiohttp.CookieJar(unsafe=True), aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(front, cookie_jar=jar, connector=connector) as page:
        async with page.post("/v1/login", json={"key": "guessed"}) as answer:
            assert answer.status == 401
        async with page.post("/v1/login", json={"key": "a-key-of-desk"}) as answer:
            csrf = (await answer.json())["csrf"]
        async with page.post("/v1/sessions", json=BODY) as answer:
            assert answer.status == 403
        async with page.post("/v1/sessions", json=BODY, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status == 403
        async with page.delete("/v1/login", headers={"X-CSRF-Token": csrf}) as answer:
            assert answer.status == 204
    records = await recorded(bus, 6)
    assert short(records) == [
        ("screen", "POST", "/v1/sessions", 403),
        ("screen", "PATCH", "/v1/sessions/{session}", 403),
        ("desk", "POST", "/v1/login", 200),
        ("desk", "POST", "/v1/sessions", 403),
        ("desk", "POST", "/v1/sessions", 403),
        ("desk", "DELETE", "/v1/login", 204),
    ]
    assert records[1].session == "lobby"


async def test_calls_over_grpc_are_recorded(
    gateway: Service[GatewaySettings], desk: aiohttp.ClientSession, bus: Bus, workers: None
) -> None:
    def metadata(name: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer a-key-of-{name}"),)

    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.settings.grpc_port}") as channel:
        stub = GatewayServiceStub(channel)
        asked = pb.OpenSessionRequest(source=pb.SessionSource(kind=pb.SOURCE_KIND_PUSHED))
        session = (await stub.OpenSession(asked, metadata=metadata("desk"), timeout=10)).session
        asking = pb.AskRequest(session=session, text="What is there?")
        await stub.Ask(asking, metadata=metadata("demo"), timeout=10)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Ask(asking, metadata=metadata("screen"), timeout=10)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Ask(asking, metadata=metadata("stranger"), timeout=10)
        events = stub.Events(pb.EventsRequest(session=session), metadata=metadata("screen"), timeout=10)
        assert isinstance(await events.read(), pb.EventsResponse)
        events.cancel()
        await stub.EndSession(pb.EndSessionRequest(session=session), metadata=metadata("desk"), timeout=10)
    records = await recorded(bus, 4)
    assert short(records) == [
        ("desk", "grpc", "OpenSession", 200),
        (UNNAMED.id, "grpc", "Ask", 200),
        ("screen", "grpc", "Ask", 403),
        ("desk", "grpc", "EndSession", 200),
    ]
    assert [record.session for record in records] == [session, session, "", session]
    assert {record.address for record in records} == {"127.0.0.1"}


async def test_messages_over_a_websocket_are_recorded(
    front: str, desk: aiohttp.ClientSession, bus: Bus, workers: None
) -> None:
    async with desk.post("/v1/sessions", json={"source": {"kind": "pushed", "id": "lobby"}}) as answer:
        session = (await answer.json())["id"]
    async with client(front, "screen") as screen, screen.ws_connect(f"/v1/sessions/{session}/ws") as websocket:
        await websocket.send_json({"type": "ask", "id": 1, "text": "What is there?"})
        await told(websocket, "problem")
    async with desk.ws_connect(f"/v1/sessions/{session}/ws") as websocket:
        await websocket.send_json({"type": "ask", "id": 1, "text": "What is there?"})
        await told(websocket, "accepted")
        await websocket.send_json({"type": "push_frame", "id": 2, "jpeg": ""})
        await told(websocket, "problem")
        await websocket.send_json({"type": "end", "id": 3})
        await told(websocket, "accepted")
    records = await recorded(bus, 4)
    assert short(records)[1:] == [
        ("screen", "websocket", "ask", 403),
        ("desk", "websocket", "ask", 202),
        ("desk", "websocket", "end", 202),
    ]
    assert {record.session for record in records} == {session}


async def told(websocket: aiohttp.ClientWebSocketResponse, kind: str) -> None:
    """Wait for a message of this kind."""
    async with asyncio.timeout(DEADLINE_S):
        while (await websocket.receive_json())["type"] != kind:
            pass


async def test_only_administrators_read_their_tenants_records(front: str, bus: Bus) -> None:
    for name in ("desk", "demo", "desk"):
        async with client(front, name) as http, http.delete("/v1/sessions/unknown") as answer:
            assert answer.status == 404
    await recorded(bus, 3)
    for name, status in (("screen", 403), ("desk", 403), ("stranger", 401)):
        async with client(front, name) as http, http.get("/v1/audit") as answer:
            assert answer.status == status
    async with client(front, "rival") as rival, rival.get("/v1/audit") as answer:
        assert await answer.json() == {"entries": [], "next": None}
    async with client(front, "chief") as chief:
        assert [entry["actor"] for entry in (await page_of(chief))["entries"]] == ["desk", UNNAMED.id, "desk"]
        first = await page_of(chief, limit="2")
        assert len(first["entries"]) == 2
        (last,) = (await page_of(chief, limit="2", after=first["next"]))["entries"]
        assert last["actor"] == "desk"
        ours = await page_of(chief, actor=UNNAMED.id)
        assert ([entry["actor"] for entry in ours["entries"]], ours["next"]) == ([UNNAMED.id], None)
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        assert (await page_of(chief, since=later))["entries"] == []
        (entry, *_) = first["entries"]
        assert set(entry) == {"time", "actor", "role", "method", "route", "session", "status", "address"}
        assert datetime.now(UTC) - datetime.fromisoformat(entry["time"]) < timedelta(minutes=5)


async def page_of(http: aiohttp.ClientSession, **asked: str) -> dict[str, Any]:
    async with http.get("/v1/audit", params=asked) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == 200, found
        return found


async def test_an_actor_who_did_little_is_found_page_by_page(bus: Bus) -> None:
    outbox = AuditOutbox(bus)
    running = asyncio.create_task(outbox.run())
    for number in range(10):
        holder = DESK if number % 5 == 4 else UNNAMED
        outbox.record(holder, method="POST", route=f"/{number}", status=200, address="")
    await recorded(bus, 10)
    running.cancel()
    found: list[str] = []
    begin: str | None = "0"
    pages = 0
    while begin is not None:
        page = await read_audit(bus, "demo", int(begin) + 1, "desk", 1, page_size=1, most=3)
        found += [entry.route for entry in page.entries]
        begin, pages = page.next, pages + 1
    assert found == ["/4", "/9"]
    assert pages > 2


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


async def test_a_nats_that_is_away_holds_up_nobody_and_loses_the_oldest(
    nats_server: NatsServer,
) -> None:
    lost = counted("vigil_gateway_audit_lost_total")
    async with Bus.connect(BusConfig(nats_server.url, name="gateway")) as bus:
        await bus.connected()
        outbox = AuditOutbox(bus, capacity=3)
        running = asyncio.create_task(outbox.run())
        await nats_server.kill()
        await eventually(lambda: not bus.is_connected, what="NATS is away")
        with capture_logs() as logs:
            for number in range(5):
                outbox.record(DESK, method="POST", route=f"/{number}", status=200, address="")
        assert [line["event"] for line in logs] == ["audit records lost"]
        assert counted("vigil_gateway_audit_lost_total") - lost == 2
        assert counted("vigil_gateway_audit_waiting") == 3
        await nats_server.start()
        await bus.connected()
        records = await recorded(bus, 3)
        assert [record.route for record in records] == ["/2", "/3", "/4"]
        running.cancel()


async def test_what_waits_is_stored_when_the_gateway_stops(bus: Bus) -> None:
    outbox = AuditOutbox(bus)
    outbox.record(DESK, method="POST", route="/last", status=200, address="")
    await outbox.flush()
    assert [record.route for record in await recorded(bus, 1)] == ["/last"]
