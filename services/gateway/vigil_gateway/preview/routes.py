"""The smooth picture of a session: pictures that replace each other, as a browser's image element shows them."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope
from starlette.types import Send as AsgiSend

from vigil.contract.api_keys import ApiKey
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import SessionEnded, StoreError
from vigil.runtime.process.cancellation import first_to_end
from vigil_gateway import metrics
from vigil_gateway.alerts.snapshots import JPEG
from vigil_gateway.api.errors import NoPreview
from vigil_gateway.live.outflow import CLIENT_GONE, drained, taken, withdrawn
from vigil_gateway.live.sse import disconnected
from vigil_gateway.ports import Holder, Key, Ports, PortsOf

BOUNDARY = "vigil-picture"
MEDIA_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
_DELIMITER = f"--{BOUNDARY}\r\n".encode()

router = APIRouter(prefix="/v1/sessions/{session}", tags=["turns"])


@router.get(
    "/preview",
    response_class=Response,
    responses={
        200: {
            "description": "JPEGs of which each replaces the one before, at most ten a second and 960 pixels wide",
            "content": {"multipart/x-mixed-replace": {}},
        }
    },
)
async def show_preview(ports: PortsOf, key: Key, holder: Holder) -> Response:
    """What the camera shows now, smoothly, until the session ends: for people, where the model sees a picture a second.
    The pictures are made only while somebody looks. A slow client gets fewer of them, the newest. Where a client pushes
    the pictures there is no preview: it has them itself."""
    spec = await ports.store.spec(key)
    if Role.INGESTION not in spec.roles:
        raise NoPreview(key.session)
    ended = await ports.store.ended(key)
    if ended is not None:
        raise SessionEnded(key, f"the session has ended ({ended.reason}): it shows nothing any more")
    return PreviewStream(ports, key, holder)


class PreviewStream(Response):
    """A response that lives as long as its client, its session and this gateway."""

    media_type = MEDIA_TYPE

    def __init__(self, ports: Ports, key: SessionKey, holder: ApiKey) -> None:
        self.background = None
        self.status_code = 200
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"})
        self._ports = ports
        self._key = key
        self._holder = holder

    async def __call__(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
        ports = self._ports
        with ports.previews.slot(self._key.tenant):
            async with ports.shows.of(self._key) as pictures:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                reason = await first_to_end(
                    disconnected(receive),
                    withdrawn(ports, self._holder),
                    drained(ports),
                    _session_over(ports, self._key),
                    _send_all(pictures, send),
                )
            if reason != CLIENT_GONE:
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_all(pictures: KeepLatest[bytes], send: AsgiSend) -> str:
    """Each part ends with the next one's delimiter: a browser shows a picture when it has read that."""
    body = _DELIMITER
    async for jpeg, dropped in pictures.counted():
        metrics.PREVIEW_DROPPED.inc(dropped)
        body += f"Content-Type: {JPEG}\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n" + _DELIMITER
        if not await taken(send({"type": "http.response.body", "body": body, "more_body": True})):
            return CLIENT_GONE
        metrics.PREVIEW_SENT.inc()
        body = b""
    return "the preview ended: connect again"


async def _session_over(ports: Ports, key: SessionKey) -> str:
    while True:
        await asyncio.sleep(ports.settings.status_interval_s)
        try:
            if await ports.store.ended(key) is not None:
                return "the session ended"
        except StoreError:
            continue
