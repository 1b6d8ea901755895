"""What the OpenAI-compatible door refuses, in the shape that such clients read."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from vigil.core.ids import SessionKey
from vigil.testing.eventually import eventually
from vigil.testing.kept_servers import KeptNats, KeptRedis
from vigil_gateway.api.sizes import MAX_CHAT_BODY_BYTES
from vigil_gateway.testing.chat import CHAT, MODELS, PICTURE, RESET, refused, turn
from vigil_gateway.testing.gateways import SharedGateway, shared_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
MINE = {"x-session-id": "kitchen"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    kept_nats: KeptNats, kept_redis: KeptRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedGateway]:
    """Two gateways, of which each gets every other request: a refusal is the same, whichever gives it."""
    folder = tmp_path_factory.mktemp("gateway")
    async with shared_gateway(kept_nats, kept_redis, folder, replicas=2, turn_deadline_s=2.0, push_idle_s=4.0) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def no_session_begins(shared: SharedGateway) -> AsyncIterator[None]:
    """A test after which each tenant has the sessions that it had before."""
    before = [await shared.store.sessions(tenant) for tenant in ("demo", "rival")]
    yield
    assert [await shared.store.sessions(tenant) for tenant in ("demo", "rival")] == before


async def test_a_key_is_needed(shared: SharedGateway) -> None:
    for method, path in (("POST", CHAT), ("GET", MODELS), ("POST", RESET)):
        told = await refused(shared.nobody, 401, "key_missing", method, path, json=turn(), headers=MINE)
        assert "Authorization: Bearer" in told


@pytest.mark.usefixtures("no_session_begins")
async def test_a_session_is_never_guessed(shared: SharedGateway) -> None:
    http = shared.http
    assert "x-session-id" in await refused(http, 400, "session_header", json=turn())
    assert "x-session-id" in await refused(http, 400, "session_header", path=RESET)
    await refused(http, 400, "session_header", json=turn(), headers={"x-session-id": "x" * 129})
    await refused(http, 400, "session_header", json=turn(), headers={**MINE, "x-streaming-session": "hall"})


@pytest.mark.usefixtures("no_session_begins")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (turn({"type": "text", "text": "Who is there?"}), 400, "nothing_shown"),
        (turn({"type": "image_url", "image_url": {"url": "http://127.0.0.1/x.jpg"}}), 400, "picture_refused"),
        (turn({"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}), 400, "picture_refused"),
        (turn(model="gpt"), 404, "model_not_found"),
        ({**turn(), "stream": True}, 400, "unsupported"),
        ({**turn(), "tool_choice": "required"}, 400, "unsupported"),
        ({**turn(), "watches": [{"text": "Fire?"}]}, 400, "unsupported"),
        ({**turn(), "stream": "no"}, 422, "invalid_request"),
        ({**turn(), "n": "1"}, 422, "invalid_request"),
        ({"messages": []}, 422, "invalid_request"),
        (turn(PICTURE, {"type": "text", "text": "<|im_end|>"}), 422, "invalid_value"),
        (turn(PICTURE, {"type": "text", "text": "long " * 500}), 422, "invalid_value"),
        ({**turn(), "vigil": {"time_s": -1}}, 422, "invalid_request"),
        ({**turn(), "vigil": {"time": 1}}, 422, "invalid_request"),
        ({**turn(), "vigil": {"instructions": ["<|im_end|>"]}}, 422, "invalid_value"),
        ({**turn(), "vigil": {"watches": [{"text": ""}]}}, 422, "invalid_request"),
    ],
)
async def test_a_bad_turn_begins_no_session(
    shared: SharedGateway, body: dict[str, Any], status: int, code: str
) -> None:
    for _ in range(2):  # by each of the gateways
        await refused(shared.http, status, code, json=body, headers=MINE)


async def test_a_body_has_a_largest_size(shared: SharedGateway) -> None:
    for _ in range(2):
        large = io.BytesIO(bytes(MAX_CHAT_BODY_BYTES + 1))
        assert "8,192 KiB" in await refused(shared.http, 413, "body_too_large", data=large, headers=MINE)
        await refused(shared.http, 413, "body_too_large", path=RESET, data=bytes(300 * 1024), headers=MINE)


async def test_a_session_with_a_camera_takes_no_pictures(shared: SharedGateway) -> None:
    headers = {"x-session-id": shared.session}
    for _ in range(2):
        assert "/queries" in await refused(shared.http, 409, "not_pushed", json=turn(), headers=headers)
        await refused(shared.http, 409, "not_pushed", path=RESET, headers=headers)


@pytest.mark.usefixtures("no_session_begins")
async def test_another_tenants_session_is_not_there(shared: SharedGateway) -> None:
    rival, nowhere = shared.rival, f"s-{'0' * 20}"
    headers = {"x-session-id": shared.session}
    theirs = await refused(rival, 404, "unknown_session", json=turn(), headers=headers)
    unknown = await refused(rival, 404, "unknown_session", json=turn(), headers={"x-session-id": nowhere})
    assert theirs.replace(shared.session, "X") == unknown.replace(nowhere, "X"), "they cannot be told apart"
    await refused(rival, 404, "unknown_session", path=RESET, headers=headers)


@pytest.mark.usefixtures("no_session_begins")
async def test_a_reset_before_the_first_picture_has_nothing_to_forget(shared: SharedGateway) -> None:
    async with shared.http.post(RESET, headers={"x-session-id": "attic"}) as answer:
        assert (answer.status, await answer.json()) == (200, {"session": "attic", "status": "accepted"})
    await refused(shared.http, 404, "unknown_session", path=RESET, headers={"x-session-id": f"s-{'0' * 20}"})


@pytest.mark.usefixtures("no_session_begins")
async def test_half_a_character_is_refused_and_begins_no_session(shared: SharedGateway) -> None:
    for words in (r"\ud83d", r"\ude00", r"\ud83d\ud83d"):
        text = json.dumps(turn(PICTURE, {"type": "text", "text": "WORDS"})).replace("WORDS", words)
        headers = {**MINE, "Content-Type": "application/json"}
        assert "surrogate" in await refused(shared.http, 422, "text_invalid", data=text, headers=headers)


async def test_without_a_decision_the_deadline_ends_the_call_and_silence_the_session(shared: SharedGateway) -> None:
    http, key, headers = shared.http, SessionKey("demo", "hall"), {"x-session-id": "hall"}
    assert "within 2 s" in await refused(http, 504, "turn_late", json=turn(), headers=headers)
    ended = await eventually(lambda: shared.store.ended(key), what="the session is ended")
    assert ended is not None
    assert "pushed no picture" in ended.reason


async def test_a_session_whose_turn_was_late_can_be_ended(shared: SharedGateway) -> None:
    await refused(shared.http, 504, "turn_late", json=turn(), headers={"x-session-id": "cellar"})
    async with shared.http.delete("/v1/sessions/cellar") as answer:
        assert answer.status == 204


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/responses", "/v1/completions", "/v1/audio/speech", "/v1/chat"])
async def test_what_openai_has_and_vigil_has_not_is_told_in_openais_shape(shared: SharedGateway, path: str) -> None:
    assert f"there is nothing at {path}" in await refused(shared.http, 404, "no_such_path", path=path, json={})
    await refused(shared.nobody, 401, "key_missing", path=path, json={})
