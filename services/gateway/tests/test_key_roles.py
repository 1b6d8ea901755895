"""What each role of a key may do, at every door."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import grpc
import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S
from vigil.v1 import gateway_pb2 as pb
from vigil.v1.gateway_pb2_grpc import GatewayServiceStub
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.app import routes
from vigil_gateway.ports import LOGIN, READING, ROLE, needed_for

PAST = datetime.now(UTC) - timedelta(days=1)
OLD = ApiKey(digest_of("a-key-of-old"), "demo", KeyRole.ADMIN, "old", PAST, PAST)
ENDLESS = ("/events", "/wall", "/preview")  # streams that every role may read
BODIES = {"/v1/sessions": {"source": {"url": "rtsp://camera.local/1"}}}


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """A key of each role, and an expired one."""
    keys = [ApiKey(digest_of(f"a-key-of-{role}"), "demo", role, role) for role in KeyRole]
    path = tmp_path / "keys.json"
    rival = ApiKey(digest_of("a-key-of-rival"), "rival", KeyRole.ADMIN)
    path.write_bytes(encode_keys([*keys, OLD, ApiKey(digest_of("a-key-of-demo"), "demo"), rival]))
    return path


@pytest.fixture
async def viewer(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with client(front, "viewer") as opened:
        yield opened


def client(url: str, name: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(url, headers={"Authorization": f"Bearer a-key-of-{name}"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path of the document, and the role that it takes."""

    method: str
    path: str
    needed: KeyRole

    def url(self, session: str) -> str:
        """Its path about this session; what else it names is nowhere."""
        return re.sub(r"\{\w+\}", "1", self.path.replace("{session}", session))


def operations() -> list[Operation]:
    """Every operation that takes a key; those that end something last."""
    found = [
        Operation(method.upper(), path, KeyRole(operation.get(ROLE, needed_for(method.upper(), path))))
        for path, methods in routes().openapi()["paths"].items()
        for method, operation in methods.items()
        if operation["security"]
    ]
    return sorted(found, key=lambda operation: (operation.path == LOGIN, operation.method == "DELETE"))


async def answered(url: str, operation: Operation, session: str, headers: dict[str, str]) -> tuple[int, str]:
    """The status, and what is told of a refusal. Who waits for what happens live was let in."""
    connector = aiohttp.TCPConnector(force_close=True)  # who is refused is answered before the body was read
    timeout = aiohttp.ClientTimeout(total=5.0 if operation.method == "GET" else 60.0)
    try:
        async with (
            aiohttp.ClientSession(url, headers=headers, connector=connector, timeout=timeout) as http,
            http.request(operation.method, operation.url(session), json={}) as answer,
        ):
            return answer.status, await answer.text() if answer.status >= 400 else ""
    except TimeoutError:
        return 200, ""


async def logged_in(url: str, name: str) -> tuple[dict[str, str], str]:
    """The cookie of a login, as a header, and its CSRF token."""
    async with aiohttp.ClientSession(url) as http, http.post(LOGIN, json={"key": f"a-key-of-{name}"}) as answer:
        return {"Cookie": f"vigil_login={answer.cookies['vigil_login'].value}"}, (await answer.json())["csrf"]


REFUSED = (401, 403)


async def test_nobody_without_a_key_and_no_other_tenant_gets_anything(front: str, session: str) -> None:
    rival = {"Authorization": "Bearer a-key-of-rival"}
    for operation in operations():
        assert (await answered(front, operation, session, {}))[0] == 401, operation
        status, told = await answered(front, operation, session, rival)
        assert status not in REFUSED, operation
        if "{session}" in operation.path:
            assert status == 404 if operation.method == "GET" else status >= 400, (operation, status)
            assert "camera.local" not in told


@pytest.mark.parametrize("role", KeyRole)
async def test_each_role_may_do_what_the_document_says(front: str, session: str, role: KeyRole) -> None:
    found = operations()
    headers = {"Authorization": f"Bearer a-key-of-{role}"}
    for operation in found:
        status, told = await answered(front, operation, session, headers)
        is_refused = status in REFUSED
        assert is_refused is not role.covers(operation.needed), (operation, status)
        assert not is_refused or "role_too_low" in told or "it takes the role" in told
    assert len([operation for operation in found if operation.needed is KeyRole.OPERATOR]) >= 12
    assert {operation.path for operation in found if operation.needed is KeyRole.ADMIN} >= {"/v1/keys", "/v1/audit"}


async def test_a_cookie_changes_nothing_without_its_csrf_token(front: str, session: str) -> None:
    cookie, csrf = await logged_in(front, "admin")
    for operation in operations():
        status, told = await answered(front, operation, session, cookie)
        if operation.method in READING:
            assert status not in REFUSED, (operation, status)
        else:
            assert (status, "CSRF" in told) == (403, True), (operation, status)
        from_afar = {**cookie, "X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}
        assert (await answered(front, operation, session, from_afar))[0] == 403, operation
    for operation in operations():
        assert (await answered(front, operation, session, {**cookie, "X-CSRF-Token": csrf}))[0] not in REFUSED, (
            operation
        )


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
    async with viewer.ws_connect(f"/v1/sessions/{session}/ws") as websocket, asyncio.timeout(DEADLINE_S):
        for message in (asked, shown, ended):
            await websocket.send_json(message)
        while len(told) < 3:
            answer = await websocket.receive_json()
            if answer["type"] == "problem":
                told[answer["id"]] = answer["data"]["type"].rpartition(":")[2]
    assert told == dict.fromkeys((1, 2, 3), "role_too_low")
    async with viewer.get(f"/v1/sessions/{session}") as answer:
        assert (await answer.json())["ended_reason"] is None


async def test_a_viewer_hears_what_a_session_speaks_and_opens_no_microphone(
    viewer: aiohttp.ClientSession, http: aiohttp.ClientSession, workers: None
) -> None:
    new = {"source": {"url": "rtsp://camera.local/1"}, "hearing": {"is_on": True}}
    async with http.post("/v1/sessions", json=new) as answer:
        session = (await answer.json())["id"]
    async with viewer.ws_connect(f"/v1/sessions/{session}/audio") as websocket, asyncio.timeout(DEADLINE_S):
        assert (await websocket.receive_json())["type"] == "status"
        await websocket.send_json({"type": "microphone", "id": 7})
        refusal = await websocket.receive_json()
    assert (refusal["type"], refusal["id"]) == ("problem", 7)
    assert refusal["data"]["type"] == "urn:vigil:problem:role_too_low"


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


async def test_a_viewer_listens_to_a_session_and_does_not_speak_to_it(
    http: aiohttp.ClientSession, viewer: aiohttp.ClientSession, workers: None
) -> None:
    hears = {"source": {"kind": "pushed"}, "hearing": {"is_on": True}}
    async with http.post("/v1/sessions", json=hears) as answer:
        session = (await answer.json())["id"]
    async with viewer.ws_connect(f"/v1/sessions/{session}/audio") as socket:
        assert (await socket.receive_json())["type"] == "status"
        await socket.send_json({"type": "microphone"})
        assert (await socket.receive_json())["data"]["type"] == "urn:vigil:problem:role_too_low"
        await socket.send_bytes(bytes(640))
        assert (await socket.receive_json())["data"]["type"] == "urn:vigil:problem:sound_refused"
