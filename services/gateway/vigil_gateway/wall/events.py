"""One client's view of its tenant's wall: tiles once a second, alerts and session events as they happen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from vigil.runtime.errors import BusError
from vigil.runtime.process.cancellation import first_to_end
from vigil_gateway import metrics
from vigil_gateway.live import places
from vigil_gateway.live.feed import EventKind, LiveEvent, event, wall_topics
from vigil_gateway.live.outflow import CLIENT_GONE, Feed, drained, look_again, opened, taken
from vigil_gateway.live.places import Places
from vigil_gateway.live.topic_reader import TopicReader
from vigil_gateway.ports import Ports
from vigil_gateway.wall.board import TILE_S, Board

# Writes these events to the client at once; none when nothing has happened for as long as the heartbeat takes.
Send = Callable[[Sequence[LiveEvent]], Awaitable[None]]
Outlet = asyncio.Queue[list[LiveEvent]]


@asynccontextmanager
async def looking(ports: Ports, tenant: str, after: Places) -> AsyncIterator["WallEvents"]:
    """Hold one of the tenant's streams and look at its wall while the block runs. Alerts and session events go on from
    `after`, when a client says where it was.

    Raises `TooManyStreams`, `PortError`.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(ports.streams.slot(tenant))
        arrivals = ports.bus.arrivals
        feed = await stack.enter_async_context(opened(ports.bus, wall_topics(tenant), after))
        board = await stack.enter_async_context(ports.walls.of(tenant))
        yield WallEvents(ports, board, feed, arrivals)


class WallEvents:
    """Events of a tenant, sent for as long as its client and this gateway live. A client that is slow gets the newest
    tile of each session; of alerts and session events it misses the oldest, which is counted."""

    def __init__(self, ports: Ports, board: Board, feed: Feed, arrivals: int) -> None:
        self._ports = ports
        self._board = board
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
                self._board.broken(),
                self._tiles(outlet),
                look_again(self._ports, self._feed, self._arrivals),
                *(self._pump(reader, outlet) for reader in self._feed),
            )
        except BusError as error:
            reason = f"live events are lost ({error}): connect again"
        if reason != CLIENT_GONE:
            await taken(send([event(EventKind.END, {"reason": reason})]))
        return reason

    async def _send_all(self, outlet: Outlet, send: Send) -> str:
        while True:
            live_events: list[LiveEvent] = []
            try:
                async with asyncio.timeout(self._ports.settings.heartbeat_s):
                    live_events = await outlet.get()
            except TimeoutError:
                pass
            if not await taken(send([self._placed(live_event) for live_event in live_events])):
                return CLIENT_GONE
            for live_event in live_events:
                metrics.EVENTS_SENT.labels(live_event.kind).inc()

    def _placed(self, live_event: LiveEvent) -> LiveEvent:
        """The event with the id from which its client can go on. A tile needs none: who comes back gets all anew."""
        if live_event.kind is EventKind.TILE:
            return live_event
        if live_event.sequence:
            self._places[live_event.kind] = live_event.sequence
        return replace(live_event, id=places.written(self._places))

    async def _tiles(self, outlet: Outlet) -> str:
        """Send what changed, at most once a second and in one write: first the status, then a tile for each session."""
        version, last = 0, dict[str, object]()
        while True:
            tiles, version = self._board.since(version)
            live_events = [LiveEvent(EventKind.TILE, data) for data in tiles]
            current: dict[str, object] = {
                "sessions": self._board.open_sessions,
                "dropped": {str(reader.topic.kind): reader.channel.dropped for reader in self._feed},
            }
            if current != last:
                live_events.insert(0, event(EventKind.STATUS, current))
                last = current
            if live_events:
                await outlet.put(live_events)
            await asyncio.sleep(TILE_S)

    async def _pump(self, reader: TopicReader, outlet: Outlet) -> str:
        """Carry one topic's events to the outlet; while that waits for the client, the channel keeps the newest."""
        async for live_event in reader.events():
            if live_event.kind is EventKind.SESSION:
                self._board.look_soon()
            await outlet.put([live_event])
        return "live events ended: connect again"
