"""Uvicorn's HTTP protocol, with deadlines for what a client sends and a bound on what one address holds open.

Nothing here knows a key yet, so nothing here may cost: a connection that sends no whole request head is closed after
`HEAD_S`, an address that has its share of connections gets no more, and what is still sent of a body that was answered
is thrown away.
"""

import asyncio
from functools import partial
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from vigil_gateway import metrics
from vigil_gateway.api.problems import Problem
from vigil_gateway.api.transport_errors import HEAD_LATE, TOO_MANY_CONNECTIONS
from vigil_gateway.http.client_limit import ClientConnections
from vigil_gateway.http.proxy_header import Address
from vigil_gateway.http.websocket_protocol import WebSocketProtocol

HEAD_S = 10.0
# The body's own deadline (`admission.BODY_S`) answers first; this closes what goes on sending all the same.
BODY_LINGER_S = 35.0
# So much of a body that was answered before it was read is thrown away, so that the client gets to read the answer:
# closing a connection with unread bytes resets it, and the reset may overtake the response.
DRAIN_BYTES = 16 * 1024 * 1024


class HttpProtocol(H11Protocol):
    """One connection. `clients` is shared by all of them; `client` is the address of the client where a proxy has said
    it."""

    def __init__(
        self,
        *arguments: Any,
        clients: ClientConnections,
        head_s: float = HEAD_S,
        linger_s: float = BODY_LINGER_S,
        client: Address | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._clients = clients
        self._behind_proxy = client
        self._head_s = head_s
        self._linger_s = linger_s
        self._host = ""
        self._counted = False
        self._deadline: asyncio.TimerHandle | None = None
        self._awaited: object = None
        self._thrown_away_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._behind_proxy is not None:
            self.client = self._behind_proxy
            self.ws_protocol_class = partial(WebSocketProtocol, client=self.client)  # type: ignore[assignment]
        self._host = self.client[0] if self.client else ""
        self._counted = self._clients.enter(self._host)
        if self._counted:
            self._await(h11.IDLE)
        else:
            metrics.CONNECTIONS_REFUSED.labels("too_many").inc()
            limit = self._clients.limit
            self._refuse(Problem(TOO_MANY_CONNECTIONS, f"this address has {limit} connections open, as many as it may"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY:
            self._thrown_away_bytes += len(data)
            if self._thrown_away_bytes > DRAIN_BYTES:
                self.transport.close()
                return
        super().data_received(data)
        if not self.transport.is_closing() and self.transport.get_protocol() is self:  # no WebSocket by now
            state = self.conn.their_state
            self._await(state if state in (h11.IDLE, h11.SEND_BODY) else None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is not h11.SEND_BODY:
            self._thrown_away_bytes = 0
            self._await(None)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over. It counts as the client's until the WebSocket is closed."""
        self._await(None)
        super().handle_websocket_upgrade(event)
        websocket = self.transport.get_protocol()
        if isinstance(websocket, WebSocketProtocol):
            websocket.on_lost = self._leave

    def _await(self, awaited: object) -> None:
        """Wait for the rest of a head or a body from now on, if not yet; None waits for nothing."""
        if awaited is self._awaited:
            return
        self._awaited = awaited
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if awaited is not None:
            wait_s = self._head_s if awaited is h11.IDLE else self._linger_s
            self._deadline = self.loop.call_later(wait_s, self._late)

    def _late(self) -> None:
        if self.transport.is_closing():
            return
        metrics.CONNECTIONS_REFUSED.labels("late").inc()
        if self._awaited is h11.IDLE and self.conn.our_state is h11.IDLE:
            self._refuse(Problem(HEAD_LATE, f"no whole request head came within {self._head_s:g} s"))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer before there is a request, and close."""
        body = msgspec.json.encode(problem.as_json())
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
        headers += [("Connection", "close"), ("Retry-After", "2")]
        status = problem.row.status
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _leave(self) -> None:
        if self._counted:
            self._counted = False
            self._clients.leave(self._host)
