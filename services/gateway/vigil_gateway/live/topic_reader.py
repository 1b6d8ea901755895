"""One kind of a session's events, in the order of their stream: first what was missed, then live, none twice.

Live events come with their sequence in the stream, for the server publishes what it has stored once more
(`vigil.contract.streams`). What is missed, because the client or the bus was away, is read from the stream.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from vigil.contract.errors import InvalidMessage
from vigil.contract.streams import stream_of
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.live.feed import LiveEvent, Topic

log = get_log()

PAGE = 256
RETRY_S = 0.5
_SEQUENCE = "Nats-Sequence"
# Put into a topic's channel when the bus was away: the stream is looked at before anything live.
LOOK_AGAIN = Message("", b"")


@dataclass(slots=True)
class TopicReader:
    """Events of one topic. `place` is the sequence of the newest event that was given or passed over."""

    bus: Bus
    topic: Topic
    channel: KeepLatest[Message]
    place: int

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Every event after `place`; live ones that a slow client does not take are dropped and counted."""
        async for live_event in self._missed():
            yield live_event
        async for message, dropped in self.channel.counted():
            metrics.EVENTS_DROPPED.labels(self.topic.kind).inc(dropped)
            if message is LOOK_AGAIN:
                self.place = await known_place(self.bus, self.topic, self.place)
                async for live_event in self._missed():
                    yield live_event
            elif (sequence := int(message.headers.get(_SEQUENCE, "0"))) > self.place:
                self.place = sequence
                for live_event in self._read(message.payload, sequence):
                    yield live_event

    async def _missed(self) -> AsyncIterator[LiveEvent]:
        """What the stream has after `place`. While NATS is away this waits: `LOOK_AGAIN` comes when it is back."""
        has_more = True
        while has_more:
            try:
                page = await self.bus.stored(stream_of(self.topic.subject), self.topic.subject, self.place + 1, PAGE)
            except BusError as error:
                log.warning("past events not read", subject=self.topic.subject, reason=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            for message in page.messages:
                self.place = message.sequence
                for live_event in self._read(message.payload, message.sequence):
                    yield live_event
            has_more = page.has_more

    def _read(self, payload: bytes, sequence: int) -> Iterator[LiveEvent]:
        """The event in a message; nothing for one that is not this session's, or cannot be read."""
        try:
            live_event = self.topic.read(payload)
        except InvalidMessage as error:
            metrics.EVENTS_UNREADABLE.labels(self.topic.kind).inc()
            log.warning("bus message rejected", subject=self.topic.subject, error=str(error))
            return
        if live_event is not None:
            yield live_event.at(sequence)


async def known_place(bus: Bus, topic: Topic, place: int | None) -> int:
    """`place`, or the end of the stream for a client that has none. A stream that ends before it was made anew: then
    nothing of it was seen. Raises `BusError`."""
    newest = await bus.last_sequence(stream_of(topic.subject), topic.subject)
    if place is None:
        return newest
    return place if place <= newest else 0
