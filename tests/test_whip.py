"""A camera that is published by WHIP, the whole way: real services, real media over UDP, a scripted engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from system import Rest, System, rest, running
from whip_client import Colour, publishing

from vigil.testing.eventually import eventually
from vigil.testing.script import when_red
from vigil.testing.scripted_engine import ScriptedEngine

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(300)]

RED, GREY = (220, 10, 10), (90, 90, 90)
SOON_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """`vigil up` with an engine that sees fire."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(ScriptedEngine(when_red()))
        vigil = running(tmp_path_factory.mktemp("whip") / "run", "--engine-url", engine.url, "--model", "scripted")
        found = await asyncio.to_thread(vigil.__enter__)
        stack.push_async_callback(asyncio.to_thread, vigil.__exit__, None, None, None)
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def client(system: System) -> AsyncIterator[Rest]:
    """A REST client of the demo tenant."""
    async with rest(system) as opened:
        yield opened


async def alerts(client: Rest, session: str) -> list[str]:
    """The words of the session's alerts."""
    _, found = await client.call("GET", f"/v1/alerts?session={session}")
    return [alert["text"] for alert in found["alerts"]]


async def state(client: Rest, session: str) -> str:
    """`open` or `ended`."""
    _, found = await client.call("GET", f"/v1/sessions/{session}")
    return str(found["state"])


async def test_a_published_camera_raises_its_alert_and_ends_with_its_client(client: Rest) -> None:
    track = Colour(GREY)
    url = f"{client.url}/v1/whip?name=Lobby&watch=Alert me when a fire starts."
    async with publishing(client.http, url, track) as published:
        session = published.location.split("/")[5]
        await eventually(lambda: client.turns(session, 1), SOON_S, "the first picture is decided on")
        track.rgb = RED
        await eventually(lambda: alerts(client, session), SOON_S, "the alert opens")
        assert await alerts(client, session) == ["A fire has started."]
        async with client.http.delete(published.location) as answer:
            assert answer.status == 204
    assert await state(client, session) == "ended"


async def test_a_client_comes_back_into_its_session(client: Rest) -> None:
    status, created = await client.call("POST", "/v1/sessions", {"source": {"kind": "webrtc", "name": "Desk"}})
    assert status == 201, created
    session, url = created["id"], f"{client.url}/v1/sessions/{created['id']}/whip"
    client.opened.append(session)
    async with publishing(client.http, url, Colour(GREY)):
        await eventually(lambda: client.turns(session, 2), SOON_S, "the first client is seen")
        async with client.http.post(url, data="v=0", headers={"Content-Type": "application/sdp"}) as answer:
            assert answer.status == 400  # a bad offer leaves the connection as it is
        await eventually(lambda: client.turns(session, 4), SOON_S, "it is still seen")
    _, before = await client.call("GET", f"/v1/sessions/{session}/history")
    async with publishing(client.http, f"{url}?replace=true", Colour(GREY)):
        await eventually(lambda: client.turns(session, len(before["turns"]) + 2), SOON_S, "the second client is seen")
    _, after = await client.call("GET", f"/v1/sessions/{session}/history")
    sequences = [turn["sequence"] for turn in after["turns"]]
    assert sequences == list(range(len(sequences)))
    assert await state(client, session) == "open"
