import json
import re
from dataclasses import replace

import aiohttp
import msgspec
import pytest
from nats.aio.client import Client
from redis.asyncio import Redis

from vigil.contract.events.envelope import decode_event
from vigil.core.command import Instruct
from vigil.core.duplicate import DuplicateGuard
from vigil.core.ids import SessionKey
from vigil.core.instruction import Severity
from vigil.core.session import Cadence, ResponseMode, Speech, Window
from vigil.core.source import Role
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.keys import Part, part_key
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer

SECRET_URL = "rtsp://user:secret@camera.local/stream1"


async def lifecycle_events(server: NatsServer) -> list[tuple[str, str]]:
    """(type, reason) of every stored event of sessions, oldest first."""
    connection = Client()
    await connection.connect(server.url)
    try:
        js = connection.jetstream()
        total = (await js.stream_info("SESSIONS")).state.messages
        stored = [await js.get_msg("SESSIONS", seq=number) for number in range(1, total + 1)]
        events = [decode_event(message.data or b"") for message in stored]
        return [(event.type, event.data["reason"]) for event in events]
    finally:
        await connection.close()


@pytest.mark.usefixtures("workers")
async def test_a_session_is_stored_placed_and_announced(
    http: aiohttp.ClientSession,
    store: SessionStore,
    placement: Placement,
    ingestion: ScriptedIngestion,
    nats_server: NatsServer,
) -> None:
    body = {
        "source": {"url": SECRET_URL, "name": "Lobby", "loop": True},
        "cadence": {"interval_ms": 500, "frames_per_turn": 2},
        "window": {"chunk_turns": 5, "tail_turns": 4},
        "speech": {"response_mode": "reserved", "duplicate_guard": "near", "text_temperature": 0.7},
        "infer_when_idle": False,
        "watches": [{"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical", "hold_s": 3}],
        "instructions": ["Greet everyone."],
    }
    async with http.post("/v1/sessions", json=body) as answer:
        created = await answer.json()
        assert answer.status == 201
        assert answer.headers["Location"] == f"/v1/sessions/{created['id']}"
    assert re.fullmatch(r"s-[0-9a-f]{16,}", created["id"])
    assert created["state"] == "open"
    assert created["source"]["url"] == "rtsp://***@camera.local/stream1"
    assert re.fullmatch(r"cam-[0-9a-f]{8}", created["source"]["id"])
    assert created["subjects"]["alerts"] == f"vigil.v1.alert.demo.{created['source']['id']}.*"
    assert (created["profile"], created["model"]) == ("vigil-small", "vigil-small")

    key = SessionKey("demo", created["id"])
    spec = await store.spec(key)
    assert spec.source.url == SECRET_URL
    assert spec.cadence == Cadence(500, 2)
    assert spec.speech == Speech(ResponseMode.RESERVED, DuplicateGuard.NEAR, 0.7)
    assert not spec.infer_when_idle
    assert {name: created[name] for name in ("cadence", "window", "speech", "infer_when_idle")} == {
        name: body[name] for name in ("cadence", "window", "speech", "infer_when_idle")
    }
    assert (spec.source.loop, spec.source.name) == (True, "Lobby")
    assert spec.window == Window(5, 4)
    watch, greeting = [given.instruction for given in await store.commands(key) if isinstance(given, Instruct)]
    assert watch.watch is not None
    assert (watch.watch.name, watch.watch.severity, watch.watch.hold_s) == ("fire", Severity.CRITICAL, 3.0)
    assert greeting.text == "Greet everyone."
    assert [claim.key for claim in await placement.claim(Role.INTERACTION, "w", 5)] == [key]
    assert ingestion.probed == [SECRET_URL]
    assert await lifecycle_events(nats_server) == [("vigil.session.requested", "")]


async def test_a_session_is_listed_shown_and_changed(
    http: aiohttp.ClientSession,
    session: str,
    store: SessionStore,
    placement: Placement,
    nats_server: NatsServer,
) -> None:
    key = SessionKey("demo", session)
    await store.set_status(key, "ingestion", '{"state": "watching"}')
    await placement.claim(Role.INGESTION, "ingestion-1", 1)
    async with http.get("/v1/sessions") as answer:
        listed = (await answer.json())["sessions"]
    assert [shown["id"] for shown in listed] == [session]
    change = {"cadence": {"interval_ms": 2000}, "infer_when_idle": False, "speech": {"text_temperature": 0.5}}
    async with http.patch(f"/v1/sessions/{session}", json=change) as answer:
        assert answer.status == 200
    async with http.get(f"/v1/sessions/{session}") as answer:
        shown = await answer.json()
    assert shown["cadence"] == {"interval_ms": 2000, "frames_per_turn": 1}
    assert shown["window"] == {"chunk_turns": 100, "tail_turns": 9}
    assert shown["speech"] == {"response_mode": "balanced", "duplicate_guard": "exact", "text_temperature": 0.5}
    assert shown["infer_when_idle"] is False
    assert shown["status"] == {"ingestion": {"state": "watching"}}
    assert shown["workers"] == {"ingestion": "ingestion-1"}
    assert shown["progress"] == {
        "turns": 0,
        "time_s": None,
        "turns_in_chunk": 0,
        "malformed_total": 0,
        "alerts_open": 0,
    }
    assert "secret" not in json.dumps([listed, shown])
    assert [kind for kind, _ in await lifecycle_events(nats_server)] == [
        "vigil.session.requested",
        "vigil.session.changed",
    ]


async def test_a_session_that_cannot_be_read_hides_no_other(
    http: aiohttp.ClientSession, session: str, store: SessionStore, redis: Redis
) -> None:
    other = SessionKey("demo", "s-older")
    await store.create(replace(await store.spec(SessionKey("demo", session)), session=other.session))
    await redis.set(part_key(other, Part.SPEC), '{"tenant": "demo", "session": "s-older", "source_id": "lobby"}')
    async with http.get("/v1/sessions") as answer:
        listed = (await answer.json())["sessions"]
    assert [shown["id"] for shown in listed] == [session]


async def test_a_session_that_cannot_be_read_is_ended_and_gives_its_place_back(
    http: aiohttp.ClientSession, session: str, placement: Placement, redis: Redis
) -> None:
    key = SessionKey("demo", session)
    await redis.set(part_key(key, Part.SPEC), '{"tenant": "demo"}')
    async with http.get(f"/v1/sessions/{session}") as answer:
        problem = await answer.json()
    assert (answer.status, problem["type"]) == (500, "urn:vigil:problem:session_unreadable")
    assert problem["next_step"] == "End the session and create a new one."
    for _ in range(2):
        async with http.delete(f"/v1/sessions/{session}") as answer:
            assert answer.status == 204
    assert [(await placement.capacity(role)).open_sessions for role in Role] == [0] * len(Role)


async def test_a_session_of_a_newer_release_is_another_replicas_and_can_be_ended(
    http: aiohttp.ClientSession, session: str, placement: Placement, redis: Redis
) -> None:
    await redis.set(part_key(SessionKey("demo", session), Part.SPEC), '{"form": 99, "tenant": "demo"}')
    async with http.get(f"/v1/sessions/{session}") as answer:
        problem = await answer.json()
    assert (answer.status, problem["type"]) == (503, "urn:vigil:problem:session_newer")
    assert "stored in a newer form" in problem["detail"]
    for _ in range(2):
        async with http.delete(f"/v1/sessions/{session}") as answer:
            assert answer.status == 204
    assert [(await placement.capacity(role)).open_sessions for role in Role] == [0] * len(Role)


async def test_ending_a_session_twice_tells_it_once(
    http: aiohttp.ClientSession, session: str, placement: Placement, nats_server: NatsServer
) -> None:
    for _ in range(2):
        async with http.delete(f"/v1/sessions/{session}") as answer:
            assert answer.status == 204
    async with http.get(f"/v1/sessions/{session}") as answer:
        shown = await answer.json()
    assert (shown["state"], shown["ended_reason"]) == ("ended", "the client ended it")
    assert await placement.claim(Role.INGESTION, "w", 5) == []
    assert [kind for kind, _ in await lifecycle_events(nats_server)] == [
        "vigil.session.requested",
        "vigil.session.ended",
    ]


@pytest.mark.usefixtures("workers")
async def test_a_session_that_cannot_be_announced_is_ended_again(
    http: aiohttp.ClientSession, store: SessionStore, placement: Placement, nats_server: NatsServer
) -> None:
    connection = Client()
    await connection.connect(nats_server.url)
    js = connection.jetstream()
    await js.delete_stream("SESSIONS")
    await js.add_stream(name="REFUSING", subjects=["vigil.v1.session.>"], max_msg_size=1)
    await connection.close()
    async with http.post("/v1/sessions", json={"source": {"url": SECRET_URL}}) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        assert (await answer.json())["type"] == "urn:vigil:problem:bus_unavailable"
    (key,) = await store.sessions("demo")
    ended = await store.ended(key)
    assert ended is not None
    assert ended.reason == "it could not be started"
    assert await placement.claim(Role.INGESTION, "w", 5) == []


async def test_a_camera_named_by_the_client_keeps_its_name(http: aiohttp.ClientSession, session: str) -> None:
    async with http.get(f"/v1/sessions/{session}") as answer:
        shown = msgspec.json.decode(await answer.read())
    assert shown["source"]["id"] == "lobby"
    assert shown["subjects"] == {
        "alerts": "vigil.v1.alert.demo.lobby.*",
        "utterances": f"vigil.v1.utterance.demo.{session}",
        "delegations": f"vigil.v1.delegation.*.demo.{session}",
        "approvals": f"vigil.v1.approval.*.demo.{session}",
        "lifecycle": f"vigil.v1.session.*.demo.{session}",
        "transcripts": f"vigil.v1.transcript.final.demo.{session}",
        "speech": f"vigil.v1.speech.*.demo.{session}",
    }
