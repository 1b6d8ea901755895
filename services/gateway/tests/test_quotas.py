"""Quotas of a tenant, and bounds of what pictures cost: by value, and through the gateway's interfaces."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from PIL import Image
from starlette.types import Message

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import jpeg
from vigil.testing.scripted_decider import ScriptedDecider
from vigil_gateway.api.errors import BodyLate, BodyTooLarge, TooManyPushes
from vigil_gateway.api.turn_errors import PictureRefused, TurnLate
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.admission import whole_body
from vigil_gateway.pushed.deadline import Deadline
from vigil_gateway.pushed.fitting import fitted_in_thread
from vigil_gateway.pushed.pixel_budget import PixelBudget
from vigil_gateway.pushed.quota import PushQuota
from vigil_gateway.replicas import Replicas

CHAT = "/v1/chat/completions"
KEY = {"Authorization": "Bearer a-key-of-demo"}


@pytest.fixture
def settings(settings: GatewaySettings) -> GatewaySettings:
    """A gateway that gives a tenant two sessions, one push at a time and few connections."""
    small = {"sessions_per_tenant": 2, "pushes_in_flight_per_tenant": 1, "connections_per_client": 16}
    return settings.model_copy(update=small)


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, placement: Placement) -> AsyncIterator[ScriptedDecider]:
    """Workers with room for ten sessions, that decide on every picture."""
    for role in Role:
        await placement.heartbeat(role, f"{role}-1", 10)
    async with ScriptedDecider(bus, store, lambda picture: "A picture.").working() as working:
        yield working


def png(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def turn(picture: bytes | None = None, number: int = 1) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(jpeg() if picture is None else picture).decode()}"
    part = {"type": "image_url", "image_url": {"url": url}}
    return {"model": "vigil-small", "messages": [{"role": "user", "content": [part] * number}]}


async def sent(http: aiohttp.ClientSession, path: str, body: dict[str, Any], session: str = "") -> tuple[int, str]:
    """Status and kind of the answer."""
    async with http.post(path, json=body, headers={"x-session-id": session}) as answer:
        found = await answer.json(content_type=None)
        error = found.get("error") or {"code": str(found.get("type", "")).rpartition(":")[2]}
        return answer.status, str(error["code"])


@pytest.mark.usefixtures("decider")
async def test_a_tenant_has_its_share_of_sessions(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, store: SessionStore
) -> None:
    camera = {"source": {"url": "rtsp://camera.local/1"}}
    assert await sent(http, "/v1/sessions", camera) == (201, "")
    assert (await sent(http, CHAT, turn(), "kitchen"))[0] == 200
    assert await sent(http, "/v1/sessions", camera) == (429, "too_many_sessions")
    assert await sent(http, "/v1/sessions", {"source": {"kind": "pushed"}}) == (429, "too_many_sessions")
    assert await sent(http, CHAT, turn(), "hall") == (429, "too_many_sessions")
    assert len(await store.sessions("demo")) == 2, "nothing is left of what was refused"
    assert (await sent(http, CHAT, turn(), "kitchen"))[0] == 200, "what runs goes on"
    assert (await sent(rival, CHAT, turn(), "hall"))[0] == 200, "another tenant has its own share"
    async with http.delete("/v1/sessions/kitchen") as answer:
        assert answer.status == 204
    assert (await sent(http, CHAT, turn(), "hall"))[0] == 200


async def test_sessions_that_race_for_the_last_place_do_not_exceed_the_share(
    http: aiohttp.ClientSession, decider: ScriptedDecider, store: SessionStore
) -> None:
    answers = await asyncio.gather(
        *(sent(http, "/v1/sessions", {"source": {"url": f"rtsp://camera.local/{number}"}}) for number in range(12))
    )
    assert sorted(answers) == [(201, "")] * 2 + [(429, "too_many_sessions")] * 10
    assert await store.open_sessions("demo") == 2


async def test_a_tenant_has_its_share_of_pushes_in_flight(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    waiting = asyncio.create_task(sent(http, CHAT, turn(), "kitchen"))
    await eventually(lambda: asyncio.sleep(0, bool(decider.seen)), what="the first picture is shown")
    assert await sent(http, CHAT, turn(), "hall") == (429, "too_many_pushes")
    other = asyncio.create_task(sent(rival, CHAT, turn(), "hall"))
    await eventually(lambda: asyncio.sleep(0, len(decider.seen) == 2), what="the other tenant's is shown, too")
    decider.open_gate.set()
    assert (await waiting)[0] == (await other)[0] == 200


async def test_without_a_key_nothing_of_a_body_is_waited_for(settings: GatewaySettings, front: str) -> None:
    """An unfinished body of 7.9 MB is answered before it comes; a known key waits for it."""
    for key, path in ((b"", CHAT), (b"Authorization: Bearer wrong\r\n", "/v1/sessions/kitchen/queries")):
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.http_port)
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 7900000\r\n".encode() + key + b"\r\n{")
        async with asyncio.timeout(DEADLINE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 401 ")
        writer.close()


async def test_the_answer_to_a_refused_body_can_be_read(nobody: aiohttp.ClientSession) -> None:
    for _ in range(3):
        async with nobody.post(CHAT, data=io.BytesIO(bytes(7_900_000))) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (401, "key_missing")


async def test_open_websockets_count_as_connections(settings: GatewaySettings, front: str, session: str) -> None:
    share = settings.connections_per_client
    async with aiohttp.ClientSession(front, headers=KEY) as client:
        sockets = [await client.ws_connect(f"/v1/sessions/{session}/ws") for _ in range(2)]
        held = [await asyncio.open_connection("127.0.0.1", settings.http_port) for _ in range(share)]
        refused = 0
        for reader, writer in held:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(DEADLINE_S):
                refused += (await reader.read(12)).endswith(b"429")
        assert refused >= 2
        for _, writer in held:
            writer.close()
        for socket in sockets:
            await socket.close()


def test_pushes_are_bounded_at_once_and_over_time() -> None:
    now_s = [100.0]
    quota = PushQuota(in_flight=2, per_s=4.0, replicas=Replicas(), clock=lambda: now_s[0])
    with quota.slot("demo"), quota.slot("demo"), pytest.raises(TooManyPushes, match="waits for 2"), quota.slot("demo"):
        pass
    for _ in range(6):  # with the two above these are two seconds' pushes
        with quota.slot("demo"):
            pass
    with pytest.raises(TooManyPushes, match="more than 4 pictures a second"), quota.slot("demo"):
        pass
    with quota.slot("rival"):
        pass
    now_s[0] += 0.25
    with quota.slot("demo"):
        pass
    with pytest.raises(TooManyPushes), quota.slot("demo"):
        pass
    now_s[0] += 3600
    for _ in range(8):
        with quota.slot("demo"):
            pass
    with pytest.raises(TooManyPushes), quota.slot("demo"):
        pass


async def test_pixels_are_held_by_turns_and_never_more_than_the_limit() -> None:
    budget = PixelBudget(100)
    most, order = 0, []

    async def hold(number: int, pixels: int) -> None:
        nonlocal most
        async with budget.holding(pixels):
            order.append(number)
            most = max(most, budget.held)
            for _ in range(3):
                await asyncio.sleep(0)

    await asyncio.gather(*(hold(number, pixels) for number, pixels in enumerate([60, 60, 30, 500, 1, 40, 40])))
    assert order == list(range(7)), "first come, first served"
    assert most == 100
    assert budget.held == 0
    waiting = asyncio.create_task(hold(8, 100))
    async with budget.holding(1):
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert budget.held == 0


@pytest.mark.parametrize(
    ("side", "number", "told"),
    [
        (6_300, 8, "6300 x 6300 pixels: at most 12,500,000"),
        (3_500, 3, "36,750,000 pixels together: at most 25,000,000"),
    ],
)
async def test_pictures_are_refused_by_their_headers(side: int, number: int, told: str) -> None:
    with pytest.raises(PictureRefused, match=told):
        await fitted_in_thread([png(side)] * number, "vigil-small", PixelBudget(1), Deadline.of_now(30))


async def test_waiting_for_other_pictures_counts_in_the_deadline() -> None:
    budget = PixelBudget(100)
    async with budget.holding(100):
        with pytest.raises(TurnLate, match=r"could not be decoded within 0\.1 s"):
            await fitted_in_thread([png(40)], "vigil-small", budget, Deadline.of_now(0.1))
    assert len(await fitted_in_thread([png(40)] * 8, "vigil-small", budget, Deadline.of_now(30))) == 8


async def test_a_body_that_does_not_come_is_ended_in_words() -> None:
    parts: asyncio.Queue[Message] = asyncio.Queue()
    parts.put_nowait({"type": "http.request", "body": b"{", "more_body": True})
    with pytest.raises(BodyLate, match=r"did not come whole within 0\.05 s"):
        await whole_body(parts.get, 100, within_s=0.05)
    parts.put_nowait({"type": "http.request", "body": b"x" * 101, "more_body": True})
    with pytest.raises(BodyTooLarge, match="larger than 100 bytes"):
        await whole_body(parts.get, 100)
    parts.put_nowait({"type": "http.request", "body": b"{", "more_body": True})
    parts.put_nowait({"type": "http.disconnect"})
    assert await whole_body(parts.get, 100) is None, "half a body is not shown to the application"
