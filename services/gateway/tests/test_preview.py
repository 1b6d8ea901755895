"""The smooth picture of a session: asked for while somebody looks, shared, bounded, and only for who may."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import busy_jpeg
from vigil_gateway.config import GatewaySettings
from vigil_gateway.preview.shows import ASK_S


@pytest.fixture
def settings(settings: GatewaySettings) -> GatewaySettings:
    """At most two previews."""
    return settings.model_copy(update={"previews_per_tenant": 2})


class Viewer:
    """A client's side of a preview, read as a browser reads it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self._rest = b""

    async def picture(self) -> bytes:
        """The next picture."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                head, found, rest = self._rest.partition(b"\r\n\r\n")
                if found:
                    length = int(head.rpartition(b"Content-Length: ")[2])
                    if len(rest) >= length + len(b"\r\n--vigil-picture\r\n"):
                        assert head.startswith(b"--vigil-picture\r\nContent-Type: image/jpeg\r\n")
                        self._rest = rest[length + 2 :]
                        return rest[:length]
                self._rest += await self._answer.content.readany()

    async def ended(self) -> bool:
        """Whether the server ends the answer."""
        async with asyncio.timeout(DEADLINE_S):
            await self._answer.content.read()
        return True


@asynccontextmanager
async def looking(http: aiohttp.ClientSession, session: str) -> AsyncIterator[Viewer]:
    """A client that looks."""
    async with http.get(f"/v1/sessions/{session}/preview") as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=vigil-picture"
        assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        yield Viewer(answer)


@pytest.fixture
async def asked(bus: Bus, session: str) -> AsyncIterator[KeepLatest[Message]]:
    """What ingestion hears."""
    async with bus.subscribe(subjects.preview_asked(SessionKey("demo", session)), 100) as channel:
        yield channel


async def test_it_is_asked_for_while_somebody_looks_and_several_share_it(
    http: aiohttp.ClientSession, session: str, bus: Bus, asked: KeepLatest[Message]
) -> None:
    shown, began_s = subjects.preview_shown(SessionKey("demo", session)), time.monotonic()
    async with asyncio.timeout(DEADLINE_S), looking(http, session) as first:
        await anext(asked)
        async with looking(http, session) as second:
            pictures = [busy_jpeg(number) for number in range(3)]
            for jpeg in pictures:
                await bus.publish(shown, jpeg)
                assert [await first.picture(), await second.picture()] == [jpeg, jpeg]
        await anext(asked)
        most = 1 + (time.monotonic() - began_s) / ASK_S
        assert 2 <= asked.statistics.offered <= most, "every two seconds once for both"
    await eventually(lambda: not REGISTRY.get_sample_value("vigil_gateway_previews"), what="nobody looks")


async def test_a_slow_viewer_gets_the_newest_picture(
    http: aiohttp.ClientSession, session: str, bus: Bus, asked: KeepLatest[Message]
) -> None:
    shown = subjects.preview_shown(SessionKey("demo", session))
    before = REGISTRY.get_sample_value("vigil_gateway_preview_pictures_dropped_total") or 0.0
    large = [b"\xff\xd8" + bytes([number]) * 400_000 for number in range(60)]
    async with looking(http, session) as viewer:
        await anext(asked)
        for jpeg in large:
            await bus.publish(shown, jpeg)
            await bus.ping()
        while await viewer.picture() != large[-1]:
            pass
    assert (REGISTRY.get_sample_value("vigil_gateway_preview_pictures_dropped_total") or 0.0) > before


async def test_it_ends_with_its_session(http: aiohttp.ClientSession, session: str) -> None:
    async with looking(http, session) as viewer:
        async with http.delete(f"/v1/sessions/{session}") as answer:
            assert answer.status == 204
        assert await viewer.ended()
    async with http.get(f"/v1/sessions/{session}/preview") as answer:
        assert (answer.status, (await answer.json())["type"]) == (409, "urn:vigil:problem:session_ended")


async def test_a_session_of_pushed_pictures_has_none(http: aiohttp.ClientSession, workers: None) -> None:
    async with http.post("/v1/sessions", json={"source": {"kind": "pushed"}}) as answer:
        pushed = (await answer.json())["id"]
    async with http.get(f"/v1/sessions/{pushed}/preview") as answer:
        problem = await answer.json()
    assert (answer.status, problem["type"]) == (409, "urn:vigil:problem:no_preview")
    assert "/turns/newest/frames/0" in problem["next_step"]


async def test_a_tenant_has_only_so_many(http: aiohttp.ClientSession, session: str) -> None:
    async with looking(http, session):
        async with looking(http, session), http.get(f"/v1/sessions/{session}/preview") as answer:
            assert (answer.status, (await answer.json())["type"]) == (429, "urn:vigil:problem:too_many_previews")
        await eventually(lambda: REGISTRY.get_sample_value("vigil_gateway_previews") == 1, what="the slot is free")
        async with looking(http, session):
            pass


async def test_another_tenants_picture_is_not_there(rival: aiohttp.ClientSession, session: str) -> None:
    async with rival.get(f"/v1/sessions/{session}/preview") as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:vigil:problem:unknown_session")


async def test_it_ends_when_the_gateway_stops(
    http: aiohttp.ClientSession, gateway: Service[GatewaySettings], session: str
) -> None:
    async with looking(http, session) as viewer:
        gateway.stop()
        assert await viewer.ended()
