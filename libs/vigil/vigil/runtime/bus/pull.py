"""Asks JetStream for the messages of a durable consumer, batch after batch, and hands back those that nobody took.

The protocol is that of NATS's architecture decision 13 (pull requests). nats-py's `fetch` forgets what it received when
it is cancelled, and what is under way when its subscription ends: the server would deliver that again only after the
acknowledgement wait, behind what was stored meanwhile.
"""

import asyncio
import contextlib
import json
from collections import deque

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from vigil.runtime.bus.round_trip import round_trip
from vigil.runtime.errors import BusUnavailable

_REQUEST_S = 2.0  # after this the server forgets a request
_HEARTBEAT_S = 0.5
_SILENCE_S = 2.0  # so long without message and heartbeat: the consumer may be gone
_NANOSECONDS = 1_000_000_000
_STATUS, _DESCRIPTION = "Status", "Description"
_HEARTBEAT = "100"
_OVER = frozenset({"404", "408"})  # the request is over: nothing to deliver, or its time has passed


class Pull:
    """The messages of one consumer, while this one asks for them. Open it with `Pull.begin`."""

    def __init__(self, client: Client, subject: str, batch: int) -> None:
        self._client = client
        self._subject = subject
        self._batch = batch
        self._asked = 0  # messages that the server may still deliver for the last request
        self._fault = ""
        self._received: deque[Msg] = deque()
        self._came = asyncio.Event()
        self._inbox: Subscription

    @classmethod
    async def begin(cls, client: Client, stream: str, durable: str, batch: int) -> "Pull":
        """Listen for messages of the consumer `durable`; at most `batch` of them are asked for at once."""
        pull = cls(client, f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", batch)
        pull._inbox = await client.subscribe(client.new_inbox(), cb=pull._receive)
        return pull

    async def next(self) -> Msg:
        """The next message, however long it takes. Raises `BusUnavailable` when the server ends the request for a
        fault, or is silent."""
        while not self._received:
            if self._fault:
                raise BusUnavailable(self._fault)
            self._came.clear()
            if not self._asked:
                await self._ask()
            try:
                async with asyncio.timeout(_SILENCE_S):
                    await self._came.wait()
            except TimeoutError:
                if await self._is_silent():
                    raise BusUnavailable(f"no message and no heartbeat for {_SILENCE_S:g} s") from None
        return self._received.popleft()

    async def leave(self) -> None:
        """Listen no longer, at once: for a server that does not answer."""
        with contextlib.suppress(NatsError, OSError):
            await self._inbox.unsubscribe()

    async def hand_back(self) -> None:
        """Listen no longer, and have the server deliver at once, to whoever asks, what came and was not taken."""
        with contextlib.suppress(NatsError, OSError):
            await self._client._send_unsubscribe(self._inbox._id)  # the server's half: what it has sent still arrives
            await round_trip(self._client, _SILENCE_S)
        await self.leave()
        for message in self._received:
            with contextlib.suppress(NatsError, OSError):
                await message.nak()

    async def _is_silent(self) -> bool:
        """Whether the server has sent nothing. When this process has stood still, the time is over although messages
        wait to be read; to leave then would lose them until their acknowledgement wait is over."""
        with contextlib.suppress(NatsError, OSError):
            await round_trip(self._client, _SILENCE_S)
        return not self._came.is_set()

    async def _ask(self) -> None:
        self._asked = self._batch
        request = {
            "batch": self._batch,
            "expires": round(_REQUEST_S * _NANOSECONDS),
            "idle_heartbeat": round(_HEARTBEAT_S * _NANOSECONDS),
        }
        await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox.subject)

    async def _receive(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get(_STATUS)
        if status is None:
            self._asked = max(0, self._asked - 1)
            self._received.append(message)
        elif status in _OVER:
            self._asked = 0
        elif status != _HEARTBEAT:
            self._fault = f"the server ended the request: {headers.get(_DESCRIPTION, '')} ({status})"
        self._came.set()
