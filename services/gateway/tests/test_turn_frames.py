"""The pictures that the model saw, and the prompts that it was asked: whole, cached rightly, and only for who may."""

import json
from pathlib import Path

import aiohttp
import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.core.ids import SessionKey
from vigil.core.message import Text
from vigil.core.session import Chunk, SessionState
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.images import jpeg
from vigil_gateway.turns.frames import is_known

RED, GREY = jpeg((230, 30, 20)), jpeg((90, 90, 90))
PREFIX = (Text("[User Query] Alert me when a fire starts.\n"),)
NONE_MATCH = "If-None-Match"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """Keys of two tenants, and a viewer's."""
    path = tmp_path / "keys.json"
    keys = [ApiKey(digest_of(f"a-key-of-{tenant}"), tenant) for tenant in ("demo", "rival")]
    path.write_bytes(encode_keys([*keys, ApiKey(digest_of("a-key-of-viewer"), "demo", KeyRole.VIEWER)]))
    return path


def turn(sequence: int, reply: str = "</silence>", queries: tuple[str, ...] = ()) -> Turn:
    return Turn(sequence, sequence * 1_000, (FrameRef(f"life-{sequence}", 160, 96),), reply, queries)


@pytest.fixture
async def watched(session: str, store: SessionStore) -> str:
    """A session in its second chunk: turn 2 was carried into it, turns 3 and 4 were asked in it."""
    key, turns = SessionKey("demo", session), (turn(2), turn(3, queries=("Why?",)), turn(4, "</response> Fire!"))
    await store.take(key, 1)
    chunk = Chunk(1, PREFIX, turns, began_at=3)
    frames = (("life-2", GREY), ("life-3", GREY), ("life-4", RED))
    await store.commit(key, 1, Commit(SessionState(5, 4_000, chunk), restart=True, frames=frames))
    return session


async def test_a_frame_is_the_picture_that_the_model_saw(http: aiohttp.ClientSession, watched: str) -> None:
    for turn_, sequence in (("4", 4), ("newest", 4), ("2", 2)):
        async with http.get(f"/v1/sessions/{watched}/turns/{turn_}/frames/0") as answer:
            assert (answer.status, await answer.read()) == (200, RED if sequence == 4 else GREY)
        assert (answer.content_type, answer.headers["Vigil-Turn"]) == ("image/jpeg", str(sequence))
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_picture_that_the_client_has_is_not_sent_again(http: aiohttp.ClientSession, watched: str) -> None:
    path = f"/v1/sessions/{watched}/turns/newest/frames/0"
    async with http.get(path) as answer:
        tag = answer.headers["ETag"]
    assert not tag.startswith("W/")
    async with http.get(path, headers={NONE_MATCH: f'"other", {tag}'}) as answer:
        assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
    async with http.get(path, headers={NONE_MATCH: '"other"'}) as answer:
        assert answer.status == 200
    async with http.get(f"/v1/sessions/{watched}/turns/3/frames/0", headers={NONE_MATCH: tag}) as answer:
        assert (answer.status, answer.headers["ETag"] != tag) == (200, True)


@pytest.mark.parametrize(
    ("given", "known"),
    [(None, False), ("", False), ('"a"', True), ('W/"a"', True), ("*", True), ('"b","a"', True), ('"b"', False)],
)
def test_which_tags_name_a_picture(given: str | None, known: bool) -> None:
    assert is_known('"a"', given) is known


@pytest.mark.parametrize("where", ["0/frames/0", "1/frames/0", "5/frames/0", "4/frames/1", "newest/frames/7"])
async def test_a_picture_that_is_gone_is_told(http: aiohttp.ClientSession, watched: str, where: str) -> None:
    async with http.get(f"/v1/sessions/{watched}/turns/{where}") as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:frame_gone")


async def test_pictures_go_with_the_session(http: aiohttp.ClientSession, watched: str) -> None:
    await http.delete(f"/v1/sessions/{watched}")
    async with http.get(f"/v1/sessions/{watched}/turns/newest/frames/0") as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:frame_gone")


@pytest.mark.parametrize(
    "where", ["x/frames/0", "-1/frames/0", "4/frames/8", "4/frames/x", "x/prompt", "newest/prompt"]
)
async def test_what_names_no_turn_is_refused(http: aiohttp.ClientSession, watched: str, where: str) -> None:
    async with http.get(f"/v1/sessions/{watched}/turns/{where}") as answer:
        assert (answer.status, (await answer.json())["type"]) == (422, "urn:vigil:problem:invalid_request")


async def test_a_prompt_is_shown_part_by_part_with_its_pictures_and_its_reply(
    http: aiohttp.ClientSession, watched: str
) -> None:
    async with http.get(f"/v1/sessions/{watched}/turns/4/prompt") as answer:
        shown = await answer.json()
        assert answer.status == 200, shown
    assert (shown["sequence"], shown["chunk"], shown["reply"]) == (4, 1, "</response> Fire!")
    system, *rest = shown["messages"]
    assert system["role"] == "system"
    assert [message["role"] for message in rest] == ["user", "assistant", "user", "assistant", "user"]
    carried, _, asked, _, new = (message["parts"] for message in rest)
    assert carried[0] == {"type": "text", "text": f"{PREFIX[0].text}<2.0 seconds>\n"}
    assert asked[0] == {"type": "text", "text": "Why?\n<3.0 seconds>\n"}
    image = {"type": "image", "uuid": "life-4", "width": 160, "height": 96}
    assert new[-1] == image | {"path": f"/v1/sessions/{watched}/turns/4/frames/0"}
    async with http.get(new[-1]["path"]) as answer:
        assert await answer.read() == RED
    assert "secret" not in json.dumps(shown)


@pytest.mark.parametrize("sequence", [0, 2, 5])
async def test_the_prompt_of_a_turn_that_was_not_asked_in_this_chunk_is_gone(
    http: aiohttp.ClientSession, watched: str, sequence: int
) -> None:
    async with http.get(f"/v1/sessions/{watched}/turns/{sequence}/prompt") as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:turn_gone")


async def test_a_viewer_sees_pictures_and_no_prompt(viewer: aiohttp.ClientSession, watched: str) -> None:
    async with viewer.get(f"/v1/sessions/{watched}/turns/4/frames/0") as answer:
        assert answer.status == 200
    async with viewer.get(f"/v1/sessions/{watched}/turns/4/prompt") as answer:
        assert (answer.status, (await answer.json())["type"]) == (403, "urn:vigil:problem:role_too_low")


@pytest.mark.parametrize("where", ["4/frames/0", "newest/frames/0", "4/prompt"])
async def test_another_tenants_pictures_and_prompts_are_not_there(
    rival: aiohttp.ClientSession, nobody: aiohttp.ClientSession, watched: str, where: str
) -> None:
    path = f"/v1/sessions/{watched}/turns/{where}"
    async with rival.get(path) as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:unknown_session")
    async with nobody.get(path) as answer:
        assert answer.status == 401
