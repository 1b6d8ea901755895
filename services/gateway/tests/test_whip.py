"""WHIP over real HTTP, real NATS and Redis, with an ingestion worker that answers signalling from a script."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.contract.signalling import LONGEST_SDP, Candidates, Close, Offer, Refusal
from vigil.core.command import Instruct
from vigil.core.ids import SessionKey
from vigil.core.source import Role, SourceKind
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.scripted_signalling import ANSWER, ScriptedSignalling, offer_sdp
from vigil.testing.servers import NatsServer
from vigil_gateway.config import GatewaySettings

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = "a=ice-ufrag:EsAw\r\na=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
TRICKLE = {"Content-Type": "application/trickle-ice-sdpfrag"}
KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}
VIEWER = "a-key-of-viewer"
TURN = '[{"urls": ["stun:s.example", "turn:t.example"], "username": "u", "credential": "p\\"w"}]'


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """The keys of both tenants, and one of a viewer."""
    keys = [ApiKey(digest_of(key), tenant) for tenant, key in KEYS.items()]
    path = tmp_path / "keys.json"
    path.write_bytes(encode_keys([*keys, ApiKey(digest_of(VIEWER), "demo", KeyRole.VIEWER, "viewer")]))
    return path


@pytest.fixture
def deadline_s() -> float:
    """How long a worker is waited for."""
    return 30.0


@pytest.fixture
def settings(settings: GatewaySettings, deadline_s: float) -> GatewaySettings:
    """A TURN server, and a page of elsewhere that may publish."""
    changed = settings.model_dump() | {
        "whip_deadline_s": deadline_s,
        "ice_servers": TURN,
        "whip_origins": "https://studio.example",
    }
    return GatewaySettings(**changed)


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    async with Bus.connect(BusConfig(nats_server.url, name="test")) as bus:
        await bus.connected()
        yield bus


@pytest.fixture
async def worker(bus: Bus, workers: None) -> AsyncIterator[ScriptedSignalling]:
    async with ScriptedSignalling().serve(bus) as worker:
        yield worker


@pytest.fixture
async def session(http: aiohttp.ClientSession, workers: None) -> str:
    """The id of an open session of the kind webrtc."""
    async with http.post("/v1/sessions", json={"source": {"kind": "webrtc", "name": "Lobby"}}) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        assert (created["source"]["kind"], created["source"]["url"]) == ("webrtc", "")
        return str(created["id"])


async def published(http: aiohttp.ClientSession, path: str, sdp: str = offer_sdp()) -> tuple[str, str]:
    """Publish; the address of the connection and its entity-tag."""
    async with http.post(path, data=sdp, headers=SDP) as answer:
        assert answer.status == 201, await answer.text()
        return answer.headers["Location"], answer.headers["ETag"]


async def refused(answering: "aiohttp.client._RequestContextManager", status: int, kind: str) -> str:
    """Check a refusal; what it says was wrong."""
    async with answering as answer:
        told = await answer.json(content_type="application/problem+json")
        assert (answer.status, told["type"]) == (status, f"urn:vigil:problem:{kind}"), told
        assert told["next_step"]
        if status == 503:
            assert answer.headers["Retry-After"]
        return str(told["detail"])


async def is_open(store: SessionStore, session: str) -> bool:
    return await store.ended(SessionKey("demo", session)) is None


async def test_a_client_publishes_adds_candidates_and_ends(
    http: aiohttp.ClientSession, session: str, worker: ScriptedSignalling, store: SessionStore
) -> None:
    async with http.post(f"/v1/sessions/{session}/whip", data=offer_sdp(), headers=SDP) as answer:
        assert (answer.status, answer.content_type, await answer.text()) == (201, "application/sdp", ANSWER)
        location, etag = answer.headers["Location"], answer.headers["ETag"]
        assert location.startswith(f"/v1/sessions/{session}/whip/")
        assert answer.headers.getall("Link") == [
            '<stun:s.example>; rel="ice-server"',
            '<turn:t.example>; rel="ice-server"; username="u"; credential="p\\"w"; credential-type="password"',
        ]
    async with http.patch(location, data=FRAGMENT, headers={**TRICKLE, "If-Match": etag}) as answer:
        assert (answer.status, "ETag" in answer.headers, await answer.text()) == (204, False, "")
    async with http.delete(location, headers={"If-Match": '"of no account here"'}) as answer:
        assert answer.status == 204
    resource = location.rpartition("/")[2]
    assert worker.asked == [Offer(offer_sdp()), Candidates(resource, FRAGMENT), Close(resource)]
    assert await is_open(store, session)  # its grace time is ingestion's to keep
    await refused(http.delete(location), 404, "unknown_connection")
    await published(http, f"/v1/sessions/{session}/whip")


async def test_one_client_publishes_at_a_time_and_another_may_replace_it(
    http: aiohttp.ClientSession, session: str, worker: ScriptedSignalling
) -> None:
    path = f"/v1/sessions/{session}/whip"
    first, _ = await published(http, path)
    await refused(http.post(path, data=offer_sdp(), headers=SDP), 409, "already_published")
    second, _ = await published(http, f"{path}?replace=true")
    assert first != second
    await refused(http.delete(first), 404, "unknown_connection")


async def test_a_session_is_made_for_a_program_that_knows_one_address(
    http: aiohttp.ClientSession, worker: ScriptedSignalling, store: SessionStore, ingestion: ScriptedIngestion
) -> None:
    query = {"name": "Lobby, north", "watch": "Alert me when a fire starts."}
    async with http.post("/v1/whip", params=query, data=offer_sdp(), headers=SDP) as answer:
        assert answer.status == 201
        location = answer.headers["Location"]
    key = SessionKey("demo", location.split("/")[3])
    source = (await store.spec(key)).source
    assert (source.kind, source.name) == (SourceKind.WEBRTC, "Lobby, north")
    assert source.id.startswith("Lobby-north-")
    (watch,) = [given.instruction.text for given in await store.commands(key) if isinstance(given, Instruct)]
    assert watch == "Alert me when a fire starts."
    assert ingestion.probed == []
    assert await is_open(store, key.session)
    for _ in range(2):  # to end it again changes nothing
        async with http.delete(location) as answer:
            assert answer.status == 204
    assert worker.open == {}
    assert worker.asked[0] == Offer(offer_sdp(), brings_session=True)
    assert not await is_open(store, key.session)


async def test_a_session_that_nobody_could_publish_into_is_ended_again(
    http: aiohttp.ClientSession, worker: ScriptedSignalling, store: SessionStore, placement: Placement
) -> None:
    worker.refusal = Refusal.UNSUPPORTED_CODEC
    await refused(http.post("/v1/whip", data=offer_sdp(), headers=SDP), 422, "codec_unsupported")
    (key,) = await store.sessions("demo")
    ended = await store.ended(key)
    assert ended is not None
    assert "unsupported_codec" in ended.reason
    assert (await placement.capacity(Role.INGESTION)).free == 2
    await refused(http.post("/v1/whip", data=offer_sdp("recvonly"), headers=SDP), 422, "no_video")
    assert await store.sessions("demo") == [key]  # a bad offer makes no session at all


async def test_it_waits_until_a_worker_holds_the_session(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    publishing = asyncio.create_task(published(http, f"/v1/sessions/{session}/whip"))
    await asyncio.wait({publishing}, timeout=0.3)
    assert not publishing.done()
    async with ScriptedSignalling().serve(bus) as worker:
        await publishing
    assert worker.asked == [Offer(offer_sdp())]


@pytest.mark.parametrize(
    ("refusal", "status", "kind"),
    [
        (Refusal.WRONG_OFFER, 400, "offer_wrong"),
        (Refusal.NO_VIDEO, 422, "no_video"),
        (Refusal.UNSUPPORTED_CODEC, 422, "codec_unsupported"),
        (Refusal.BUSY, 503, "publishers_full"),
        (Refusal.ALREADY_SENDING, 409, "already_published"),
    ],
)
async def test_what_the_worker_refuses_is_told_in_its_words(
    http: aiohttp.ClientSession, session: str, worker: ScriptedSignalling, refusal: Refusal, status: int, kind: str
) -> None:
    worker.refusal = refusal
    answering = http.post(f"/v1/sessions/{session}/whip", data=offer_sdp(), headers=SDP)
    assert await refused(answering, status, kind) == f"refused as {refusal}"


@pytest.mark.parametrize("deadline_s", [1.0])
async def test_a_worker_that_is_not_there_or_does_not_answer(
    http: aiohttp.ClientSession, session: str, bus: Bus, store: SessionStore
) -> None:
    path = f"/v1/sessions/{session}/whip"
    await refused(http.post(path, data=offer_sdp(), headers=SDP), 503, "not_held")
    await refused(http.delete(f"{path}/r"), 404, "unknown_connection")
    async with ScriptedSignalling().serve(bus) as worker:
        worker.is_silent = True
        await refused(http.post(path, data=offer_sdp(), headers=SDP), 504, "signalling_failed")
        await refused(http.delete(f"{path}/r"), 504, "signalling_failed")
        await refused(http.post("/v1/whip", data=offer_sdp(), headers=SDP), 504, "signalling_failed")
    assert await is_open(store, session)
    assert await store.open_sessions("demo") == 1
    async with http.delete(f"{path}/r?end_session=true") as answer:
        assert answer.status == 204
    assert not await is_open(store, session)


@pytest.mark.usefixtures("worker")
async def test_what_is_wrong_with_the_request_is_told(http: aiohttp.ClientSession, session: str) -> None:
    path = f"/v1/sessions/{session}/whip"
    for door in (path, "/v1/whip"):
        await refused(http.post(door, json={"sdp": offer_sdp()}), 415, "media_type_wrong")
        await refused(http.post(door, data=offer_sdp().encode()), 415, "media_type_wrong")
        await refused(http.post(door, data="hello", headers=SDP), 400, "offer_wrong")
        await refused(http.post(door, data=offer_sdp(media="audio"), headers=SDP), 422, "no_video")
        await refused(http.post(door, data=offer_sdp() + "a" * LONGEST_SDP, headers=SDP), 413, "sdp_too_large")
        await refused(http.post(door, data="a" * 300_000, headers=SDP), 413, "body_too_large")
    location, etag = await published(http, path)
    whole = {**TRICKLE, "If-Match": etag}
    await refused(http.patch(location, data=FRAGMENT, headers={**SDP, "If-Match": etag}), 415, "media_type_wrong")
    await refused(http.patch(location, data="a=mid:0", headers=whole), 400, "fragment_wrong")
    await refused(http.patch(location, data=FRAGMENT, headers=TRICKLE), 428, "if_match_missing")
    await refused(http.patch(location, data=FRAGMENT, headers={**TRICKLE, "If-Match": '"x"'}), 412, "if_match_failed")
    await refused(
        http.patch(location, data=FRAGMENT, headers={**TRICKLE, "If-Match": "*"}), 422, "ice_restart_unsupported"
    )
    other = location.rpartition("/")[0] + "/r9"
    await refused(http.patch(other, data=FRAGMENT, headers={**TRICKLE, "If-Match": '"r9"'}), 404, "unknown_connection")
    await refused(http.put(path, data=offer_sdp(), headers=SDP), 405, "method_not_allowed")


@pytest.mark.usefixtures("worker")
async def test_only_an_open_session_of_the_kind_webrtc_is_published_into(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, session: str
) -> None:
    path = f"/v1/sessions/{session}/whip"
    await refused(rival.post(path, data=offer_sdp(), headers=SDP), 404, "unknown_session")
    async with http.post("/v1/sessions", json={"source": {"kind": "pushed"}}) as answer:
        pushed = (await answer.json())["id"]
    detail = await refused(http.post(f"/v1/sessions/{pushed}/whip", data=offer_sdp(), headers=SDP), 409, "not_webrtc")
    assert "pushed" in detail
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 204
    await refused(http.post(path, data=offer_sdp(), headers=SDP), 409, "session_ended")


async def test_a_full_deployment_says_when_to_come_again(
    http: aiohttp.ClientSession, worker: ScriptedSignalling
) -> None:
    for _ in range(2):
        await published(http, "/v1/whip")
    await refused(http.post("/v1/whip", data=offer_sdp(), headers=SDP), 503, "capacity_full")
    assert len(worker.open) == 2


async def test_without_ingestion_no_session_can_be_published(http: aiohttp.ClientSession, placement: Placement) -> None:
    for role in (Role.CODEC, Role.INTERACTION):
        await placement.heartbeat(role, f"{role}-1", 2)
    detail = await refused(http.post("/v1/whip", data=offer_sdp(), headers=SDP), 503, "no_worker")
    assert "ingestion" in detail
    async with http.get("/v1/health") as answer:
        assert (await answer.json())["sources"]["webrtc"] is False


async def test_a_webrtc_session_needs_no_probe(
    http: aiohttp.ClientSession, session: str, ingestion: ScriptedIngestion
) -> None:
    await ingestion.stop()
    async with http.get("/v1/health") as answer:
        sources = (await answer.json())["sources"]
    assert (sources["webrtc"], sources["rtsp"]) == (True, False)


async def test_who_may_publish(front: str, nobody: aiohttp.ClientSession, session: str) -> None:
    path = f"/v1/sessions/{session}/whip"
    for door in (path, "/v1/whip"):
        await refused(nobody.post(door, data=offer_sdp(), headers=SDP), 401, "key_missing")
        wrong = {**SDP, "Authorization": "Bearer wrong"}
        await refused(nobody.post(door, data=offer_sdp(), headers=wrong), 401, "key_wrong")
        await refused(nobody.options(door), 401, "key_missing")
    async with aiohttp.ClientSession(front, headers={"Authorization": f"Bearer {VIEWER}"}) as viewer:
        for door in (path, "/v1/whip"):
            await refused(viewer.post(door, data=offer_sdp(), headers=SDP), 403, "role_too_low")
            async with viewer.options(door) as answer:  # the credentials are for those who may publish
                assert (answer.status, "Link" in answer.headers) == (200, False)
        await refused(viewer.delete(f"{path}/r"), 403, "role_too_low")


async def test_a_client_may_ask_what_can_be_sent(http: aiohttp.ClientSession, session: str) -> None:
    for door in (f"/v1/sessions/{session}/whip", "/v1/whip"):
        async with http.options(door) as answer:
            assert (answer.status, answer.headers["Accept-Post"]) == (200, "application/sdp")
            assert len(answer.headers.getall("Link")) == 2
        for method in ("GET", "HEAD"):
            async with http.request(method, door) as answer:
                assert (answer.status, await answer.read()) == (204, b"")
    async with http.options(f"/v1/sessions/{session}/whip/r") as answer:
        assert (answer.status, answer.headers["Accept-Patch"]) == (200, "application/trickle-ice-sdpfrag")
        assert "PATCH" in answer.headers["Allow"]


@pytest.mark.usefixtures("worker")
async def test_only_the_pages_that_the_operator_names_publish_from_elsewhere(
    http: aiohttp.ClientSession, nobody: aiohttp.ClientSession
) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    async with nobody.options("/v1/whip", headers={**asking, "Origin": "https://studio.example"}) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://studio.example"
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()
        assert "Link" not in answer.headers
    async with nobody.options("/v1/whip", headers={**asking, "Origin": "https://other.example"}) as answer:
        assert (answer.status, "Access-Control-Allow-Origin" in answer.headers) == (400, False)
    async with nobody.options("/v1/sessions", headers={**asking, "Origin": "https://studio.example"}) as answer:
        assert (answer.status, "Access-Control-Allow-Origin" in answer.headers) == (401, False)
    from_elsewhere = {**SDP, "Origin": "https://studio.example"}
    async with http.post("/v1/whip", data=offer_sdp(), headers=from_elsewhere) as answer:
        assert answer.status == 201
        assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    async with nobody.post("/v1/whip", data=offer_sdp(), headers=from_elsewhere) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "https://studio.example")
