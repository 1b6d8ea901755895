"""Events of one subject: past ones where they are asked for, then live ones, none twice and none left out."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator

from nats.aio.msg import Msg

from vigil_client.history import History
from vigil_client.nats_connection import PENDING_EVENTS, Connection

# Ids by which an event that comes both from the past and live is recognised. After half as many live events the past is
# looked at again, so that none that is still needed is forgotten.
IDS_KNOWN = 16_384
_MESSAGE_ID = "Nats-Msg-Id"


class Feed:
    """What is heard on one subject. Open it, then iterate `payloads`."""

    def __init__(self, connection: Connection, history: History | None) -> None:
        self._connection = connection
        self._history = history
        self._live: asyncio.Queue[Msg] = asyncio.Queue(PENDING_EVENTS)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._missed = history is not None  # events that may only be in the past
        self._woken = asyncio.Event()

    async def open(self, subject: str) -> None:
        """Listen: nothing published from then on is missed. Raises `ClientError`."""
        await self._connection.subscribe(subject, self._take)
        self._connection.on_change = self._changed

    async def payloads(self) -> AsyncIterator[bytes]:
        """Every event, for ever. Raises `Unreachable` when the server has closed the connection for good."""
        given = 0
        while True:
            if self._history is not None and (self._missed or given >= IDS_KNOWN // 2):
                self._missed, given = False, 0
                async for event in self._history.more():
                    if self._is_new(event.id):
                        yield event.payload
            message = await self._next()
            if message is not None and self._is_new((message.headers or {}).get(_MESSAGE_ID, "")):
                given += 1
                yield message.data

    async def _take(self, message: Msg) -> None:
        try:
            self._live.put_nowait(message)
        except asyncio.QueueFull:
            self._missed = True
            self._connection.told("this reader is too slow: live events are left out")
        self._woken.set()

    def _changed(self) -> None:
        """The connection was lost or is back: what was published in between is in the past."""
        self._missed = True
        self._woken.set()

    async def _next(self) -> Msg | None:
        """The next live event; None when the past must be looked at first."""
        while self._live.empty():
            self._connection.check_open()
            if self._missed and self._history is not None and self._connection.client.is_connected:
                return None
            self._woken.clear()
            await self._woken.wait()
        return self._live.get_nowait()

    def _is_new(self, event_id: str) -> bool:
        """Whether the event was not given yet. Without a past nothing is given twice, and what repeats is repeated."""
        if self._history is None or not event_id:
            return True
        if event_id in self._known:
            return False
        self._known[event_id] = None
        if len(self._known) > IDS_KNOWN:
            self._known.popitem(last=False)
        return True
