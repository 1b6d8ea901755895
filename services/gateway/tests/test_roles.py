"""Sessions need the workers of their own roles and no others: each deployment takes what its workers can do."""

import base64
from dataclasses import replace

import aiohttp
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.ids import SessionKey
from vigil.core.source import Role, SourceKind, has_address, roles_of
from vigil.runtime.placement.leases import Capacity, Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.images import jpeg
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil_gateway.sessions.capacity import sources_taken

ROOM = Capacity(workers=1, capacity=2, open_sessions=1)
FULL = replace(ROOM, open_sessions=2)
NOBODY = Capacity(workers=0, capacity=0, open_sessions=0)
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg()).decode()}"}}
TURN = {"model": "vigil-small", "messages": [{"role": "user", "content": [PICTURE]}]}


async def open_roles(placement: Placement) -> set[Role]:
    """The roles that may claim the only session there is."""
    return {role for role in Role if (await placement.capacity(role)).open_sessions}


@given(st.dictionaries(st.sampled_from(Role), st.sampled_from([ROOM, FULL, NOBODY])), st.booleans())
def test_a_kind_of_source_is_taken_when_all_roles_that_it_needs_have_room(
    found: dict[Role, Capacity], can_check: bool
) -> None:
    taken = sources_taken(found, can_check=can_check)
    assert set(taken) == set(SourceKind)
    for kind, is_taken in taken.items():
        has_room = all(found.get(role) is ROOM for role in roles_of(kind))
        assert is_taken == (has_room and (can_check or not has_address(kind)))


async def test_without_an_ingestion_worker_pushed_sessions_are_taken_and_cameras_refused(
    http: aiohttp.ClientSession, ingestion: ScriptedIngestion, placement: Placement, store: SessionStore
) -> None:
    await ingestion.stop()
    for role in roles_of(SourceKind.PUSHED):
        await placement.heartbeat(role, f"{role}-1", 2)
    async with http.post("/v1/sessions", json={"source": {"url": "rtsp://camera.local/1"}}) as answer:
        refusal = await answer.json()
        assert (answer.status, refusal["type"]) == (503, "urn:vigil:problem:no_worker")
        assert "ingestion" in refusal["detail"]
    async with http.post("/v1/chat/completions", json=TURN, headers={"x-session-id": "kitchen"}) as answer:
        assert answer.status == 504  # begun, and nobody decides in this test
    assert await store.sessions("demo") == [SessionKey("demo", "kitchen")]
    assert await open_roles(placement) == {Role.CODEC, Role.INTERACTION}
    (claim,) = await placement.claim(Role.CODEC, "codec-1", 1)
    assert claim.key.session == "kitchen"
    async with http.get("/v1/sessions/kitchen") as answer:
        assert (await answer.json())["workers"] == {"codec": "codec-1"}
    async with http.delete("/v1/sessions/kitchen") as answer:
        assert answer.status == 204
    assert await open_roles(placement) == {Role.INTERACTION}


async def test_a_camera_needs_the_workers_of_its_roles_and_no_others(
    http: aiohttp.ClientSession, placement: Placement
) -> None:
    for role in roles_of(SourceKind.RTSP):
        await placement.heartbeat(role, f"{role}-1", 2)
    async with http.post("/v1/sessions", json={"source": {"url": "rtsp://camera.local/1"}}) as answer:
        assert answer.status == 201, await answer.text()
    assert await open_roles(placement) == set(roles_of(SourceKind.RTSP))


async def test_a_session_that_hears_or_speaks_needs_workers_for_that(
    http: aiohttp.ClientSession, placement: Placement
) -> None:
    for role in roles_of(SourceKind.RTSP):
        await placement.heartbeat(role, f"{role}-1", 2)
    body = {"source": {"url": "rtsp://camera.local/1"}, "hearing": {"is_on": True}, "voice": {"is_on": True}}
    async with http.post("/v1/sessions", json=body) as answer:
        refusal = await answer.json()
        assert (answer.status, refusal["type"]) == (503, "urn:vigil:problem:no_worker")
        assert "asr, tts" in refusal["detail"]
    assert await open_roles(placement) == set()
    for role in (Role.ASR, Role.TTS):
        await placement.heartbeat(role, f"{role}-1", 2)
    async with http.post("/v1/sessions", json=body) as answer:
        created = await answer.json()
        assert answer.status == 201, created
    assert await open_roles(placement) == set(Role)
    async with http.delete(f"/v1/sessions/{created['id']}") as answer:
        assert answer.status == 204
    assert await open_roles(placement) == {Role.INTERACTION}, "its alerts are closed first"
