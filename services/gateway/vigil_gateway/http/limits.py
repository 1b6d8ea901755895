"""Bounds on what a request may carry."""

import json
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil_gateway.api.errors import BodyTooLarge, TextInvalid
from vigil_gateway.api.problems import problem_of
from vigil_gateway.api.responses import respond
from vigil_gateway.api.sizes import MAX_BODY_BYTES, MAX_CHAT_BODY_BYTES

CHAT = "/v1/chat/completions"
# A refused body is read and thrown away up to here, so that the client gets to read the answer: closing a
# connection with unread bytes resets it, and the reset may overtake the response.
DRAIN_BYTES = 16 * 1024 * 1024
# `\ud83d` in JSON is half of a character: alone it is no text that could be stored, sent or shown.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BodyLimit:
    """Middleware that answers 413 to a body above the limit, and holds a smaller one whole for the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit_bytes = MAX_CHAT_BODY_BYTES if scope["path"] == CHAT else MAX_BODY_BYTES
        body, size_bytes = await _read(receive, limit_bytes)
        if size_bytes > limit_bytes:
            await respond(scope["path"], problem_of(BodyTooLarge(limit_bytes)))(scope, receive, send)
            return
        if has_half_characters(body):
            await respond(scope["path"], problem_of(TextInvalid()))(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


def has_half_characters(body: bytes) -> bool:
    """Whether a text of this JSON has half of a surrogate pair without the other half."""
    if not _SURROGATE.search(body):
        return False
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):  # no JSON: the application says so
        return False
    return False


async def _read(receive: Receive, limit_bytes: int) -> tuple[bytes, int]:
    """The body (as far as it is within the limit) and the bytes seen of it."""
    kept = bytearray()
    size_bytes = 0
    while size_bytes <= DRAIN_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            break
        part = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes <= limit_bytes:
            kept += part
        if not message.get("more_body", False):
            break
    return bytes(kept), size_bytes


def _replay(body: bytes, receive: Receive) -> Receive:
    """First the whole body, then whatever the server says next (that the client went away)."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
