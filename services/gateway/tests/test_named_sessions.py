"""Sessions under names that their clients give: with dots, and used again when the session has ended."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.images import jpeg
from vigil.testing.scripted_decider import ScriptedDecider

CHAT, RESET = "/v1/chat/completions", "/v1/streaming/reset"
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg()).decode()}"}}
TURN = {"model": "vigil-small", "messages": [{"role": "user", "content": [PICTURE]}]}
FIRE = {"watches": [{"name": "fire", "text": "Alert me when a fire starts."}]}

Json = dict[str, Any]


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, placement: Placement) -> AsyncIterator[ScriptedDecider]:
    """Workers with room for ten sessions, that decide on every picture."""
    for role in Role:
        await placement.heartbeat(role, f"{role}-1", 10)
    async with ScriptedDecider(bus, store, lambda picture: "A picture.").working() as working:
        yield working


@pytest.fixture(params=[1, 2], ids=["one gateway", "two gateways behind a proxy"])
def replicas(request: pytest.FixtureRequest) -> int:
    """A name means the same session to every gateway."""
    return int(request.param)


async def shown(http: aiohttp.ClientSession, name: str, **more: Any) -> Json:
    """One turn under that name; its answer's `vigil`."""
    async with http.post(CHAT, json=TURN | more, headers={"x-session-id": name}) as answer:
        found: Json = await answer.json()
        assert answer.status == 200, found
        assert answer.headers["x-session-id"] == name
    vigil: Json = found["vigil"]
    return vigil


async def got(http: aiohttp.ClientSession, path: str) -> Json:
    async with http.get(path) as answer:
        found: Json = await answer.json()
        assert answer.status == 200, found
        return found


async def ended(http: aiohttp.ClientSession, name: str) -> None:
    async with http.delete(f"/v1/sessions/{name}") as answer:
        assert answer.status == 204


@pytest.mark.usefixtures("decider")
async def test_a_name_with_dots_is_mapped_and_shown(http: aiohttp.ClientSession, store: SessionStore) -> None:
    first = await shown(http, "cam.1", vigil=FIRE)
    assert (await shown(http, "cam.1"))["sequence"] == 1
    (key,) = await store.sessions("demo")
    assert key.session == first["session"]
    assert key.session.startswith("cam-1-")
    by_name = await got(http, "/v1/sessions/cam.1")
    assert by_name["id"] == key.session
    assert by_name["source"]["name"] == "cam.1"
    assert by_name["subjects"]["alerts"] == f"vigil.v1.alert.demo.{key.session}.*"
    assert (await got(http, "/v1/sessions"))["sessions"][0]["source"]["name"] == "cam.1"
    assert len((await got(http, "/v1/sessions/cam.1/watches"))["watches"]) == 1
    async with http.post(RESET, headers={"x-session-id": "cam.1"}) as answer:
        assert (await answer.json())["session"] == "cam.1"
    assert len(await store.commands(key)) == 2


async def test_a_name_is_used_again_when_its_session_has_ended(
    http: aiohttp.ClientSession, store: SessionStore, decider: ScriptedDecider
) -> None:
    before = await shown(http, "kitchen", vigil=FIRE)
    assert before["session"] == "kitchen"
    await ended(http, "kitchen")
    async with http.post(RESET, headers={"x-session-id": "kitchen"}) as answer:
        assert answer.status == 200, "there is nothing to forget"
    after = await shown(http, "kitchen", vigil=FIRE)
    assert after["session"].startswith("kitchen-")
    assert after["sequence"] == 0
    assert (await shown(http, "kitchen"))["session"] == after["session"]
    assert sorted(decider.seen) == sorted(await store.sessions("demo"))
    current = await got(http, "/v1/sessions/kitchen")
    assert (current["id"], current["state"]) == (after["session"], "open")
    assert (current["source"]["id"], current["source"]["name"]) == ("kitchen", "kitchen")
    async with http.post("/v1/sessions/kitchen/queries", json={"text": "Who?"}) as answer:
        assert (await answer.json())["session"] == after["session"]
    await ended(http, "kitchen")
    assert (await shown(http, "kitchen"))["session"] not in (before["session"], after["session"])


@pytest.mark.usefixtures("decider")
async def test_a_session_that_the_gateway_named_stays_ended(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/sessions", json={"source": {"kind": "pushed"}}) as answer:
        given = (await answer.json())["id"]
    await ended(http, given)
    async with http.post(CHAT, json=TURN, headers={"x-session-id": given}) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (409, "session_ended")
    async with http.post(RESET, headers={"x-session-id": given}) as answer:
        assert answer.status == 409


@pytest.mark.usefixtures("decider")
async def test_another_tenants_name_is_another_session(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, store: SessionStore
) -> None:
    mine, theirs = await shown(http, "cam.1"), await shown(rival, "cam.1")
    assert mine["session"] == theirs["session"]
    assert await store.sessions("rival") == [SessionKey("rival", theirs["session"])]
    await ended(http, "cam.1")
    assert (await got(rival, "/v1/sessions/cam.1"))["state"] == "open"


@pytest.mark.usefixtures("decider")
async def test_what_has_no_effect_is_named_in_the_answer(http: aiohttp.ClientSession) -> None:
    body: Json = TURN | {"temperature": 0.2, "user": "u-1", "stream": None, "n": None, "vigil": None, "tools": []}
    async with http.post(CHAT, json=body, headers={"x-session-id": "hall"}) as answer:
        assert (answer.status, answer.headers["x-vigil-ignored"]) == (200, "temperature, tools")
    async with http.post(CHAT, json=TURN, headers={"x-session-id": "hall"}) as answer:
        assert "x-vigil-ignored" not in answer.headers
