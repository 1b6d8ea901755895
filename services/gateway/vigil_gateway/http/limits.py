"""Bounds on what a request may carry."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil_gateway.http.problems import Row, respond

MAX_BODY_BYTES = 256 * 1024
# Pictures in base64, and the history that clients of the OpenAI API send along.
MAX_CHAT_BODY_BYTES = 8 * 1024 * 1024
CHAT = "/v1/chat/completions"
# A refused body is read and thrown away up to here, so that the client gets to read the answer: closing a
# connection with unread bytes resets it, and the reset may overtake the response.
DRAIN_BYTES = 16 * 1024 * 1024

TOO_LARGE = Row(
    "body_too_large",
    413,
    "The request body is too large",
    f"Send at most {MAX_BODY_BYTES // 1024} KiB of JSON, {MAX_CHAT_BODY_BYTES // 1024:,} KiB where it holds a picture.",
)


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
            detail = f"the body is larger than {limit_bytes:,} bytes"
            await respond(scope["path"], TOO_LARGE, detail)(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


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
