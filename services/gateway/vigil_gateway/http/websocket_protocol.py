"""Uvicorn's WebSocket protocol, with bounds on what it holds for a client, no error logged for what one sends, and time
to say goodbye when the server stops."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from vigil_gateway.http.proxy_header import Address

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

MAX_FRAGMENTS = 10_000  # of one message: empty ones count towards no number of bytes
# A pong is written for each ping, whether or not the client reads.
MAX_UNREAD_BYTES = 16 * 1024 * 1024
# A stopping server gives what is under way some time. A client that has not closed after this share is cut off.
FAREWELL_SHARE = 0.5


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Closes a connection that breaks the protocol, or that makes the server hold too much."""

    on_lost: Callable[[], None] | None = None

    def __init__(self, *arguments: Any, client: Address | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._behind_proxy = client

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._behind_proxy is not None:
            self.client = self._behind_proxy

    def connection_lost(self, exc: Exception | None) -> None:
        if self.on_lost is not None:
            self.on_lost()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Leave it to the application to say why it ends, and to close: it, too, learns that the server stops. Uvicorn
        itself closes at once, so the client was told nothing whenever uvicorn came first."""
        self.loop.call_later(FAREWELL_SHARE * (self.config.timeout_graceful_shutdown or 0), self.transport.abort)

    def handle_ping(self) -> None:
        super().handle_ping()
        if self.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(CloseCode.MESSAGE_TOO_BIG)
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._fail(CloseCode.INVALID_DATA)
        else:
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """What cannot be read ends the connection. Uvicorn's own takes it for granted that a close frame was sent: the
        client's may have come first."""
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self.close_sent = True
        self.transport.close()

    async def send(self, message: "ASGISendEvent") -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # it was refused: uvicorn would log that as an error

    def _fail(self, code: CloseCode) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code)
            self.handle_parser_exception()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
