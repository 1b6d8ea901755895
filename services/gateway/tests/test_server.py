import asyncio
import socket

import aiohttp
import pytest
from fastapi import FastAPI, WebSocket

from vigil.runtime.process.startup import PortInUse
from vigil.testing.eventually import eventually
from vigil_gateway.http.app import routes
from vigil_gateway.http.server import Listening, serve


def answers(port: int) -> bool:
    """Whether a new connection is still taken there."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


async def all_of(client: aiohttp.ClientWebSocketResponse) -> list[str]:
    """What it is told until it is closed."""
    return [message.data async for message in client]


async def broken() -> None:
    raise RuntimeError("a password nobody should see")


async def test_what_nobody_foresaw_is_a_problem_without_its_cause() -> None:
    app = routes()
    app.add_api_route("/broken", broken)
    async with (
        serve(app, Listening("127.0.0.1", 0, 1.0), asyncio.Event()) as port,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/broken") as answer,
    ):
        text = await answer.text()
        assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert "urn:vigil:problem:internal" in text
    assert "password" not in text


async def test_leaving_tells_endless_answers_to_end_and_frees_the_port() -> None:
    draining = asyncio.Event()
    async with serve(routes(), Listening("127.0.0.1", 0, 1.0), draining) as port:
        with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{port} .*set VIGIL_HTTP_PORT"):
            async with serve(routes(), Listening("127.0.0.1", port, 1.0), asyncio.Event()):
                pass
        assert not draining.is_set()
    assert draining.is_set()
    async with serve(routes(), Listening("127.0.0.1", port, 1.0), asyncio.Event()) as again:
        assert again == port


async def test_a_websocket_is_told_why_it_ends_however_late_its_application_sees_the_server_stop() -> None:
    app, draining, port = FastAPI(), asyncio.Event(), 0

    async def slow_to_see(websocket: WebSocket) -> None:
        await websocket.accept()
        await draining.wait()
        await eventually(lambda: not answers(port), what="the server having closed what it closes")
        await websocket.send_text("shutting down")
        await websocket.close(1001)

    app.add_api_websocket_route("/slow", slow_to_see)
    async with aiohttp.ClientSession() as http:
        async with serve(app, Listening("127.0.0.1", 0, 30.0), draining) as port:
            client = await http.ws_connect(f"http://127.0.0.1:{port}/slow")
            reading = asyncio.create_task(all_of(client))
        assert await reading == ["shutting down"]
    assert client.close_code == 1001


async def test_a_websocket_that_takes_no_leave_is_cut_off_before_the_server_must_be_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, draining = FastAPI(), asyncio.Event()
    cut_off: list[str] = []

    async def talkative(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_bytes(bytes(1_000_000))
        finally:
            cut_off.append("sending ended")

    app.add_api_websocket_route("/talkative", talkative)
    async with aiohttp.ClientSession() as http:
        async with serve(app, Listening("127.0.0.1", 0, 1.0), draining) as port:
            client = await http.ws_connect(f"http://127.0.0.1:{port}/talkative")
        assert cut_off
        await client.close()
    assert "Cancel" not in caplog.text
