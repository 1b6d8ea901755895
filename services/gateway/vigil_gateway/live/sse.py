"""Live events of a session over server-sent events."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope
from starlette.types import Send as AsgiSend

from vigil.contract.api_keys import ApiKey
from vigil.core.session import SessionSpec
from vigil_gateway.live import places
from vigil_gateway.live.events import listening
from vigil_gateway.live.feed import LiveEvent
from vigil_gateway.live.outflow import CLIENT_GONE, withdrawn
from vigil_gateway.live.places import Places
from vigil_gateway.ports import Holder, Key, Ports, PortsOf

router = APIRouter(prefix="/v1/sessions/{session}", tags=["events"])

LastEventId = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        pattern=places.PATTERN,
        max_length=400,
        description="The `id` of the last event that the client has: the stream goes on after it, nothing left out and "
        "nothing twice, as far back as events are kept (decisions and utterances a day, alerts and session events 7)",
    ),
]

_EXAMPLE = (
    'event: decision\\nid: d12-u3-a0-s2-t0-p0-m0-h0-v0\\ndata: {"sequence": 12, "time_s": 12.0, "action": "silent", …}'
)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events, each as the schema says: its fields `event` and `id`, and its `data` "
            f"in JSON. `status` comes first, `end` last. On the wire: `{_EXAMPLE}`",
            "content": {"text/event-stream": {}},
        }
    },
)
async def stream_events(ports: PortsOf, key: Key, holder: Holder, last_event_id: LastEventId = "") -> Response:
    """What happens in the session, live, until it ends. Comment lines are sent while nothing happens."""
    return EventStream(ports, await ports.store.spec(key), holder, places.read(last_event_id))


class EventStream(Response):
    """A response that lives as long as its client, its session and this gateway."""

    media_type = "text/event-stream"

    def __init__(self, ports: Ports, spec: SessionSpec, holder: ApiKey, after: Places) -> None:
        self.background = None
        self.status_code = 200
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._ports = ports
        self._spec = spec
        self._holder = holder
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
        async def write(live_event: LiveEvent | None) -> None:
            chunk = KEEPALIVE_COMMENT if live_event is None else encoded(live_event)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        async with listening(self._ports, self._spec, self._after) as events:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            reason = await events.run(write, disconnected(receive), withdrawn(self._ports, self._holder))
            if reason != CLIENT_GONE:
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def encoded(live_event: LiveEvent) -> bytes:
    """The event as a client of server-sent events reads it."""
    return format_sse_event(event=live_event.kind, data_str=live_event.data.decode(), id=live_event.id or None)


async def disconnected(receive: Receive) -> str:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    return CLIENT_GONE
