"""What a session remembers, over REST: its tiers, its archive and pictures, and what a memory service recalls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import nats
import pytest
from nats.aio.msg import Msg

from vigil.contract import subjects
from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, Memory, MemoryLimits, Unwritten, block_id, tokens
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange, FrameRef, Turn
from vigil.runtime.store.memory_archive import Archive, ArchivedBlock
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.handled import handled
from vigil.testing.servers import NatsServer
from vigil.v1 import memory_pb2 as pb
from vigil_gateway.memory.views import archive_page, memory_out, place_of

Json = dict[str, Any]
ORIGIN_US = 1_700_000_000_000_000
FRAME = FrameRef("m-1", 160, 96)
TURN = Turn(7, 700_000, (FrameRef("f-7", 160, 96),), "</silence>")


def block(level: int, from_s: int, to_s: int, text: str) -> Block:
    """A block, its times in seconds."""
    from_ms, to_ms = from_s * 1_000, to_s * 1_000
    return Block(block_id(from_ms, to_ms, level), level, from_ms, to_ms, text)


MERGED, WRITTEN = block(1, 0, 500, "A quiet gate."), block(0, 500, 600, "A red van came.\n红色的车。")
NOTICED = ("faces (face) at 512.0 seconds: Anna is at the door",)
LATE = Unwritten(600_000, 700_000, (FRAME,), (650_000,), asked=2)
MEMORY = Memory((MERGED, WRITTEN), (LATE,))
STATE = SessionState(8, 700_000, Chunk(turns=(TURN,)), memory=MEMORY)
ANSWERED = Exchange("Who came?", 610_000, "A courier.", 612_000)


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """Keys of two tenants, and a viewer's."""
    path = tmp_path / "keys.json"
    keys = [ApiKey(digest_of(f"a-key-of-{tenant}"), tenant) for tenant in ("demo", "rival")]
    path.write_bytes(encode_keys([*keys, ApiKey(digest_of("a-key-of-viewer"), "demo", KeyRole.VIEWER)]))
    return path


async def remembering(store: SessionStore, session: str) -> None:
    """What an interaction worker leaves of a session that has begun its third chunk."""
    key = SessionKey("demo", session)
    await store.take(key, 1)
    await store.set_origin(key, ORIGIN_US)
    commit = Commit(
        STATE,
        restart=True,
        frames=(("f-7", b"of the chunk"), ("m-1", b"of the span")),
        archived=(ArchivedBlock(WRITTEN, (KeyFrame("m-1", 650_000),), NOTICED), ANSWERED),
        key_frames=(KeyFrame("m-1", 650_000),),
    )
    await store.commit(key, 1, commit)


@asynccontextmanager
async def answering(server: NatsServer, key: SessionKey, answer: bytes) -> AsyncIterator[list[pb.RecallRequest]]:
    """A memory service that answers every question alike; what it was asked."""
    asked: list[pb.RecallRequest] = []
    client = await nats.connect(server.url)

    async def tell(message: Msg) -> None:
        asked.append(pb.RecallRequest.FromString(message.data))
        await message.respond(answer)

    try:
        await client.subscribe(subjects.memory_recall(key), queue="memory", cb=tell)
        await handled(client)
        yield asked
    finally:
        await client.close()


async def get(http: aiohttp.ClientSession, path: str) -> Json:
    """The answer to a GET that is served."""
    async with http.get(path) as answer:
        found: Json = await answer.json()
        assert answer.status == 200, found
        return found


async def test_tiers_archive_and_pictures_are_read(
    viewer: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    path = f"/v1/sessions/{session}/memory"
    empty = await get(viewer, path)
    assert (empty["blocks"], empty["turns"], empty["began_at"], empty["turns_from_s"]) == ([], 0, None, None)
    await remembering(store, session)
    shown = await get(viewer, path)
    assert shown["began_at"] == "2023-11-14T22:13:20Z"
    assert [(found["id"], found["tokens"]) for found in shown["blocks"]] == [
        ("0-500000-1", tokens(MERGED.text)),
        ("500000-600000-0", tokens(WRITTEN.text)),
    ]
    frame = {"id": "m-1", "time_s": 650.0, "path": f"{path}/frames/m-1"}
    assert shown["unwritten"] == [{"from_s": 600.0, "to_s": 700.0, "asked": 2, "frames": [frame]}]
    page = await get(viewer, f"{path}/archive?limit=1")
    assert [(entry["kind"], entry["question"], entry["text"]) for entry in page["entries"]] == [
        ("exchange", "Who came?", "A courier.")
    ]
    earlier = await get(viewer, f"{path}/archive?before={page['next']}")
    assert [(entry["id"], entry["observed"]) for entry in earlier["entries"]] == [(WRITTEN.id, list(NOTICED))]
    assert earlier["next"] is None
    for frame_id in ("m-1", "f-7"):
        async with viewer.get(f"{path}/frames/{frame_id}") as picture:
            assert (picture.status, picture.content_type) == (200, "image/jpeg")
            assert (await picture.read()).startswith(b"of the")
    async with viewer.get(f"{path}/frames/m-2") as picture:
        assert (picture.status, (await picture.json())["type"]) == (404, "urn:vigil:problem:frame_gone")


async def test_a_viewer_asks_the_memory_and_other_tenants_cannot(
    viewer: aiohttp.ClientSession,
    rival: aiohttp.ClientSession,
    session: str,
    store: SessionStore,
    nats_server: NatsServer,
) -> None:
    await remembering(store, session)
    key, path = SessionKey("demo", session), f"/v1/sessions/{session}/memory/recall"
    line = pb.RecalledLine(text="A red van came.", from_ms=500_000, to_ms=600_000, kind="block", frame_ids=["m-1"])
    found = pb.RecallResponse(lines=[line], from_ms=480_000, to_ms=620_000)
    async with answering(nats_server, key, found.SerializeToString()) as asked:
        body = {"question": "Which van came at 7:22?", "time_zone": "Asia/Tokyo", "lines": 3}
        async with viewer.post(path, json=body) as answer:
            told = await answer.json()
            assert answer.status == 200, told
        async with rival.post(path, json=body) as answer:
            assert answer.status == 404
    assert told == {
        "session": session,
        "question": "Which van came at 7:22?",
        "from_s": 480.0,
        "to_s": 620.0,
        "lines": [
            {
                "kind": "block",
                "from_s": 500.0,
                "to_s": 600.0,
                "from_at": "2023-11-14T22:21:40Z",
                "to_at": "2023-11-14T22:23:20Z",
                "text": "A red van came.",
                "frames": [{"id": "m-1", "time_s": None, "path": f"/v1/sessions/{session}/memory/frames/m-1"}],
            }
        ],
    }
    (request,) = asked
    assert (request.tenant, request.session, request.question) == ("demo", session, body["question"])
    assert (request.time_ms, request.origin_us, request.time_zone, request.max_lines) == (
        700_000,
        ORIGIN_US,
        "Asia/Tokyo",
        3,
    )


async def test_without_an_answer_it_is_said_so(
    http: aiohttp.ClientSession, session: str, store: SessionStore, nats_server: NatsServer
) -> None:
    await remembering(store, session)
    path, asking = f"/v1/sessions/{session}/memory/recall", {"question": "Who came?"}
    async with http.post(path, json=asking) as answer:
        told = await answer.json()
        assert (answer.status, told["type"]) == (503, "urn:vigil:problem:memory_unavailable")
        assert "no memory service listens" in told["detail"]
        assert "archive" in told["next_step"]
    async with answering(nats_server, SessionKey("demo", session), b"\xff\xff"), http.post(path, json=asking) as answer:
        assert (answer.status, "cannot be read" in (await answer.json())["detail"]) == (503, True)


async def test_what_an_ended_session_remembered_is_asked_no_more(
    http: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    await remembering(store, session)
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 204
    async with http.post(f"/v1/sessions/{session}/memory/recall", json={"question": "Who?"}) as answer:
        assert (answer.status, (await answer.json())["type"]) == (409, "urn:vigil:problem:session_ended")
    async with http.get(f"/v1/sessions/{session}/memory/frames/m-1") as answer:
        assert answer.status == 404


async def test_a_session_is_opened_with_limits_of_its_memory(
    http: aiohttp.ClientSession, workers: None, store: SessionStore
) -> None:
    memory = {"mid_blocks": 4, "key_frames": 2, "time_zone": "Europe/Berlin"}
    body = {"source": {"url": "rtsp://camera.local/1"}, "memory": memory}
    async with http.post("/v1/sessions", json=body) as answer:
        created = await answer.json()
        assert answer.status == 201, created
    wanted = MemoryLimits(mid_blocks=4, key_frames=2, time_zone="Europe/Berlin")
    assert (await store.spec(SessionKey("demo", created["id"]))).memory == wanted
    assert created["memory"]["long_tokens"] == wanted.long_tokens
    too_small = body | {"memory": {"long_tokens": 300}}
    async with http.post("/v1/sessions", json=too_small) as answer:
        told = await answer.json()
        assert (answer.status, "memory.block_tokens" in told["detail"]) == (422, True)


@pytest.mark.parametrize("zone", ["Mars/Base", "Europe", "../etc/passwd"])
async def test_what_is_no_time_zone_is_refused(
    http: aiohttp.ClientSession, session: str, workers: None, zone: str
) -> None:
    new = {"source": {"url": "rtsp://camera.local/1"}, "memory": {"time_zone": zone}}
    asked = {"question": "What happened at 14:00?", "time_zone": zone}
    for path, body in (("/v1/sessions", new), (f"/v1/sessions/{session}/memory/recall", asked)):
        async with http.post(path, json=body) as answer:
            told = await answer.json()
            assert (answer.status, "time_zone" in str(told)) == (422, True), told


def test_the_tiers_say_how_full_they_are() -> None:
    spec = SessionSpec("demo", "s-1", Source("lobby", SourceKind.PUSHED), "vigil-small", "vigil-small")
    shown = memory_out(spec, STATE, 0)
    assert (shown.tiers.mid.blocks, shown.tiers.long.blocks) == (1, 1)
    assert shown.tiers.long.tokens == tokens(MERGED.text)
    assert (shown.tiers.mid.limit_blocks, shown.tiers.long.limit_tokens) == (10, 3_000)
    assert (shown.began_at, shown.turns_from_s, shown.time_s) == (None, 700.0, 700.0)


def test_pages_of_an_archive_leave_nothing_out_and_nothing_twice() -> None:
    blocks = tuple(ArchivedBlock(block(0, second, second + 1, f"Second {second}.")) for second in range(0, 120, 2))
    exchanges = tuple(Exchange(f"At {second}?", second * 1_000, "Yes.", second * 1_000) for second in range(0, 120, 3))
    archive = Archive(blocks, exchanges)
    found, before = [], ""
    while True:
        page = archive_page("s-1", archive, before, 7)
        found += page.entries
        if page.next is None:
            break
        before = page.next
    assert len({entry.id for entry in found}) == len(found) == 100
    places = [place_of(entry.id) for entry in found]
    assert places == sorted(places, reverse=True)
    assert max(entry.from_s for entry in found) == found[0].from_s


def test_a_picture_that_has_made_way_is_not_named() -> None:
    kept = KeyFrame("m-2", 2_000)
    archive = Archive((ArchivedBlock(WRITTEN, (KeyFrame("m-1", 1_000), kept)),), (), (kept,))
    (entry,) = archive_page("s-1", archive, "", 10).entries
    assert [frame.id for frame in entry.frames] == ["m-2"]
