"""What every WebSocket of the gateway does alike: who opens it, how it is refused, with which code it is closed."""

from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from vigil.contract.api_keys import ApiKey
from vigil_gateway import metrics
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import problem_of
from vigil_gateway.api.responses import respond_problem
from vigil_gateway.login.credentials import check_handshake, identified
from vigil_gateway.ports import Ports

OK = "ok"
ABNORMAL = 1006
CONNECT = "connect"

PROTOCOL = "vigil.v1"
# A page cannot set headers, and a key in an address ends up in logs: it offers its key as a second protocol, or the
# browser sends the cookie of its login.
KEY_PROTOCOL = f"{PROTOCOL}.bearer."
_NORMAL, _GOING_AWAY = 1000, 1001


async def holder_of(ports: Ports, websocket: WebSocket) -> ApiKey:
    """Who opens the WebSocket. Raises what `identified` and `check_handshake` raise."""
    holder = await identified(ports, websocket.headers, offered_key(websocket))
    check_handshake(holder, websocket.headers)
    return holder


def offered_key(websocket: WebSocket) -> str:
    """The API key that the handshake offers as a protocol; empty when there is none."""
    names = websocket.scope["subprotocols"]
    return next((name.removeprefix(KEY_PROTOCOL) for name in names if name.startswith(KEY_PROTOCOL)), "")


async def accept(websocket: WebSocket, door: str) -> None:
    """Answer the handshake with yes."""
    await websocket.accept(PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None)
    metrics.CALLS.labels(door, CONNECT, OK).inc()


async def deny(websocket: WebSocket, door: str, error: Exception) -> None:
    """Answer the handshake with the problem, as any other request."""
    problem = problem_of(error)
    metrics.CALLS.labels(door, CONNECT, problem.row.kind).inc()
    log_failure(problem, error, method=CONNECT)
    await websocket.send_denial_response(respond_problem(problem))


async def close(websocket: WebSocket, ports: Ports) -> None:
    """Close it, and say whether the client may come back at once. One that has just left is told nothing."""
    with suppress(WebSocketDisconnect):
        await websocket.close(_GOING_AWAY if ports.draining.is_set() else _NORMAL)
