"""Connections that a proxy passes on: the address that it names is the client's, and nobody else is believed."""

import asyncio
import contextlib
import ipaddress
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, WebSocket
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from starlette.routing import WebSocketRoute

from vigil.runtime.process.tls import ServerCertificate
from vigil.testing.certificates import Authority
from vigil_gateway.http.app import routes
from vigil_gateway.http.proxy_header import (
    HEAD_BYTES,
    MAX_BODY_BYTES,
    HeaderInvalid,
    Proxies,
    body_bytes,
    client_of,
    proxies_of,
)
from vigil_gateway.http.server import Listening, serve

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
REQUEST = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SHARE = 2
READ_S = 20.0


def header(client: str, port: int = 40_000, more: bytes = b"") -> bytes:
    """What a proxy writes before the bytes of this client."""
    address = ipaddress.ip_address(client)
    family = b"\x11" if address.version == 4 else b"\x21"
    body = address.packed * 2 + struct.pack("!HH", port, 8080) + more
    return SIGNATURE + b"\x21" + family + struct.pack("!H", len(body)) + body


def app() -> FastAPI:
    """It tells a client its address."""
    made = routes()

    async def who(request: Request) -> str:
        return request.client.host if request.client else "nobody"

    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.client.host if websocket.client else "nobody")
        await websocket.close()

    made.add_api_route("/who", who)
    made.router.routes.insert(0, WebSocketRoute("/ws", ws))  # before the route that says there is none
    return made


@asynccontextmanager
async def listening(proxies: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server behind these proxies; its port."""
    on = Listening("127.0.0.1", 0, 1.0, connections_per_client=SHARE, tls=tls, proxies=proxies_of(proxies))
    async with serve(app(), on, asyncio.Event()) as port:
        yield port


async def said(port: int, *parts: bytes) -> str:
    """All that comes back for these bytes, each sent by itself, until the answer is there or the server closes."""
    async with asyncio.timeout(READ_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return ""
            return (head + await reader.read(200)).decode(errors="replace")
        finally:
            writer.close()


# --- the header -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7"])
@pytest.mark.parametrize("more", [b"", b"\x03\x00\x04abcd"])
def test_the_address_is_read(client: str, more: bytes) -> None:
    data = header(client, 40_001, more)
    head = data[:HEAD_BYTES]
    assert body_bytes(head) == len(data) - HEAD_BYTES
    assert client_of(head, data[HEAD_BYTES:]) == (client, 40_001)


def test_a_proxy_may_speak_for_itself() -> None:
    assert body_bytes(LOCAL) == 0
    assert client_of(LOCAL, b"") is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 1.2.3",
        SIGNATURE + b"\x11\x11\x00\x0c",  # version 1 in the form of version 2
        SIGNATURE + b"\x21\x11" + struct.pack("!H", MAX_BODY_BYTES + 1),
        LOCAL[:-1],
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(HeaderInvalid):
        body_bytes(data[:HEAD_BYTES])


@pytest.mark.parametrize("kind", [b"\x21\x12", b"\x21\x31", b"\x21\x00", b"\x22\x11"])  # UDP, a path, nothing, unknown
def test_a_header_without_a_tcp_client_is_refused(kind: bytes) -> None:
    with pytest.raises(HeaderInvalid):
        client_of(SIGNATURE + kind + b"\x00\x0c", b"\0" * 12)


@given(head=st.binary(min_size=HEAD_BYTES, max_size=HEAD_BYTES), body=st.binary(max_size=64), prefixed=st.booleans())
def test_whatever_comes_is_an_address_or_refused(head: bytes, body: bytes, prefixed: bool) -> None:
    head = SIGNATURE + head[len(SIGNATURE) :] if prefixed else head
    try:
        body_bytes(head)
        client = client_of(head, body)
    except HeaderInvalid:
        return
    assert client is None or ipaddress.ip_address(client[0])


def test_the_proxies_are_addresses_and_networks() -> None:
    proxies = proxies_of("10.0.0.7, 172.16.0.0/12,2001:db8::/32")
    assert "10.0.0.7" in proxies
    assert "::ffff:172.20.1.2" in proxies
    assert "2001:db8::1" in proxies
    assert "10.0.0.8" not in proxies
    assert "no address" not in proxies
    assert not Proxies()
    assert not proxies_of("")
    for wrong in ("haproxy", "10.0.0.0/33", "10.0.0.1/8"):
        with pytest.raises(PydanticCustomError, match="addresses and networks"):
            proxies_of(wrong)


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7"])
async def test_a_request_has_the_address_that_the_proxy_names(client: str) -> None:
    async with listening() as port:
        assert f'"{client}"' in await said(port, header(client) + REQUEST)


async def test_the_header_may_come_in_pieces() -> None:
    data = header("192.0.2.7", more=b"\x03\x00\x04abcd") + REQUEST
    async with listening() as port:
        assert '"192.0.2.7"' in await said(port, *(data[place : place + 7] for place in range(0, len(data), 7)))


async def test_a_websocket_has_the_address_that_the_proxy_names() -> None:
    async with listening() as port:
        assert "192.0.2.7" in await said(port, header("192.0.2.7") + UPGRADE)


async def test_a_proxy_that_speaks_for_itself_has_its_own_address() -> None:
    async with listening() as port:
        assert '"127.0.0.1"' in await said(port, LOCAL + REQUEST)


async def test_a_connection_of_a_proxy_without_a_header_is_closed() -> None:
    async with listening() as port:
        assert await said(port, REQUEST) == ""
        assert await said(port, b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n" + REQUEST) == ""
        assert '"192.0.2.7"' in await said(port, header("192.0.2.7") + REQUEST), "it goes on serving"


async def test_nobody_else_is_believed() -> None:
    async with listening(proxies="10.0.0.0/8") as port:
        assert '"127.0.0.1"' in await said(port, REQUEST)
        assert "400 Bad Request" in await said(port, header("192.0.2.7") + REQUEST)


async def test_each_client_has_its_own_share_of_connections() -> None:
    async with listening() as port, asyncio.timeout(READ_S):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(SHARE)]
        for reader, writer in opened:
            writer.write(header("192.0.2.7") + REQUEST)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        assert "429" in await said(port, header("192.0.2.7") + REQUEST)
        assert '"192.0.2.8"' in await said(port, header("192.0.2.8") + REQUEST)
        for _, writer in opened:
            writer.close()


async def test_tls_begins_after_the_header(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.certificate(hosts=("DNS:localhost",))
    context = ServerCertificate(certificate.cert, certificate.key).context()
    trust = ssl.create_default_context(cafile=authority.ca)
    async with listening(tls=context) as port, asyncio.timeout(READ_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(header("192.0.2.7"))
        await writer.start_tls(trust, server_hostname="localhost")
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        assert await reader.readexactly(len('"192.0.2.7"')) == b'"192.0.2.7"'
        writer.close()


async def test_leaving_lets_go_who_has_not_said_yet_whose_it_is() -> None:
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(SIGNATURE)
        assert '"192.0.2.7"' in await said(port, header("192.0.2.7") + REQUEST)
    async with asyncio.timeout(READ_S):
        with contextlib.suppress(ConnectionError):  # reset, as something was unread
            assert await reader.read() == b""
    writer.close()
