"""One open WebSocket: what the client says is done, and what happens in the session is told, until one of them ends.

At most one picture waits while another one is shown: a newer one takes its place, for the present is never late. The
answer to the next picture says how many were superseded. A client that wants each of its pictures shown sends the next
one when it has the answer.
"""

import asyncio
from http import HTTPStatus

from starlette.websockets import WebSocket, WebSocketDisconnect

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.core.ids import SessionKey
from vigil.runtime.channel import KeepLatest
from vigil.runtime.process.cancellation import to_the_end
from vigil_gateway import metrics
from vigil_gateway.api.auth import require
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import problem_of
from vigil_gateway.live.events import LiveEvents
from vigil_gateway.live.feed import LiveEvent
from vigil_gateway.live.outflow import CLIENT_GONE, SEND_TIMEOUT_S, withdrawn
from vigil_gateway.ports import Ports
from vigil_gateway.pushed.turns import show
from vigil_gateway.sessions import commands
from vigil_gateway.sessions.lifecycle import end_for_client
from vigil_gateway.websocket.handshake import ABNORMAL, OK
from vigil_gateway.websocket.messages import (
    Ask,
    ClientMessage,
    End,
    Shown,
    accepted_text,
    answer_text,
    event_text,
    id_of,
    problem_text,
    read_binary,
    read_text,
)

DOOR = "websocket"
_PUSH, _UNREADABLE = "push_frame", "unreadable"


class Connection:
    """An accepted WebSocket of one session. `holder` may listen; what changes something takes an operator's key."""

    def __init__(self, ports: Ports, key: SessionKey, holder: ApiKey, websocket: WebSocket) -> None:
        self._ports = ports
        self._key = key
        self._holder = holder
        self._websocket = websocket
        self._pictures: KeepLatest[Shown] = KeepLatest(1)

    async def run(self, events: LiveEvents) -> str:
        """Serve until the client, the session or the gateway ends; returns the reason, `CLIENT_GONE` for the first."""
        return await events.run(
            self._send_event, self._read(), self._show_pictures(), withdrawn(self._ports, self._holder)
        )

    async def _send_event(self, event: LiveEvent | None) -> None:
        if event is not None:  # the server's pings are the sign of life
            await self._websocket.send_text(event_text(event))

    async def _read(self) -> str:
        """Do what the client says, one message after the other."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return CLIENT_GONE
            text, data = message.get("text"), message.get("bytes")
            try:
                read = read_text(text) if text is not None else read_binary(data or b"")
            except Exception as error:  # noqa: BLE001  whatever it is, the client is told
                await self._refuse(_UNREADABLE, id_of(text or ""), error)
            else:
                await to_the_end(self._do(read))  # with its answer, also where it ends the session and this connection

    async def _do(self, message: ClientMessage) -> None:
        method = _PUSH if isinstance(message, Shown) else message.type
        try:
            require(self._holder, KeyRole.OPERATOR)
            if isinstance(message, Shown):
                self._pictures.offer(message)
                return
            self._ports.rates.count(self._holder, DOOR)
            accepted = await self._told(message)
        except Exception as error:  # noqa: BLE001
            self._record(method, problem_of(error).row.status)
            await self._refuse(method, message.id, error)
        else:
            self._record(method, HTTPStatus.ACCEPTED)
            metrics.CALLS.labels(DOOR, method, OK).inc()
            await self._reply(accepted_text(message.id, accepted))

    def _record(self, method: str, status: int) -> None:
        """In the audit. A picture changes nothing: only what its key may not push is recorded."""
        if method == _PUSH and status != HTTPStatus.FORBIDDEN:
            return
        self._ports.audit.record(
            self._holder,
            method=DOOR,
            route=method,
            status=status,
            address=self._websocket.client.host if self._websocket.client else "",
            session=self._key.session,
        )

    async def _told(self, message: Ask | End) -> str:
        """Do it; returns the id of what was accepted."""
        if isinstance(message, Ask):
            return await commands.ask(self._ports, self._key, message.text, message.brain)
        await end_for_client(self._ports, self._key)
        return self._key.session

    async def _show_pictures(self) -> str:
        """Show the newest picture, answer, and so on: for ever."""
        async for picture, superseded in self._pictures.counted():
            try:
                decision = await show(self._ports, self._key, picture.data, picture.options, picture.arrived_us)
            except Exception as error:  # noqa: BLE001
                await self._refuse(_PUSH, picture.id, error)
            else:
                metrics.CALLS.labels(DOOR, _PUSH, OK).inc()
                await self._reply(answer_text(picture.id, decision, superseded))
        return CLIENT_GONE

    async def _refuse(self, method: str, message_id: str | int | None, error: Exception) -> None:
        if isinstance(error, WebSocketDisconnect):
            raise error
        problem = problem_of(error)
        metrics.CALLS.labels(DOOR, method, problem.row.kind).inc()
        log_failure(problem, error, method=method)
        await self._reply(problem_text(message_id, problem))

    async def _reply(self, text: str) -> None:
        """Send what answers a message of the client's. Raises `WebSocketDisconnect` when it takes nothing."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._websocket.send_text(text)
        except TimeoutError:
            raise WebSocketDisconnect(ABNORMAL) from None
