"""A tenant's wall over server-sent events."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT
from starlette.responses import Response
from starlette.types import Receive, Scope
from starlette.types import Send as AsgiSend

from vigil.contract.api_keys import ApiKey
from vigil_gateway.live import places
from vigil_gateway.live.feed import LiveEvent
from vigil_gateway.live.outflow import CLIENT_GONE, withdrawn
from vigil_gateway.live.places import Places
from vigil_gateway.live.sse import LastEventId, disconnected, encoded
from vigil_gateway.ports import Holder, Ports, PortsOf
from vigil_gateway.wall.events import looking

router = APIRouter(prefix="/v1", tags=["events"])


@router.get(
    "/wall",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events, each as the schema says: its fields `event` and `id`, and its `data` "
            "in JSON. `status` comes first, then a `tile` for each open session, `end` last.",
            "content": {"text/event-stream": {}},
        }
    },
)
async def stream_wall(ports: PortsOf, holder: Holder, last_event_id: LastEventId = "") -> Response:
    """All of your sessions at a glance, live: a `tile` for each that is open, and again when it changes, at most once a
    second; `alert` and `session` events as they happen. A client that comes back gets every tile anew, and with
    `Last-Event-ID` the alerts and session events that it missed."""
    return WallStream(ports, holder, places.read(last_event_id))


class WallStream(Response):
    """A response that lives as long as its client and this gateway."""

    media_type = "text/event-stream"

    def __init__(self, ports: Ports, holder: ApiKey, after: Places) -> None:
        self.background = None
        self.status_code = 200
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._ports = ports
        self._holder = holder
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
        async def write(live_events: Sequence[LiveEvent]) -> None:
            chunk = b"".join(map(encoded, live_events)) or KEEPALIVE_COMMENT
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        async with looking(self._ports, self._holder.tenant, self._after) as events:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            reason = await events.run(write, disconnected(receive), withdrawn(self._ports, self._holder))
            if reason != CLIENT_GONE:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
