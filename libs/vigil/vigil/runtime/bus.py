"""The bus: NATS for what is live, JetStream for what must be stored.

`Bus.connect` returns at once and keeps connecting in the background for as long as it is open, so a process is up
(and not ready) while NATS is down. While there is no connection every call raises `BusUnavailable` at once: what is
live would be stale later, and what must be stored waits in an outbox.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError
from nats.js import JetStreamContext

from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import StreamSpec
from vigil.runtime import jetstream
from vigil.runtime.config import masked_url
from vigil.runtime.consumer import Consumer
from vigil.runtime.errors import BusError, BusUnavailable
from vigil.runtime.jetstream import Stored
from vigil.runtime.keep_latest import KeepLatest
from vigil.runtime.nats_errors import describe, translated
from vigil.runtime.trace import TRACEPARENT, with_trace

_log = structlog.get_logger(__name__)

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_CONNECT_TIMEOUT_S = 2
# A server that stops reading must cost frames, neither memory nor time: at nats-py's own limit `publish` would wait.
_MAX_PENDING_BYTES = 8 << 20
_CLIENT_PENDING_BYTES = 2 * _MAX_PENDING_BYTES
_CLOSE_S = 2.0
_SUBSCRIPTION_MESSAGES = 4_096


@dataclass(frozen=True, slots=True)
class BusConfig:
    """`url` may hold user and password; several servers are separated by commas. Times are in seconds."""

    url: str
    name: str = "vigil"
    request_timeout_s: float = 2.0
    reconnect_wait_s: float = 0.25
    ping_interval_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received."""

    subject: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Bus:
    """One connection to NATS. Open it with `Bus.connect`."""

    def __init__(self, config: BusConfig) -> None:
        self._config = config
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._fault = "not connected yet"
        self._channels: set[KeepLatest[Message]] = set()

    @classmethod
    @asynccontextmanager
    async def connect(cls, config: BusConfig) -> AsyncIterator["Bus"]:
        """A bus that stays connected, or keeps trying to, until the block is left."""
        bus = cls(config)
        task = asyncio.create_task(bus._stay_connected(), name="bus")
        try:
            yield bus
        finally:
            await _ended(task)

    @property
    def is_connected(self) -> bool:
        """Whether messages can be published now."""
        return self._connected.is_set()

    async def connected(self) -> None:
        """Wait until there is a connection and the streams are there."""
        await self._connected.wait()

    async def ping(self) -> None:
        """One round trip to the server, or `BusUnavailable` that says why not."""
        client = self._live()
        with translated("ping"):
            await client.flush(timeout=max(1, round(self._config.request_timeout_s)))

    async def publish(self, subject: str, payload: bytes, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """Publish at most once, to whoever listens now. Raises `BusUnavailable` or `PayloadTooLarge`."""
        client = self._live()
        if client.pending_data_size + len(payload) > _MAX_PENDING_BYTES:
            raise BusUnavailable("NATS takes messages too slowly: this one is dropped")
        with translated(subject):
            await client.publish(subject, payload, headers=with_trace(headers) or None)

    async def publish_stored(self, outgoing: Outgoing) -> Stored:
        """Store a message in its stream; one that is there already is not stored again.

        Returns once JetStream has it on disk. Raises `BusUnavailable` (try again), `PublishRefused` or
        `PayloadTooLarge`.
        """
        headers = {"Nats-Msg-Id": outgoing.message_id, "Content-Type": outgoing.content_type}
        if outgoing.traceparent:
            headers[TRACEPARENT] = outgoing.traceparent
        with translated(outgoing.subject):
            return await jetstream.store(self._jetstream(), outgoing.subject, outgoing.payload, with_trace(headers))

    @asynccontextmanager
    async def keep_latest(self, subject: str) -> AsyncIterator[KeepLatest[Message]]:
        """The newest message on `subject`; what it supersedes is dropped and counted."""
        async with self.subscribe(subject, capacity=1) as channel:
            yield channel

    @asynccontextmanager
    async def subscribe(self, subject: str, capacity: int) -> AsyncIterator[KeepLatest[Message]]:
        """The newest `capacity` messages on `subject`, which may hold wildcards.

        The subscription outlives reconnects. If the client gives the connection up, the iteration raises
        `BusUnavailable`; subscribe again.
        """
        client = self._live()
        channel: KeepLatest[Message] = KeepLatest(capacity)

        async def receive(message: Msg) -> None:
            channel.offer(_received(message))

        with translated(subject):
            subscription = await client.subscribe(subject, cb=receive, pending_msgs_limit=_SUBSCRIPTION_MESSAGES)
            # Interest is registered when this returns: a caller may ask for what it is about to listen to.
            await client.flush(timeout=max(1, round(self._config.request_timeout_s)))
        self._channels.add(channel)
        try:
            yield channel
        finally:
            self._channels.discard(channel)
            channel.close()
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    def consume(self, stream: StreamSpec, durable: str, filter_subject: str) -> Consumer:
        """A durable pull consumer: every stored message at least once, also those stored while nobody listened."""
        return Consumer(self._jetstream, stream.name, durable, filter_subject)

    async def ensure_streams(self) -> None:
        """Create what `vigil.contract.streams` declares, or bring it up to date. Idempotent."""
        with translated("streams"):
            await jetstream.ensure_streams(self._jetstream())

    async def put_snapshot(self, name: str, data: bytes) -> None:
        """Store a snapshot under `name`; a later one of the same name replaces it."""
        with translated(name):
            await jetstream.put_snapshot(self._jetstream(), name, data)

    async def get_snapshot(self, name: str) -> bytes:
        """Read a snapshot, or raise `SnapshotMissing`."""
        with translated(name):
            return await jetstream.get_snapshot(self._jetstream(), name)

    def _live(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise BusUnavailable(f"no connection to NATS ({self._fault}): check that it runs and that its URL is right")
        return self._client

    def _jetstream(self) -> JetStreamContext:
        return self._live().jetstream(timeout=self._config.request_timeout_s)

    async def _stay_connected(self) -> None:
        """Hold a connection until cancelled. nats-py reconnects by itself; a connection that the server ended for
        good (an authorization error, a limit) is replaced by a new one."""
        while True:
            client = Client()
            changed = asyncio.Event()
            try:
                await self._open(client, changed)
                self._client = client
                await self._tend(client, changed)
            finally:
                self._lose("the server closed the connection")
                with contextlib.suppress(NatsError, OSError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await client.close()
            await asyncio.sleep(self._config.reconnect_wait_s)

    async def _open(self, client: Client, changed: asyncio.Event) -> None:
        """Connect, trying until it works."""

        async def on_change() -> None:
            changed.set()

        async def on_disconnect() -> None:
            self._connected.clear()
            changed.set()

        await client.connect(
            self._config.url.split(","),
            name=self._config.name,
            error_cb=self._on_error,
            disconnected_cb=on_disconnect,
            reconnected_cb=on_change,
            closed_cb=on_change,
            connect_timeout=_CONNECT_TIMEOUT_S,
            max_reconnect_attempts=-1,
            reconnect_time_wait=self._config.reconnect_wait_s,  # type: ignore[arg-type]  # it is slept, as a float
            ping_interval=self._config.ping_interval_s,  # type: ignore[arg-type]
            pending_size=_CLIENT_PENDING_BYTES,
            flush_timeout=self._config.request_timeout_s,
        )

    async def _tend(self, client: Client, changed: asyncio.Event) -> None:
        """Follow the connection's changes until it is closed for good."""
        while not client.is_closed:
            changed.clear()
            if client.is_connected and not self._connected.is_set() and not await self._arrive():
                await asyncio.sleep(self._config.reconnect_wait_s)
                continue
            await changed.wait()

    async def _arrive(self) -> bool:
        """Make ready what the connection needs. A server that restarts may answer before JetStream does."""
        try:
            await self.ensure_streams()
        except BusError as error:
            self._report(f"the streams are not ready: {error}")
            return False
        self._fault = "the connection was lost"
        self._connected.set()
        _log.info("bus connected")
        return True

    def _lose(self, reason: str) -> None:
        self._client = None
        self._connected.clear()
        for channel in self._channels:
            channel.close(BusUnavailable(f"the subscription ended: {reason}"))

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            _log.warning("bus reader too slow, message dropped", subject=error.subject)
        else:
            self._report(describe(error))

    def _report(self, fault: str) -> None:
        """Log a fault once, however often it repeats until the bus is connected again."""
        if fault != self._fault:
            self._fault = fault
            _log.warning("bus waits for NATS", reason=fault, url=masked_url(self._config.url))


def _received(message: Msg) -> Message:
    return Message(message.subject, message.data, message.headers or _NO_HEADERS)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel `task` until it ends: nats-py swallows a cancellation in some of its waits."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_CLOSE_S)
