"""How many requests a key may make: the arithmetic by property, and the answer through every door."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.reflected_grpc import ReflectedService, problem_of, reflected
from vigil_client.api import Client
from vigil_client.errors import Unavailable
from vigil_gateway.api.pace import Pace
from vigil_gateway.config import GatewaySettings

PER_S = 0.02  # so that one request may come, and the next one fifty seconds later
SOON_PER_S = 0.25
KEY = "a-key-of-demo"
GATEWAY = "vigil.v1.GatewayService"


@pytest.fixture
def per_s() -> float:
    """Requests that a key may make a second."""
    return PER_S


@pytest.fixture
def settings(settings: GatewaySettings, per_s: float) -> GatewaySettings:
    """A gateway that lets a key make few requests."""
    return settings.model_copy(update={"requests_per_key_s": per_s})


@pytest.fixture
async def service(gateway: Service[GatewaySettings]) -> AsyncIterator[ReflectedService]:
    """The gRPC service as the tenant demo calls it."""
    async with reflected(f"127.0.0.1:{gateway.settings.grpc_port}", GATEWAY, KEY) as found:
        yield found


def limited(door: str) -> float:
    return REGISTRY.get_sample_value("vigil_gateway_requests_limited_total", {"door": door}) or 0.0


async def use_up(http: aiohttp.ClientSession) -> None:
    """Make requests until one is refused."""

    async def is_refused() -> bool:
        async with http.get("/v1/key") as answer:
            return answer.status == 429

    await eventually(is_refused)


def is_left(retry_after: str, began_s: float) -> bool:
    """Whether that is what is left of the time between two requests, of which the first came after `began_s`."""
    return 1 / PER_S - (time.monotonic() - began_s) <= int(retry_after) <= 1 / PER_S


steps = st.lists(st.tuples(st.floats(0, 3), st.integers(1, 12)), min_size=1, max_size=30)


@given(steps, st.floats(0.5, 50), st.floats(0.5, 4))
def test_over_any_time_no_more_than_the_burst_and_the_rate(
    arrivals: list[tuple[float, int]], per_s: float, burst_s: float
) -> None:
    pace, now_s, taken = Pace(per_s, burst_s), 0.0, []
    for pause_s, number in arrivals:
        now_s += pause_s
        for _ in range(number):
            wait_s = pace.take("key", now_s)
            if wait_s == 0:
                taken.append(now_s)
            else:
                assert 0 < wait_s <= 1 / per_s + 1e-6
    burst = max(1.0, burst_s * per_s)
    for index, began_s in enumerate(taken):
        for count, until_s in enumerate(taken[index:], start=1):
            assert count <= burst + per_s * (until_s - began_s) + 1e-6


@given(st.floats(0.5, 50), st.floats(0.0, 4))
def test_what_is_refused_succeeds_after_the_seconds_that_are_told(per_s: float, burst_s: float) -> None:
    pace, now_s = Pace(per_s, burst_s), 1_000.0
    while not (wait_s := pace.take("key", now_s)):
        pass
    assert pace.take("key", now_s + wait_s * 0.9) > 0
    assert pace.take("key", now_s + wait_s) == 0.0


def test_one_name_does_not_use_up_anothers_share_and_old_names_are_forgotten() -> None:
    pace = Pace(1.0, 1.0)
    assert pace.take("a", 0.0) == 0.0
    assert pace.take("a", 0.0) == pytest.approx(1.0)
    assert pace.take("b", 0.0) == 0.0
    for number in range(10_000):
        pace.take(f"name-{number}", number * 0.01)
    assert len(pace) < 4_200


async def test_a_key_that_asks_too_often_is_refused_and_told_when_to_come_again(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession
) -> None:
    before, began_s = limited("http"), time.monotonic()
    await use_up(http)
    async with http.get("/v1/sessions") as answer:
        problem = await answer.json()
        assert (answer.status, problem["type"]) == (429, "urn:vigil:problem:too_many_requests")
        assert "more than 0.02 requests a second" in problem["detail"]
        assert "VIGIL_REQUESTS_PER_KEY_S" in problem["next_step"]
        assert is_left(answer.headers["Retry-After"], began_s)
    assert limited("http") >= before + 2
    async with rival.get("/v1/sessions") as answer:
        assert answer.status == 200, "another key has its own share"
    async with http.get("/v1/health") as answer:
        assert answer.status == 200, "what needs no key is not counted"


async def test_openai_clients_are_told_in_their_own_words(http: aiohttp.ClientSession) -> None:
    began_s = time.monotonic()
    await use_up(http)
    async with http.post("/v1/chat/completions", json={}) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (429, "too_many_requests")
        assert is_left(answer.headers["Retry-After"], began_s)


async def test_a_refused_request_costs_no_body(http: aiohttp.ClientSession) -> None:
    await use_up(http)
    async with http.post("/v1/sessions", data=io.BytesIO(bytes(5_000_000))) as answer:
        assert answer.status == 429


async def test_grpc_says_resource_exhausted(service: ReflectedService) -> None:
    before, began_s = limited("grpc"), time.monotonic()
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await service.call("Ask", {"session": "none", "text": "Who?"})
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert problem_of(caught.value)["type"] == "urn:vigil:problem:too_many_requests"
    trailing: Any = caught.value.trailing_metadata()
    assert is_left(dict(trailing)["retry-after"], began_s)
    assert limited("grpc") > before


@pytest.mark.parametrize("per_s", [SOON_PER_S])
async def test_a_websocket_stays_open_and_its_message_is_refused(http: aiohttp.ClientSession, session: str) -> None:
    refused: list[int] = []

    async def opened() -> aiohttp.ClientWebSocketResponse | None:
        try:
            return await http.ws_connect(f"/v1/sessions/{session}/ws")
        except aiohttp.WSServerHandshakeError as error:
            refused.append(error.status)
            return None

    assert await opened() is None
    websocket = await eventually(opened)
    assert set(refused) == {429}, "a handshake is a request, too"
    assert websocket is not None
    async with websocket, asyncio.timeout(DEADLINE_S):
        await websocket.send_json({"type": "ask", "id": 7, "text": "Who?"})
        while (message := await websocket.receive_json())["type"] != "problem":
            pass
        assert (message["id"], message["data"]["type"]) == (7, "urn:vigil:problem:too_many_requests")
        assert not websocket.closed


async def test_the_sdk_says_that_it_may_be_tried_again(front: str) -> None:
    async with Client(front, KEY) as client:
        await client.sessions()
        with pytest.raises(Unavailable, match="requests a second") as caught:
            await client.sessions()
    assert caught.value.retryable
