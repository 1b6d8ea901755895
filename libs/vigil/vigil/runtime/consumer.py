"""A durable pull consumer that survives reconnects, server restarts and its own deletion."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import FetchTimeoutError

from vigil.runtime.cancellation import cancellation_kept
from vigil.runtime.errors import BusUnavailable
from vigil.runtime.nats_errors import describe, translated

_log = structlog.get_logger(__name__)

_BATCH = 32
_FETCH_S = 2.0
_HEARTBEAT_S = 0.5
_ACK_WAIT_S = 30.0
_RETRY_S = 0.25


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored message in hand; unless it is acknowledged within 30 s it comes again."""

    subject: str
    payload: bytes
    headers: Mapping[str, str]
    sequence: int
    delivered: int
    _message: Msg = field(repr=False)

    async def ack(self) -> None:
        """It is done with."""
        with translated(self.subject):
            await self._message.ack()

    async def retry(self, delay_s: float) -> None:
        """Deliver it again after `delay_s`."""
        with translated(self.subject):
            await self._message.nak(delay=delay_s)

    async def give_up(self) -> None:
        """Never deliver it again, though it was not dealt with."""
        with translated(self.subject):
            await self._message.term()


class Consumer(AsyncIterator[Delivery]):
    """Iterate to receive, in an `async with` block. Never ends by itself; trouble is logged and waited out."""

    def __init__(
        self, jetstream: Callable[[], JetStreamContext], stream: str, durable: str, filter_subject: str
    ) -> None:
        self._jetstream = jetstream
        self._stream = stream
        self._durable = durable
        self._filter = filter_subject
        self._pull: JetStreamContext.PullSubscription | None = None
        self._waiting: deque[Msg] = deque()
        self._fault = ""

    async def __aenter__(self) -> "Consumer":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._unsubscribe()

    async def __anext__(self) -> Delivery:
        while not self._waiting:
            try:
                with cancellation_kept():
                    await self._fetch()
            except (NatsError, OSError, BusUnavailable) as error:
                self._report(describe(error))
                await self._unsubscribe()
                await asyncio.sleep(_RETRY_S)
        return _delivery(self._waiting.popleft())

    async def _fetch(self) -> None:
        """Ask for a batch. Silence without heartbeats means that the consumer may be gone: look for it again."""
        if self._pull is None:
            self._pull = await self._bind()
        try:
            self._waiting.extend(await self._pull.fetch(_BATCH, timeout=_FETCH_S, heartbeat=_HEARTBEAT_S))
        except FetchTimeoutError:
            pass  # heartbeats came: there is nothing to deliver
        except TimeoutError:
            await self._unsubscribe()
        else:
            self._report("")

    async def _bind(self) -> JetStreamContext.PullSubscription:
        """Bind to the durable consumer; creates it when it is not there."""
        config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=_ACK_WAIT_S)
        return await self._jetstream().pull_subscribe(
            self._filter, durable=self._durable, stream=self._stream, config=config
        )

    async def _unsubscribe(self) -> None:
        pull, self._pull = self._pull, None
        if pull is not None:
            with contextlib.suppress(NatsError, OSError):
                await pull.unsubscribe()

    def _report(self, fault: str) -> None:
        """Log the first of a row of equal faults, and its end."""
        if fault != self._fault:
            where = {"stream": self._stream, "durable": self._durable}
            if fault:
                _log.warning("consumer waits", reason=fault, **where)
            else:
                _log.info("consumer goes on", **where)
            self._fault = fault


def _delivery(message: Msg) -> Delivery:
    metadata = message.metadata
    return Delivery(
        subject=message.subject,
        payload=message.data,
        headers=message.headers or {},
        sequence=metadata.sequence.stream,
        delivered=metadata.num_delivered or 1,
        _message=message,
    )
