"""The bus: NATS for what is live, JetStream for what must be stored.

`Bus.connect` returns at once and keeps connecting in the background for as long as it is open, so a process is up
(and not ready) while NATS is down. While there is no connection every call raises `BusUnavailable` at once: what is
live now would be old later, and what must be stored waits in an outbox.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js import JetStreamContext

from vigil.contract import spans
from vigil.contract.outgoing import Outgoing
from vigil.contract.permissions import INBOXES
from vigil.contract.streams import StreamSpec
from vigil.runtime.bus import jetstream, metrics, objects, stored
from vigil.runtime.bus.connection import MAX_PENDING_BYTES, BusConfig, NatsConnection
from vigil.runtime.bus.consumer import Consumer, Terms
from vigil.runtime.bus.jetstream import Place, Stored, StreamSize
from vigil.runtime.bus.nats_errors import translated
from vigil.runtime.bus.round_trip import round_trip
from vigil.runtime.bus.stored import Page, StoredMessage
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusUnavailable, NoResponders
from vigil.runtime.process.trace import TRACEPARENT, AttributeValue, continued, span, with_trace

__all__ = ["Bus", "BusConfig", "Message", "Page", "Place", "Stored", "StoredMessage", "StreamSize"]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_INQUIRY = "Vigil-Inquiry"  # the header of a message that only asks who listens, and of its answer
_ASKED, _HEARD = "asked", "heard"
_NO_RESPONDERS = "503"
ANSWER_S = 0.5  # a reader that has not answered an inquiry by then does not count as listening
_SUBSCRIPTION_MESSAGES = 4_096
_USUAL_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received. `reply` is where its sender waits for an answer; empty when it waits for none."""

    subject: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    reply: str = ""


class Bus:
    """One connection to NATS. Open it with `Bus.connect`."""

    def __init__(self, config: BusConfig) -> None:
        self._timeout_s = config.request_timeout_s
        self._replicas, self._may_update = config.stream_replicas, config.updates_streams
        self._connection = NatsConnection(config, prepare=self.ensure_streams, on_lost=self._end_subscriptions)
        self._channels: set[KeepLatest[Message]] = set()

    @classmethod
    @asynccontextmanager
    async def connect(cls, config: BusConfig) -> AsyncIterator["Bus"]:
        """A bus that stays connected, or keeps trying to, until the block is left."""
        bus = cls(config)
        async with bus._connection.held():
            yield bus

    @property
    def is_connected(self) -> bool:
        """Whether messages can be published and stored now."""
        return self._connection.is_ready

    @property
    def fault(self) -> str:
        """Why it is not connected, or why it was not."""
        return self._connection.fault

    @property
    def arrivals(self) -> int:
        """How often the connection became ready: it grows when the bus was away, and messages were missed."""
        return self._connection.arrivals

    async def connected(self) -> None:
        """Wait until there is a connection and the streams are there."""
        await self._connection.ready()

    async def ping(self) -> None:
        """One round trip to the server and one to JetStream, or `BusUnavailable` that says which of them failed and
        why. What others subscribe to, wildcards included, changes nothing about it."""
        client = self._connection.client()
        if not self.is_connected:
            raise BusUnavailable(f"NATS is there, but not ready: {self._connection.fault}")
        await self._round_trip(client)
        with translated("JetStream"):
            await self._jetstream().account_info()

    async def publish(self, subject: str, payload: bytes, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """Publish at most once, to whoever listens now. Raises `BusUnavailable` or `PayloadTooLarge`."""
        client = self._connection.client()
        if client.pending_data_size + len(payload) > MAX_PENDING_BYTES:
            raise BusUnavailable("NATS takes messages too slowly: this message is dropped")
        with translated(subject):
            await client.publish(subject, payload, headers=with_trace(headers) or None)
        metrics.published(subject, payload)

    async def request(self, subject: str, payload: bytes, timeout_s: float) -> bytes:
        """What a reader of `subject` answers. Raises `NoResponders` at once when nobody listens there,
        `BusUnavailable` when no answer came within `timeout_s`, `PayloadTooLarge`."""
        client = self._connection.client()
        with translated(subject):
            try:
                answer = await client.request(subject, payload, timeout_s, headers=with_trace(_NO_HEADERS) or None)
            except NoRespondersError:
                raise NoResponders(f"{subject}: nobody listens: the worker that shall answer is not there") from None
        metrics.published(subject, payload)
        return answer.data

    async def answer(self, request: Message, payload: bytes) -> None:
        """Answer a `request`. A message that wants no answer gets none. Raises `BusUnavailable`, `PayloadTooLarge`."""
        if _is_inbox(request.reply):
            with translated(request.subject):
                await self._connection.client().publish(request.reply, payload)

    async def is_heard(self, subject: str) -> bool:
        """Whether a reader of `subscribe` listens on `subject` now. Raises `BusUnavailable`.

        Each such reader answers. Somebody who merely looks on, as with `nats sub 'vigil.v1.>'`, does not, and is not
        taken for one.
        """
        client = self._connection.client()
        with translated(subject):
            inbox = await client.subscribe(client.new_inbox())
            try:
                await client.publish(subject, b"", reply=inbox.subject, headers={_INQUIRY: _ASKED})
                async with asyncio.timeout(ANSWER_S):
                    return await _is_answered(inbox)
            except TimeoutError:
                return False
            finally:
                await _end(inbox)

    async def publish_stored(self, outgoing: Outgoing, behind: Place | None = None) -> Stored:
        """Store a message in its stream. A message whose id is stored already is not stored again.

        With `behind` it is stored only while the newest message there is the one that is named, in one step; else this
        raises `StreamMovedOn`. Returns once JetStream has it on disk. Raises `BusUnavailable` (try again),
        `PublishRefused` or `PayloadTooLarge`.
        """
        headers = {jetstream.MESSAGE_ID: outgoing.message_id, "Content-Type": outgoing.content_type}
        if behind is not None:
            headers |= behind.expected
        if outgoing.traceparent:
            headers[TRACEPARENT] = outgoing.traceparent
        with (
            continued({TRACEPARENT: outgoing.traceparent}),
            span(spans.PUBLISH, _publishing(outgoing)),
            metrics.STORE_SECONDS.labels(metrics.kind_of(outgoing.subject)).time(),
            translated(outgoing.subject),
        ):
            found = await jetstream.store(
                self._jetstream(),
                outgoing.subject,
                outgoing.payload,
                with_trace(headers),
                self._replicas,
                may_update=self._may_update,
            )
        metrics.published(outgoing.subject, outgoing.payload)
        return found

    async def last_message_id(self, subject: str) -> str:
        """The id under which the newest message on `subject` is stored; empty when there is none."""
        with translated(subject):
            return await jetstream.last_message_id(self._jetstream(), subject)

    async def last_stored(self, subject: str) -> bytes | None:
        """The payload of the newest message that is stored on `subject`; None when there is none."""
        with translated(subject):
            return await jetstream.last_stored(self._jetstream(), subject)

    async def stored(self, stream: StreamSpec, filter_subject: str, begin: int | datetime, limit: int) -> Page:
        """Messages of a stream from a sequence or a time on, read without a consumer. Raises `BusUnavailable`."""
        with translated(stream.name):
            return await stored.read(self._connection.client(), stream, filter_subject, begin, limit, self._timeout_s)

    async def newest(self, stream: StreamSpec, subjects: Sequence[str]) -> tuple[StoredMessage, ...]:
        """The newest message of each of these subjects, at most 1,024, in one round trip; a subject without a message
        is left out. Raises `BusUnavailable`."""
        if not subjects:
            return ()
        with translated(stream.name):
            return await stored.read_newest(self._connection.client(), stream, subjects, self._timeout_s)

    async def last_sequence(self, stream: StreamSpec, filter_subject: str) -> int:
        """The sequence of the newest message of a stream on `filter_subject`; 0 when there is none. Raises
        `BusUnavailable`."""
        with translated(stream.name):
            return await stored.last_sequence(self._connection.client(), stream, filter_subject, self._timeout_s)

    async def size(self, stream: StreamSpec) -> StreamSize:
        """How much a stream holds now, and may hold. Raises `BusUnavailable`."""
        with translated(stream.name):
            return await jetstream.size(self._jetstream(), stream.name)

    @asynccontextmanager
    async def keep_latest(self, subject: str) -> AsyncIterator[KeepLatest[Message]]:
        """The newest message on `subject`; older messages that wait are dropped and counted."""
        async with self.subscribe(subject, capacity=1) as channel:
            yield channel

    @asynccontextmanager
    async def subscribe(self, subject: str, capacity: int, queue: str = "") -> AsyncIterator[KeepLatest[Message]]:
        """The newest `capacity` messages on `subject`, which may hold wildcards. Of all who subscribe with the same
        `queue` each message goes to one.

        The subscription outlives reconnects. If the client gives the connection up, the iteration raises
        `BusUnavailable`; subscribe again.
        """
        client = self._connection.client()
        channel: KeepLatest[Message] = KeepLatest(capacity)

        async def receive(message: Msg) -> None:
            if message.headers and _INQUIRY in message.headers:
                await _answer(client, message)
            else:
                channel.offer(_received(message))

        with translated(subject):
            subscription = await client.subscribe(subject, queue, cb=receive, pending_msgs_limit=_SUBSCRIPTION_MESSAGES)
        self._channels.add(channel)
        try:
            # From here on the server delivers: a caller may now ask for what will arrive here.
            await self._round_trip(client)
            yield channel
        finally:
            self._channels.discard(channel)
            channel.close()
            await _end(subscription)

    def consume(self, stream: StreamSpec, durable: str, filter_subject: str, terms: Terms = _USUAL_TERMS) -> Consumer:
        """A durable pull consumer. It gets every stored message at least once, also those stored while it was away."""
        return Consumer(self._connection.client, self._jetstream, stream, durable, filter_subject, terms)

    async def ensure_streams(self) -> None:
        """Create what `vigil.contract.streams` declares, or bring it up to date where that may be. Idempotent."""
        with translated("streams"):
            await jetstream.ensure_streams(self._jetstream(), self._replicas, may_update=self._may_update)

    async def put_snapshot(self, name: str, data: bytes) -> None:
        """Store a snapshot under `name`; it replaces an earlier snapshot of that name."""
        with translated(name):
            await objects.put_snapshot(self._jetstream(), name, data)

    async def get_snapshot(self, name: str) -> bytes:
        """Read a snapshot, or raise `SnapshotMissing`."""
        with translated(name):
            return await objects.get_snapshot(self._jetstream(), name)

    async def drop_snapshots(self, names: Sequence[str]) -> None:
        """Remove snapshots; those that are not there stay so."""
        for name in names:
            with translated(name):
                await objects.drop_snapshot(self._jetstream(), name)

    async def put_artefact(self, name: str, data: bytes) -> None:
        """Store a file that a brain made under `name`; it replaces an earlier one of that name."""
        with translated(name):
            await objects.put_artefact(self._jetstream(), name, data)

    async def get_artefact(self, name: str) -> bytes:
        """Read an artefact, or raise `ArtefactMissing`."""
        with translated(name):
            return await objects.get_artefact(self._jetstream(), name)

    async def drop_artefacts(self, names: Sequence[str]) -> None:
        """Remove artefacts; those that are not there stay so."""
        for name in names:
            with translated(name):
                await objects.drop_artefact(self._jetstream(), name)

    async def _round_trip(self, client: Client) -> None:
        with translated("round trip"):
            await round_trip(client, self._timeout_s)

    def _jetstream(self) -> JetStreamContext:
        return self._connection.client().jetstream(timeout=self._timeout_s)

    def _end_subscriptions(self, reason: str) -> None:
        for channel in self._channels:
            channel.close(BusUnavailable(f"the subscription ended: {reason}"))


def _publishing(outgoing: Outgoing) -> dict[str, AttributeValue]:
    return {
        spans.MESSAGING_SYSTEM: "nats",
        spans.MESSAGING_OPERATION: "publish",
        spans.MESSAGING_OPERATION_TYPE: "send",
        spans.MESSAGING_DESTINATION: outgoing.subject,
        spans.MESSAGE_ID: outgoing.message_id,
    }


def _received(message: Msg) -> Message:
    return Message(message.subject, message.data, message.headers or _NO_HEADERS, message.reply)


def _is_inbox(reply: str) -> bool:
    """Whether it is the inbox of a service. Otherwise a downstream system, which may publish requests for past events,
    could choose where a service publishes."""
    return reply.startswith(f"{INBOXES}.")


async def _answer(client: Client, inquiry: Msg) -> None:
    """Say that this reader listens. A service that gets no answer asks again."""
    if not _is_inbox(inquiry.reply):
        return
    with contextlib.suppress(NatsError, OSError):
        await client.publish(inquiry.reply, headers={_INQUIRY: _HEARD})


async def _is_answered(inbox: Subscription) -> bool:
    """Whether a reader answers; False as soon as the server says that there is no subscription at all."""
    async for message in inbox.messages:
        headers = message.headers or _NO_HEADERS
        if headers.get(_INQUIRY) == _HEARD:
            return True
        if headers.get("Status") == _NO_RESPONDERS:
            return False
    return False


async def _end(subscription: Subscription) -> None:
    with contextlib.suppress(NatsError, OSError):
        await subscription.unsubscribe()
