"""`GET /v1/sessions/{id}/ws`: who may open a WebSocket, and how it is closed."""

import structlog
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.api.errors import NoSuchWebSocket
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import problem_of
from vigil_gateway.api.responses import respond_problem
from vigil_gateway.live.events import LiveEvents, listening
from vigil_gateway.live.outflow import CLIENT_GONE
from vigil_gateway.login.credentials import check_handshake, identified
from vigil_gateway.ports import Ports, session_key
from vigil_gateway.websocket.connection import DOOR, OK, Connection

log = get_log()

router = APIRouter(prefix="/v1/sessions/{session}")
other_paths = APIRouter()  # after every other router: the first one that fits is taken

PROTOCOL = "vigil.v1"
# A page cannot set headers, and a key in an address ends up in logs: it offers its key as a second protocol, or the
# browser sends the cookie of its login.
KEY_PROTOCOL = f"{PROTOCOL}.bearer."
NORMAL, GOING_AWAY = 1000, 1001
_CONNECT = "connect"


@router.websocket("/ws")
async def open_websocket(websocket: WebSocket, session: str) -> None:
    """Push pictures, ask, end the session and get its live events. What is refused is answered before the handshake."""
    ports: Ports = websocket.app.state.ports
    try:
        holder = await identified(ports, websocket.headers, offered_key(websocket))
        check_handshake(holder, websocket.headers)  # each message asks for the role that it takes
        ports.rates.count(holder, DOOR)
        structlog.contextvars.bind_contextvars(tenant=holder.tenant)
        key = await session_key(ports, holder.tenant, session)
        async with listening(ports, await ports.store.spec(key)) as events:
            await websocket.accept(PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None)
            metrics.CALLS.labels(DOOR, _CONNECT, OK).inc()
            log.info("websocket opened")
            reason = await _served(Connection(ports, key, holder, websocket), events)
            log.info("websocket closed", reason=reason or "the client left")
            if reason != CLIENT_GONE:
                await websocket.close(GOING_AWAY if ports.draining.is_set() else NORMAL)
    except Exception as error:
        if websocket.application_state is not WebSocketState.CONNECTING:
            raise
        await _deny(websocket, error)


@other_paths.websocket("/{path:path}")
async def refuse_path(websocket: WebSocket, path: str) -> None:
    """Say what there is, where a client looks for a WebSocket at another path."""
    await _deny(websocket, NoSuchWebSocket(f"/{path}"))


def offered_key(websocket: WebSocket) -> str:
    """The API key that the handshake offers as a protocol; empty when there is none."""
    names = websocket.scope["subprotocols"]
    return next((name.removeprefix(KEY_PROTOCOL) for name in names if name.startswith(KEY_PROTOCOL)), "")


async def _served(connection: Connection, events: LiveEvents) -> str:
    try:
        return await connection.run(events)
    except WebSocketDisconnect:
        return CLIENT_GONE


async def _deny(websocket: WebSocket, error: Exception) -> None:
    """Answer the handshake with the problem, as any other request."""
    problem = problem_of(error)
    metrics.CALLS.labels(DOOR, _CONNECT, problem.row.kind).inc()
    log_failure(problem, error, method=_CONNECT)
    await websocket.send_denial_response(respond_problem(problem))
