"""What each role of a key may do, at every door."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import grpc
import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.runtime.process.service import Service
from vigil.v1 import gateway_pb2 as pb
from vigil.v1.gateway_pb2_grpc import GatewayServiceStub
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.app import routes

PAST = datetime.now(UTC) - timedelta(days=1)
OLD = ApiKey(digest_of("a-key-of-old"), "demo", KeyRole.ADMIN, "old", PAST, PAST)
ENDLESS = ("/events", "/wall", "/preview")  # streams that every role may read
BODIES = {"/v1/sessions": {"source": {"url": "rtsp://camera.local/1"}}}


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """A key of each role, and an expired one."""
    keys = [ApiKey(digest_of(f"a-key-of-{role}"), "demo", role, role) for role in KeyRole]
    path = tmp_path / "keys.json"
    path.write_bytes(encode_keys([*keys, OLD, ApiKey(digest_of("a-key-of-demo"), "demo")]))
    return path


@pytest.fixture
async def viewer(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with client(front, "viewer") as opened:
        yield opened


def client(url: str, name: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(url, headers={"Authorization": f"Bearer a-key-of-{name}"})


def operations() -> list[tuple[str, str]]:
    """Every operation that takes a key, as method and path."""
    return [
        (method.upper(), path)
        for path, found in routes().openapi()["paths"].items()
        for method, operation in found.items()
        if "security" in operation
    ]


async def test_a_viewer_reads_and_changes_nothing(viewer: aiohttp.ClientSession, session: str) -> None:
    refused = {}
    for method, path in operations():
        where = re.sub(r"\{\w+\}", "x-1", path.replace("{session}", session))
        if not where.endswith(ENDLESS):
            async with viewer.request(method, where, json=BODIES.get(path, {})) as answer:
                refused[method, path] = answer.status == 403
    reading = ("GET", "OPTIONS")
    changing = {(method, path) for method, path in refused if method not in reading and path != "/v1/login"}
    for_operators = ("GET", "/v1/sessions/{session}/turns/{sequence}/prompt")
    unread = {("GET", "/v1/keys"), for_operators}
    assert {operation for operation, is_refused in refused.items() if is_refused} == {*changing, *unread}
    assert len(changing) >= 12


@pytest.mark.parametrize(
    ("name", "opened", "keys"), [("viewer", 403, 403), ("operator", 201, 403), ("admin", 201, 200), ("old", 401, 401)]
)
async def test_who_opens_sessions_and_who_sees_keys(
    front: str, workers: None, name: str, opened: int, keys: int
) -> None:
    async with client(front, name) as http:
        async with http.post("/v1/sessions", json=BODIES["/v1/sessions"]) as answer:
            assert answer.status == opened
            told = await answer.text()
        async with http.get("/v1/keys") as answer:
            assert answer.status == keys
    if opened == 403:
        assert "a key with the role viewer may not do this: it takes the role operator" in told
    if opened == 401:
        assert json.loads(told)["type"] == "urn:vigil:problem:key_expired"
        assert f"the API key has expired ({PAST:%Y-%m-%d %H:%M} UTC)" in told


async def test_an_administrator_sees_the_keys_and_what_they_are_not(front: str) -> None:
    async with client(front, "admin") as http, http.get("/v1/keys") as answer:
        shown = await answer.json()
    assert {key["name"]: key["role"] for key in shown["keys"]} == {
        "viewer": "viewer",
        "operator": "operator",
        "admin": "admin",
        "old": "admin",
        "": "operator",
    }
    assert digest_of("a-key-of-old") not in json.dumps(shown)
    async with client(front, "viewer") as http, http.get("/v1/key") as answer:
        own = await answer.json()
    assert (own["name"], own["tenant"], own["role"], own["expires"]) == ("viewer", "demo", "viewer", None)


async def test_a_viewer_listens_on_a_websocket_and_may_say_nothing(viewer: aiohttp.ClientSession, session: str) -> None:
    asked = {"type": "ask", "id": 1, "text": "What is there?"}
    shown = {"type": "push_frame", "id": 2, "jpeg": ""}
    ended = {"type": "end", "id": 3}
    told: dict[int, str] = {}
    async with viewer.ws_connect(f"/v1/sessions/{session}/ws") as websocket, asyncio.timeout(10):
        for message in (asked, shown, ended):
            await websocket.send_json(message)
        while len(told) < 3:
            answer = await websocket.receive_json()
            if answer["type"] == "problem":
                told[answer["id"]] = answer["data"]["type"].rpartition(":")[2]
    assert told == dict.fromkeys((1, 2, 3), "role_too_low")
    async with viewer.get(f"/v1/sessions/{session}") as answer:
        assert (await answer.json())["ended_reason"] is None


async def test_over_grpc_a_viewer_hears_events_and_opens_nothing(
    gateway: Service[GatewaySettings], session: str
) -> None:
    def metadata(name: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer a-key-of-{name}"),)

    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.settings.grpc_port}") as channel:
        stub = GatewayServiceStub(channel)
        asking = pb.AskRequest(session=session, text="What is there?")
        for name, code in (("viewer", grpc.StatusCode.PERMISSION_DENIED), ("old", grpc.StatusCode.UNAUTHENTICATED)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Ask(asking, metadata=metadata(name), timeout=10)
            assert refused.value.code() is code
        events = stub.Events(pb.EventsRequest(session=session), metadata=metadata("viewer"), timeout=10)
        first = await events.read()
        assert isinstance(first, pb.EventsResponse)
        assert first.WhichOneof("event") == "status"
        assert (await stub.Ask(asking, metadata=metadata("operator"), timeout=10)).id
