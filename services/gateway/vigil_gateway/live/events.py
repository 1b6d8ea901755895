"""One session's live events, whichever door they leave through: server-sent events, gRPC or a WebSocket.

The client gets the newest of everything: what a slow one cannot take is dropped, oldest first and kind by kind, and
counted; the next `status` event says how many. Decisions never push an alert out. A client that was away goes on where
it was, when it says where that is (`places`); so does the gateway when NATS was away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.errors import BusError, SessionEnded
from vigil.runtime.process.cancellation import first_to_end
from vigil_gateway import metrics
from vigil_gateway.live import places
from vigil_gateway.live.feed import EventKind, LiveEvent, Topic, event, topics
from vigil_gateway.live.outflow import CLIENT_GONE, Feed, drained, look_again, opened, taken
from vigil_gateway.live.places import Places
from vigil_gateway.live.topic_reader import TopicReader
from vigil_gateway.ports import Ports

# After a session's end its last alerts may still be on their way.
LINGER_S = 2.0

# Writes one event to the client; None when nothing has happened for as long as the heartbeat takes.
Send = Callable[[LiveEvent | None], Awaitable[None]]
Outlet = asyncio.Queue[LiveEvent | None]  # None: the store says that the session is over


@asynccontextmanager
async def listening(
    ports: Ports, spec: SessionSpec, after: Places | None = None, wanted: Sequence[Topic] | None = None
) -> AsyncIterator["LiveEvents"]:
    """Hold one of the tenant's streams and listen to the session while the block runs, from `after` on when a client
    says where it was; it may then still hear how a session went that has ended meanwhile. `wanted` is what to listen
    to; left out, it is everything.

    Raises `TooManyStreams`, `SessionEnded`. All that is opened is closed by the task that opened it.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(ports.streams.slot(spec.tenant))
        arrivals = ports.bus.arrivals
        of_all = topics(spec.key, spec.source.id) if wanted is None else wanted
        feed = await stack.enter_async_context(opened(ports.bus, of_all, after or {}))
        if not after:
            await _check_open(ports, spec.key)
        yield LiveEvents(ports, spec.key, feed, arrivals)


class LiveEvents:
    """Events of one session, sent for as long as its client, the session and this gateway live."""

    def __init__(self, ports: Ports, key: SessionKey, feed: Feed, arrivals: int) -> None:
        self._ports = ports
        self._key = key
        self._feed = feed
        self._arrivals = arrivals
        self._places = {reader.topic.kind: reader.place for reader in feed}  # of what was sent

    async def run(self, send: Send, *others: Coroutine[Any, Any, str]) -> str:
        """Send events until there is a reason to stop, then `end` with the reason; returns it.

        Each of `others` may end the stream too, by returning a reason. `CLIENT_GONE` is sent to nobody.
        """
        outlet: Outlet = asyncio.Queue(maxsize=1)
        try:
            reason = await first_to_end(
                *others,
                self._send_all(outlet, send),
                drained(self._ports),
                self._watch_status(outlet),
                look_again(self._ports, self._feed, self._arrivals),
                *(_pump(reader, outlet) for reader in self._feed),
            )
        except BusError as error:
            reason = f"live events are lost ({error}): connect again"
        if reason != CLIENT_GONE:
            await taken(send(event(EventKind.END, {"reason": reason})))
        return reason

    async def _send_all(self, outlet: Outlet, send: Send) -> str:
        ended = False
        while True:
            live_event: LiveEvent | None = None
            try:
                async with asyncio.timeout(LINGER_S if ended else self._ports.settings.heartbeat_s):
                    live_event = await outlet.get()
                if live_event is None:
                    ended = True
                    continue
                ended = ended or live_event.last
            except TimeoutError:
                if ended:
                    return "the session ended"
            if not await taken(send(live_event and self._placed(live_event))):
                return CLIENT_GONE
            if live_event is not None:
                metrics.EVENTS_SENT.labels(live_event.kind).inc()

    def _placed(self, live_event: LiveEvent) -> LiveEvent:
        """The event with the id from which its client can go on."""
        if live_event.sequence:
            self._places[live_event.kind] = live_event.sequence
        return replace(live_event, id=places.written(self._places))

    async def _watch_status(self, outlet: Outlet) -> str:
        """Send what the roles say of the session, first at once and then whenever it changes.

        Word of its end can be lost while the bus is away: then the store has it. The stream goes on for as long as
        after the word, for the events that come with the end.
        """
        last: dict[str, object] = {}
        was_over = False
        while True:
            look = await self._ports.looks.at(self._key)
            if look.is_over and not was_over:
                was_over = True
                await outlet.put(None)
            dropped = {str(reader.topic.kind): reader.channel.dropped for reader in self._feed}
            current: dict[str, object] = {"roles": look.roles, "dropped": dropped}
            if current != last:
                await outlet.put(event(EventKind.STATUS, current))
                last = current
            await asyncio.sleep(self._ports.settings.status_interval_s)


async def _check_open(ports: Ports, key: SessionKey) -> None:
    """Raise `SessionEnded`. After the subscriptions, so that an end in between is not missed."""
    ended = await ports.store.ended(key)
    if ended is not None:
        raise SessionEnded(key, f"the session has ended ({ended.reason}): its history can still be read")


async def _pump(reader: TopicReader, outlet: Outlet) -> str:
    """Carry one topic's events to the outlet; while that waits for the client, the channel keeps the newest."""
    async for live_event in reader.events():
        await outlet.put(live_event)
    return "live events ended: connect again"
