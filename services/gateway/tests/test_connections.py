"""What a connection may cost before anybody knows who it is: by raw sockets against a real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from fastapi import FastAPI, WebSocket

from vigil.testing.eventually import eventually
from vigil_gateway.http.app import routes
from vigil_gateway.http.client_limit import ClientConnections, site_of
from vigil_gateway.http.server import Listening, serve

HEAD_S = 0.4
PATIENT_S = 60.0
SHARE = 3
READ_S = 60.0
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\n"


class Socket:
    """A client that sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[int, str]:
        """Status and text of the next answer, read to its length."""
        async with asyncio.timeout(READ_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            return int(head.split()[1]), (await self._reader.readexactly(size)).decode()

    async def closed(self) -> bytes:
        """What comes until the server closes."""
        async with asyncio.timeout(READ_S):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Socket]:
    socket = Socket(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield socket
    finally:
        socket.close()


@pytest.fixture
def head_s() -> float:
    """How long the head of a request may take."""
    return HEAD_S


@pytest.fixture
async def port(head_s: float) -> AsyncIterator[int]:
    """A server with short deadlines and a share of three connections an address."""
    listening = Listening("127.0.0.1", 0, 1.0, connections_per_client=SHARE, head_s=head_s)
    async with serve(routes(), listening, asyncio.Event()) as serving:
        yield serving


async def test_a_head_that_does_not_come_whole_is_ended_in_words(port: int) -> None:
    async with connected(port) as socket:
        socket.send(HALF)
        status, text = await socket.answer()
        assert (status, json.loads(text)["type"]) == (408, "urn:vigil:problem:head_late")
        assert json.loads(text)["next_step"]
        assert await socket.closed() == b""


async def test_bytes_that_trickle_win_no_time(port: int) -> None:
    async with connected(port) as socket:
        socket.send(HALF)
        trickling = asyncio.create_task(trickle(socket))
        assert (await socket.answer())[0] == 408
        trickling.cancel()


async def trickle(socket: Socket) -> None:
    """One byte at a time, faster than any deadline."""
    while True:
        await asyncio.sleep(HEAD_S / 8)
        socket.send(b"x")


async def test_a_second_request_of_a_connection_has_the_same_deadline(port: int) -> None:
    async with connected(port) as socket:
        for _ in range(3):
            socket.send(REQUEST)
            assert (await socket.answer())[0] == 200
        socket.send(HALF)
        assert (await socket.answer())[0] == 408


@pytest.mark.parametrize("head_s", [PATIENT_S])
async def test_an_address_has_its_share_of_connections(port: int) -> None:
    async with connected(port) as first, connected(port) as second, connected(port) as third:
        for socket in (first, second, third):
            socket.send(REQUEST)
            assert (await socket.answer())[0] == 200
        async with connected(port) as fourth:
            status, text = await fourth.answer()
            assert (status, json.loads(text)["type"]) == (429, "urn:vigil:problem:too_many_connections")
            assert "has 3 connections open" in text
            assert await fourth.closed() == b""
        first.close()
        await eventually(lambda: is_served(port), what="a place is free again")


async def test_half_sent_requests_free_their_places_by_themselves(port: int) -> None:
    async with AsyncExitStack() as stack:

        async def are_taken() -> bool:  # by these, or by those of the time before whose deadline has not passed
            for _ in range(SHARE):
                (await stack.enter_async_context(connected(port))).send(HALF)
            return not await is_served(port)

        await eventually(are_taken, what="they have every place")
        await eventually(lambda: is_served(port), what="the deadline has ended them")


async def test_a_websocket_outlives_the_deadlines_of_requests() -> None:
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    listening = Listening("127.0.0.1", 0, 1.0, head_s=HEAD_S, linger_s=HEAD_S / 2)
    async with (
        serve(app, listening, asyncio.Event()) as port,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{port}/echo") as websocket,
        connected(port) as late,
    ):
        late.send(HALF)
        assert (await late.answer())[0] == 408, "the deadlines are over"
        await websocket.send_str("still there?")
        assert await websocket.receive_str(timeout=READ_S) == "still there?"


async def is_served(port: int) -> bool:
    async with connected(port) as socket:
        socket.send(REQUEST)
        try:
            return (await socket.answer())[0] == 200
        except (asyncio.IncompleteReadError, ConnectionError):
            return False


@pytest.mark.parametrize(
    ("host", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_a_household_is_counted_once(host: str, other: str, same: bool) -> None:
    assert (site_of(host) == site_of(other)) is same


def test_connections_are_counted_and_forgotten() -> None:
    clients = ClientConnections(2)
    assert [clients.enter("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert clients.enter("192.0.2.2")
    clients.leave("192.0.2.1")
    assert clients.enter("192.0.2.1")
    for host in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        clients.leave(host)
    assert len(clients) == 0
