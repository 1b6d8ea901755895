"""What the OpenAI-compatible door refuses, in the shape that such clients read."""

import asyncio
import base64
import io
import json
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.placement.leases import Offer, Placement
from vigil.runtime.process.service import Service
from vigil.runtime.store.pushed import DUE
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil_gateway.api.sizes import MAX_CHAT_BODY_BYTES
from vigil_gateway.config import GatewaySettings

CHAT, MODELS, RESET = "/v1/chat/completions", "/v1/models", "/v1/streaming/reset"
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg()).decode()}"}}
MINE = {"x-session-id": "kitchen"}


@pytest.fixture(params=[1, 2], ids=["one gateway", "two gateways behind a proxy"])
def replicas(request: pytest.FixtureRequest) -> int:
    """Every refusal is the same, whichever gateway gives it."""
    return int(request.param)


def turn(*parts: dict[str, Any], model: str = "vigil-small") -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": list(parts or (PICTURE,))}]}


async def refused(
    client: aiohttp.ClientSession, status: int, code: str, method: str = "POST", path: str = CHAT, **request: Any
) -> str:
    """Send the request, check that it is refused as `code`, return the message."""
    async with client.request(method, path, **request) as answer:
        assert answer.content_type == "application/json"
        error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (status, code), error
    assert error["param"] is None
    assert error["type"]
    return str(error["message"])


async def test_a_key_is_needed(nobody: aiohttp.ClientSession) -> None:
    for method, path in (("POST", CHAT), ("GET", MODELS), ("POST", RESET)):
        told = await refused(nobody, 401, "key_missing", method, path, json=turn(), headers=MINE)
        assert "Authorization: Bearer" in told


async def test_a_session_is_never_guessed(http: aiohttp.ClientSession, store: SessionStore) -> None:
    assert "x-session-id" in await refused(http, 400, "session_header", json=turn())
    assert "x-session-id" in await refused(http, 400, "session_header", path=RESET)
    await refused(http, 400, "session_header", json=turn(), headers={"x-session-id": "x" * 129})
    await refused(http, 400, "session_header", json=turn(), headers={**MINE, "x-streaming-session": "hall"})
    assert await store.sessions("demo") == []


@pytest.mark.usefixtures("workers")
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
    http: aiohttp.ClientSession, store: SessionStore, body: dict[str, Any], status: int, code: str
) -> None:
    await refused(http, status, code, json=body, headers=MINE)
    assert await store.sessions("demo") == []


async def test_a_body_has_a_largest_size(http: aiohttp.ClientSession) -> None:
    told = await refused(http, 413, "body_too_large", data=io.BytesIO(bytes(MAX_CHAT_BODY_BYTES + 1)), headers=MINE)
    assert "8,192 KiB" in told
    await refused(http, 413, "body_too_large", path=RESET, data=bytes(300 * 1024), headers=MINE)


async def test_nobody_who_decides_is_told_at_once(
    http: aiohttp.ClientSession, placement: Placement, redis: Redis
) -> None:
    assert "codec, interaction" in await refused(http, 503, "no_worker", json=turn(), headers=MINE)
    for role in (Role.CODEC, Role.INTERACTION):
        await placement.heartbeat(role, f"{role}-1", 0)
    assert "codec, interaction" in await refused(http, 503, "capacity_full", json=turn(), headers=MINE)
    assert await redis.zcard(DUE) == 0, "no silence is waited for of a session that is not there"


async def test_a_session_with_a_camera_takes_no_pictures(http: aiohttp.ClientSession, session: str) -> None:
    headers = {"x-session-id": session}
    assert "/queries" in await refused(http, 409, "not_pushed", json=turn(), headers=headers)
    await refused(http, 409, "not_pushed", path=RESET, headers=headers)


async def test_another_tenants_session_is_not_there(
    rival: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    headers = {"x-session-id": session}
    theirs = await refused(rival, 404, "unknown_session", json=turn(), headers=headers)
    unknown = await refused(rival, 404, "unknown_session", json=turn(), headers={"x-session-id": f"s-{'0' * 20}"})
    assert theirs.replace(session, "X") == unknown.replace(f"s-{'0' * 20}", "X"), "they cannot be told apart"
    await refused(rival, 404, "unknown_session", path=RESET, headers=headers)
    assert await store.sessions("rival") == []


async def test_a_reset_before_the_first_picture_has_nothing_to_forget(
    http: aiohttp.ClientSession, store: SessionStore
) -> None:
    async with http.post(RESET, headers=MINE) as answer:
        assert (answer.status, await answer.json()) == (200, {"session": "kitchen", "status": "accepted"})
    assert await store.sessions("demo") == []
    await refused(http, 404, "unknown_session", path=RESET, headers={"x-session-id": f"s-{'0' * 20}"})


@pytest.mark.usefixtures("workers")
async def test_half_a_character_is_refused_and_begins_no_session(
    http: aiohttp.ClientSession, store: SessionStore
) -> None:
    for words in (r"\ud83d", r"\ude00", r"\ud83d\ud83d"):
        text = json.dumps(turn(PICTURE, {"type": "text", "text": "WORDS"})).replace("WORDS", words)
        told = await refused(http, 422, "text_invalid", data=text, headers={**MINE, "Content-Type": "application/json"})
        assert "surrogate" in told
    assert await store.sessions("demo") == []


@pytest.mark.usefixtures("workers")
async def test_without_a_decision_the_deadline_ends_the_call(
    gateway: Service[GatewaySettings], http: aiohttp.ClientSession, store: SessionStore, placement: Placement
) -> None:
    assert gateway.settings.turn_deadline_s == 2.0
    waiting = asyncio.create_task(refused(http, 504, "turn_late", json=turn(), headers=MINE))
    await eventually(lambda: store.sessions("demo"), what="the session is begun")
    assert "still being answered" in await refused(http, 429, "turn_in_flight", json=turn(), headers=MINE)
    assert "within 2 s" in await waiting
    key = SessionKey("demo", "kitchen")
    assert await placement.claim(Role.INGESTION, "w", 5) == []
    assert [claim.key for claim in await placement.claim(Role.CODEC, "w", 5)] == [key]
    async with http.delete("/v1/sessions/kitchen") as answer:
        assert answer.status == 204


@pytest.mark.usefixtures("workers")
async def test_a_session_that_nobody_pushes_to_ends(
    http: aiohttp.ClientSession, store: SessionStore, redis: Redis
) -> None:
    await refused(http, 504, "turn_late", json=turn(), headers=MINE)
    key = SessionKey("demo", "kitchen")
    ended = await eventually(lambda: store.ended(key), 15, "the session is ended")
    assert ended is not None
    assert "pushed no picture" in ended.reason
    await eventually(lambda: _is_gone(redis, DUE), 10, "it is forgotten")


async def _is_gone(redis: Redis, name: str) -> bool:
    return not await redis.exists(name)


async def test_models(http: aiohttp.ClientSession, placement: Placement) -> None:
    async with http.get(MODELS) as answer:
        found = await answer.json()
    assert [model["id"] for model in found["data"]] == ["vigil-small"]
    assert found["object"] == "list"
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("large", "vigil-small")))
    async with http.get(MODELS) as answer:
        assert [model["id"] for model in (await answer.json())["data"]] == ["vigil-small", "large"]


async def test_a_model_by_its_name(http: aiohttp.ClientSession, placement: Placement) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("org/large", "vigil-small")))
    for name in ("vigil-small", "org/large"):
        async with http.get(f"{MODELS}/{name}") as answer:
            assert (answer.status, (await answer.json())["id"]) == (200, name)
    told = await refused(http, 404, "model_not_found", "GET", f"{MODELS}/gpt")
    assert "'vigil-small' or 'org/large', not 'gpt'" in told


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/responses", "/v1/completions", "/v1/audio/speech", "/v1/chat"])
async def test_what_openai_has_and_vigil_has_not_is_told_in_openais_shape(
    http: aiohttp.ClientSession, nobody: aiohttp.ClientSession, path: str
) -> None:
    assert f"there is nothing at {path}" in await refused(http, 404, "no_such_path", path=path, json={})
    await refused(nobody, 401, "key_missing", path=path, json={})


@pytest.mark.usefixtures("workers")
async def test_a_session_keeps_its_model(http: aiohttp.ClientSession, placement: Placement) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("large", "vigil-small")))
    await refused(http, 504, "turn_late", json=turn(model="large"), headers=MINE)
    told = await refused(http, 404, "model_not_found", json=turn(), headers=MINE)
    assert "this session has the model 'large', not 'vigil-small'" in told
