"""`GET /v1/sessions/{id}/ws`: who may open a WebSocket, and how it is closed."""

import structlog
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from vigil.runtime.process.logs import get_log
from vigil_gateway.api.errors import NoSuchWebSocket
from vigil_gateway.live.events import LiveEvents, listening
from vigil_gateway.live.outflow import CLIENT_GONE
from vigil_gateway.ports import Ports, session_key
from vigil_gateway.websocket.connection import DOOR, Connection
from vigil_gateway.websocket.handshake import accept, close, deny, holder_of

log = get_log()

router = APIRouter(prefix="/v1/sessions/{session}")
other_paths = APIRouter()  # after every other router: the first one that fits is taken


@router.websocket("/ws")
async def open_websocket(websocket: WebSocket, session: str) -> None:
    """Push pictures, ask, end the session and get its live events. What is refused is answered before the handshake."""
    ports: Ports = websocket.app.state.ports
    try:
        holder = await holder_of(ports, websocket)  # each message asks for the role that it takes
        ports.rates.count(holder, DOOR)
        structlog.contextvars.bind_contextvars(tenant=holder.tenant)
        key = await session_key(ports, holder.tenant, session)
        async with listening(ports, await ports.store.spec(key)) as events:
            await accept(websocket, DOOR)
            log.info("websocket opened")
            reason = await _served(Connection(ports, key, holder, websocket), events)
            log.info("websocket closed", reason=reason or "the client left")
            if reason != CLIENT_GONE:
                await close(websocket, ports)
    except Exception as error:
        if websocket.application_state is not WebSocketState.CONNECTING:
            raise
        await deny(websocket, DOOR, error)


@other_paths.websocket("/{path:path}")
async def refuse_path(websocket: WebSocket, path: str) -> None:
    """Say what there is, where a client looks for a WebSocket at another path."""
    await deny(websocket, DOOR, NoSuchWebSocket(f"/{path}"))


async def _served(connection: Connection, events: LiveEvents) -> str:
    try:
        return await connection.run(events)
    except WebSocketDisconnect:
        return CLIENT_GONE
