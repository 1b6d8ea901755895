"""Lets the engine take compressed requests: an ASGI middleware, `--middleware vigil_gunzip.Gunzip`.

A prompt names earlier pictures by UUID, so most of it is the same few words for every turn: compressed, a request stays
about as large as its one new picture, however long the history is. Standard library only.
"""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 256 * 1024 * 1024  # after decompression: a chunk of a hundred large pictures, with room


class Gunzip:
    """Hands on a request with `Content-Encoding: gzip` as if it had come plain; leaves all others alone.

    Every answer says so in `Accept-Encoding` (RFC 9110 §12.5.3), so that a client knows without
    being told. A body that is no gzip is answered with 400, one that unpacks to more than `MAX_BODY_BYTES` with 413.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _announced(send)
        if dict(scope["headers"]).get(b"content-encoding") != b"gzip":
            await self._app(scope, receive, send)
            return
        try:
            body = await _unpacked(receive)
        except zlib.error:
            await _refuse(send, 400, b"the request says that it is gzip, and is not")
            return
        if body is None:
            await _refuse(send, 413, b"the request is too large when unpacked")
            return
        kept = [
            (name, value) for name, value in scope["headers"] if name not in (b"content-encoding", b"content-length")
        ]
        plain = {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
        await self._app(plain, _Once(body, receive), send)


class _Once:
    """A `receive` that gives the body first, then whatever else comes (a disconnect)."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Event:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _announced(send: Send) -> Send:
    """The same `send`, adding to each answer that compressed requests are taken."""

    async def announcing(event: Event) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event.get("headers", ()), (b"accept-encoding", b"gzip")]}
        await send(event)

    return announcing


async def _unpacked(receive: Receive) -> bytes | None:
    """The whole body, unpacked; None when it is too large. Raises `zlib.error`."""
    unpacker, body, more = zlib.decompressobj(wbits=31), bytearray(), True
    while more:
        event = await receive()
        if event["type"] != "http.request":  # the client is gone
            raise zlib.error("the body ended early")
        body += unpacker.decompress(event.get("body", b""), MAX_BODY_BYTES + 1 - len(body))
        if len(body) > MAX_BODY_BYTES:
            return None
        more = event.get("more_body", False)
    if not unpacker.eof:
        raise zlib.error("the body ended early")
    return bytes(body)


async def _refuse(send: Send, status: int, reason: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(reason)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": reason})
