"""A stream of live events ends after the last event that came with its session's end, whoever saw the end first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from vigil.core.ids import SessionKey
from vigil.testing.eventually import eventually
from vigil_gateway.live.events import LiveEvents
from vigil_gateway.live.feed import EventKind, LiveEvent, event
from vigil_gateway.live.looks import Look

KEY = SessionKey("demo", "s-1")


@dataclass(slots=True)
class Over:
    """The store of a session that has ended. `count` is how often it was looked at."""

    count: int = 0

    async def at(self, _: SessionKey) -> Look:
        self.count += 1
        return Look(0.0, is_over=True, roles={})


@dataclass(slots=True)
class LateAlert:
    """A topic whose only event comes after several looks at the store."""

    looks: Over
    place: int = 0
    topic: Any = field(default_factory=lambda: SimpleNamespace(kind=EventKind.ALERT))
    channel: Any = field(default_factory=lambda: SimpleNamespace(dropped=0))

    async def events(self) -> AsyncIterator[LiveEvent]:
        await eventually(lambda: self.looks.count >= 5, what="the store is looked at again and again")
        yield event(EventKind.ALERT, {"state": "closed"})
        await asyncio.Event().wait()


async def test_an_alert_that_comes_later_than_word_of_the_end_is_told_before_the_end() -> None:
    looks, told = Over(), list[EventKind]()
    settings = SimpleNamespace(heartbeat_s=30.0, status_interval_s=0.01)
    bus = SimpleNamespace(is_connected=True, arrivals=1)
    ports = SimpleNamespace(settings=settings, looks=looks, draining=asyncio.Event(), bus=bus)

    async def send(live_event: LiveEvent | None) -> None:
        assert live_event is not None
        told.append(live_event.kind)

    events = LiveEvents(cast(Any, ports), KEY, cast(Any, [LateAlert(looks)]), arrivals=1)
    assert await events.run(send) == "the session ended"
    assert told == [EventKind.STATUS, EventKind.ALERT, EventKind.END]
