"""A durable pull consumer that survives reconnects, server restarts and its own deletion."""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import NotFoundError

from vigil.contract.streams import Retention, StreamSpec
from vigil.runtime.bus import jetstream
from vigil.runtime.bus.nats_errors import translated
from vigil.runtime.bus.pull import Pull
from vigil.runtime.errors import BusUnavailable, describe
from vigil.runtime.process.cancellation import cancellation_kept
from vigil.runtime.process.logs import get_log

log = get_log()

_BATCH = 32
_RETRY_S = 0.25
_WINDOW = 1_000
_NANOSECONDS = 1_000_000_000
# Of a consumer's configuration: its names, where it began, and what changes nothing about what is delivered.
_FREE = frozenset(
    {
        "name",
        "durable_name",
        "description",
        "metadata",
        "deliver_policy",
        "opt_start_seq",
        "opt_start_time",
        "max_waiting",
        "num_replicas",
    }
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a durable consumer is served. A later use may have other terms, except another `from_now`; a `forget_s` above
    0 cannot become 0 again.

    A message that is not acknowledged within `ack_wait_s` is delivered again. At most `window` of them are out at once.
    With `in_order`, the messages after it
    wait until it is acknowledged or given up. With `from_now`, messages stored before the consumer was first made are
    skipped, except in a work queue. A consumer that is deleted while it is used continues where it was. A consumer
    that nobody uses for `forget_s` is deleted; 0 keeps it for ever.
    """

    ack_wait_s: float = 30.0
    in_order: bool = False
    window: int = _WINDOW
    from_now: bool = False
    forget_s: float = 0.0

    @property
    def most_out(self) -> int:
        """Messages that may be delivered and not acknowledged."""
        return 1 if self.in_order else self.window


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored message that was delivered. Unless it is acknowledged in time, it is delivered again."""

    subject: str
    payload: bytes
    headers: Mapping[str, str]
    sequence: int
    delivered: int
    _message: Msg = field(repr=False)

    async def ack(self) -> None:
        """Acknowledge it: it was handled."""
        with translated(self.subject):
            await self._message.ack()

    async def retry(self, delay_s: float) -> None:
        """Deliver it again after `delay_s`."""
        with translated(self.subject):
            await self._message.nak(delay=delay_s)

    async def keep(self) -> None:
        """Say that it is still being handled: `ack_wait_s` begins anew."""
        with translated(self.subject):
            await self._message.in_progress()

    async def give_up(self) -> None:
        """Never deliver it again, although it was not handled."""
        with translated(self.subject):
            await self._message.term()


class Consumer(AsyncIterator[Delivery]):
    """Iterate to receive, in an `async with` block. The iteration never ends by itself: after a fault it goes on. What
    came and was not taken is handed back when the block is left: it is delivered again at once.

    On a work queue, consumers of one durable name share the messages: each message goes to one of them. What a work
    queue holds has not been acknowledged, so a consumer of it begins with the oldest message.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        jetstream: Callable[[], JetStreamContext],
        stream: StreamSpec,
        durable: str,
        filter_subject: str,
        terms: Terms,
    ) -> None:
        self._client = client
        self._jetstream = jetstream
        self._stream = stream.name
        self._takes_work = stream.retention is Retention.WORK_QUEUE
        self._durable = durable
        self._filter = filter_subject
        self._terms = terms
        self.exists = False  # whether the server has it: from then on it misses no message
        self.left = 0  # messages that were out, without an acknowledgement, when it was first bound: they come again
        self._pull: Pull | None = None
        self._fault = ""
        self._created: datetime.datetime | None = None  # when the stream that was last read was made
        self._next = 0  # in that stream: sequence of the delivered message, or of the next message
        self._again: int | None = None  # after a renewal: the sequence with which the new consumer begins

    async def __aenter__(self) -> "Consumer":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pull, self._pull = self._pull, None
        if pull is not None:
            await pull.hand_back()

    async def __anext__(self) -> Delivery:
        while True:
            try:
                with cancellation_kept():
                    self._pull = self._pull or await self._bind()
                message = await self._pull.next()
            except (NatsError, OSError, BusUnavailable) as error:
                await self._stalled(describe(error))
            else:
                self._report("")
                delivery = _delivery(message)
                self._next = delivery.sequence
                return delivery

    async def differences(self) -> tuple[str, ...]:
        """What somebody else has changed in the server's consumer, in words; none while there is none. Raises
        `BusUnavailable`."""
        with translated(self._durable):
            there = await jetstream.consumer_config(self._jetstream(), self._stream, self._durable)
        if there is None or not self.exists:
            return ()
        wanted = self._wanted(there)
        names = sorted({*there, *wanted} - _FREE)
        return tuple(
            f"{name} is {there.get(name)!r} and not {wanted.get(name)!r}"
            for name in names
            if there.get(name) != wanted.get(name)
        )

    async def renew(self) -> None:
        """Delete the server's consumer: the iteration makes it again, and begins with the oldest message that was not
        acknowledged, whatever is taken meanwhile of what came before. Raises `BusUnavailable`."""
        with translated(self._durable):
            info = await self._find(self._jetstream())
            if info is not None and info.ack_floor is not None:
                self._again = info.ack_floor.stream_seq + 1
            with contextlib.suppress(NotFoundError):
                await self._jetstream().delete_consumer(self._stream, self._durable)

    def _wanted(self, there: Mapping[str, object]) -> dict[str, object]:
        """The server's form of a consumer of these terms, without what does not matter (`_FREE`)."""
        forget_s = self._terms.forget_s
        threshold = round(forget_s * _NANOSECONDS) if forget_s else there.get("inactive_threshold")
        wanted = {
            "ack_policy": "explicit",
            "replay_policy": "instant",
            "ack_wait": round(self._terms.ack_wait_s * _NANOSECONDS),
            "filter_subject": self._filter,
            "max_ack_pending": self._terms.most_out,
            "max_deliver": -1,
        }
        return wanted if threshold is None else wanted | {"inactive_threshold": threshold}

    async def _stalled(self, reason: str) -> None:
        """The consumer or the server may be gone: look for it again a little later."""
        self._report(reason)
        pull, self._pull = self._pull, None
        if pull is not None:
            await pull.leave()
        await asyncio.sleep(_RETRY_S)

    async def _bind(self) -> Pull:
        """Bind to the durable consumer. Creates it when it is missing, and updates it to these terms."""
        jetstream = self._jetstream()
        created = (await jetstream.stream_info(self._stream)).created
        info = await self._find(jetstream)
        if info is None:
            info = await jetstream.add_consumer(self._stream, self._new(created))
            self._again = None
        elif (wanted := self._updated(info.config)) != info.config:
            info = await jetstream.add_consumer(self._stream, wanted)
        if created != self._created and info.ack_floor is not None:
            self._created, self._next = created, info.ack_floor.stream_seq + 1
        if not self.exists:
            self.exists, self.left = True, info.num_ack_pending or 0
        batch = 1 if self._terms.in_order else _BATCH
        return await Pull.begin(self._client(), self._stream, self._durable, batch)

    async def _find(self, jetstream: JetStreamContext) -> ConsumerInfo | None:
        try:
            found: ConsumerInfo = await jetstream.consumer_info(self._stream, self._durable)
        except NotFoundError:
            return None
        return found

    def _updated(self, there: ConsumerConfig) -> ConsumerConfig:
        """The existing consumer with these terms. An unchanged consumer must not be written again: a server that has
        just restarted would start it over. Its start cannot be changed."""
        return replace(
            there,
            max_ack_pending=self._terms.most_out,
            ack_wait=self._terms.ack_wait_s,
            filter_subject=self._filter,
            inactive_threshold=self._terms.forget_s or there.inactive_threshold,
        )

    def _new(self, created: datetime.datetime | None) -> ConsumerConfig:
        """A new consumer that continues where the deleted consumer was, if the stream is the same. A stream that was
        made again is read from its beginning. So is a work queue: JetStream accepts no other start there."""
        terms = self._terms
        is_same = self._created is not None and created == self._created and not self._takes_work
        first_begin = (
            DeliverPolicy.NEW
            if terms.from_now and self._created is None and not self._takes_work
            else DeliverPolicy.ALL
        )
        return ConsumerConfig(
            name=self._durable,
            durable_name=self._durable,
            filter_subject=self._filter,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=terms.ack_wait_s,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE if is_same else first_begin,
            opt_start_seq=(self._next if self._again is None else self._again) if is_same else None,
            max_ack_pending=terms.most_out,
            inactive_threshold=terms.forget_s or None,
        )

    def _report(self, fault: str) -> None:
        """Log a fault when it begins and when it ends, not each time that it repeats."""
        if fault != self._fault:
            where = {"stream": self._stream, "durable": self._durable}
            if fault:
                log.warning("consumer stalled", reason=fault, **where)
            else:
                log.info("consumer resumed", **where)
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
