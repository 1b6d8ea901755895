"""Live events of a session over server-sent events.

The client gets the newest of everything: what a slow one cannot take is dropped, oldest first and kind by kind, and
counted; the next `status` event says how many. Decisions never push an alert out. Those who need every message
subscribe on NATS, where alerts are stored.
"""

import asyncio
from contextlib import AsyncExitStack

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vigil.contract.errors import InvalidMessage
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, SessionEnded, StoreError
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.live.feed import EventKind, LiveEvent, Topic, event, topics
from vigil_gateway.ports import Key, Ports, PortsOf
from vigil_gateway.sessions.status import roles_status

log = get_log()

router = APIRouter(prefix="/v1/sessions/{session}", tags=["events"])

# A client that takes nothing for this long is gone; its connection may not have noticed.
SEND_TIMEOUT_S = 30.0
# After a session's end its last alerts may still be on their way.
LINGER_S = 2.0

CLIENT_GONE = ""

_EXAMPLE = 'event: decision\ndata: {"sequence": 12, "time_s": 12.0, "action": "silent", "p": {"speak": 0.02}}\n\n'

Feed = list[tuple[Topic, KeepLatest[Message]]]
Outlet = asyncio.Queue[LiveEvent]


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`decision`, `utterance`, `alert`, `session` and `status` events; `end` is the last one.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        }
    },
)
async def stream_events(ports: PortsOf, key: Key) -> Response:
    """What happens in the session, live, until it ends. Comment lines are sent while nothing happens."""
    return EventStream(ports, await ports.store.spec(key))


class EventStream(Response):
    """A response that lives as long as its client, its session and this gateway.

    Whichever of the three ends first, all that the stream opened is closed by the task that opened it.
    """

    media_type = "text/event-stream"

    def __init__(self, ports: Ports, spec: SessionSpec) -> None:
        self.background = None
        self.status_code = 200
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._ports = ports
        self._key = SessionKey(spec.tenant, spec.session)
        self._topics = topics(self._key, spec.source.id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            stack.enter_context(self._ports.streams.slot(self._key.tenant))
            feed: Feed = []
            for topic in self._topics:
                subscription = self._ports.bus.subscribe(topic.subject, topic.capacity)
                feed.append((topic, await stack.enter_async_context(subscription)))
            await self._check_open()
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            reason = await self._run(feed, receive, send)
            if reason != CLIENT_GONE:
                await _send(send, event(EventKind.END, {"reason": reason}).encoded(), more=False)

    async def _check_open(self) -> None:
        """Raise `SessionEnded`. After the subscriptions, so that an end in between is not missed."""
        ended = await self._ports.store.ended(self._key)
        if ended is not None:
            raise SessionEnded(self._key, f"the session has ended ({ended.reason}): its history can still be read")

    async def _run(self, feed: Feed, receive: Receive, send: Send) -> str:
        """Write events until there is a reason to stop; returns it. A lost bus is a reason too."""
        outlet: Outlet = asyncio.Queue(maxsize=1)
        try:
            return await first_to_end(
                _disconnected(receive),
                self._write(outlet, send),
                self._drained(),
                self._watch_status(feed, outlet),
                *(_pump(topic, channel, outlet) for topic, channel in feed),
            )
        except BusError as error:
            return f"live events are lost ({error}): connect again"

    async def _write(self, outlet: Outlet, send: Send) -> str:
        ended = False
        while True:
            chunk = KEEPALIVE_COMMENT
            try:
                async with asyncio.timeout(LINGER_S if ended else self._ports.settings.heartbeat_s):
                    live_event = await outlet.get()
                chunk = live_event.encoded()
                ended = ended or live_event.last
                metrics.EVENTS_SENT.labels(live_event.kind).inc()
            except TimeoutError:
                if ended:
                    return "the session ended"
            if not await _send(send, chunk, more=True):
                return CLIENT_GONE

    async def _drained(self) -> str:
        await self._ports.draining.wait()
        return "the gateway is shutting down: connect again"

    async def _watch_status(self, feed: Feed, outlet: Outlet) -> str:
        """Send what the roles say of the session, first at once and then whenever it changes.

        Word of its end can be lost while the bus is away. Seen twice in the store it is the end of the stream; once is
        too soon for the events that come with it.
        """
        last: dict[str, object] = {}
        was_over = False
        while True:
            is_over = await self._is_over()
            if is_over and was_over:
                return "the session ended"
            was_over = is_over
            dropped = {str(topic.kind): channel.dropped for topic, channel in feed}
            current = {"roles": await self._roles(), "dropped": dropped}
            if current != last:
                await outlet.put(event(EventKind.STATUS, current))
                last = current
            await asyncio.sleep(self._ports.settings.status_interval_s)

    async def _is_over(self) -> bool:
        try:
            return await self._ports.store.ended(self._key) is not None
        except StoreError:
            return False

    async def _roles(self) -> object:
        try:
            return await roles_status(self._ports.store, self._key)
        except StoreError as error:
            log.warning("status not read", error=str(error))
            return None


async def _send(send: Send, chunk: bytes, *, more: bool) -> bool:
    """Whether the client took it in time."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
    except TimeoutError:
        return False
    return True


async def _disconnected(receive: Receive) -> str:
    while (await receive())["type"] != "http.disconnect":
        pass
    return CLIENT_GONE


async def _pump(topic: Topic, channel: KeepLatest[Message], outlet: Outlet) -> str:
    """Carry one subject's messages to the outlet; while that waits for the client, the channel keeps the newest."""
    async for message, dropped in channel.counted():
        metrics.EVENTS_DROPPED.labels(topic.kind).inc(dropped)
        try:
            live_event = topic.read(message.payload)
        except InvalidMessage as error:
            metrics.EVENTS_UNREADABLE.labels(topic.kind).inc()
            log.warning("bus message rejected", subject=message.subject, error=str(error))
            continue
        if live_event is not None:
            await outlet.put(live_event)
    return "live events ended: connect again"
