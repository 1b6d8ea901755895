"""The connection under the bus: held for as long as a process lives, whatever the server does."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.transport import TcpTransport
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from vigil.contract.permissions import inbox_prefix
from vigil.runtime.errors import BusError, BusUnavailable, describe
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.redaction import redacted_list

log = get_log()

# When a server stops reading, frames are dropped. Without this limit they would fill the memory, and at nats-py's own
# limit `publish` would wait.
MAX_PENDING_BYTES = 8 << 20
_CLIENT_PENDING_BYTES = 2 * MAX_PENDING_BYTES
_CONNECT_TIMEOUT_S = 2
_CLOSE_S = 2.0
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class BusConfig:
    """`url` may hold user and password; several servers are separated by commas. Each stored message is kept by
    `stream_replicas` servers; without `updates_streams` a stream that is there stays as it is declared. Times are in
    seconds. Certificates of servers are verified with `tls`; None: by the
    system's authorities."""

    url: str
    name: str = "vigil"
    stream_replicas: int = 1
    updates_streams: bool = True
    request_timeout_s: float = 2.0
    reconnect_wait_s: float = 0.25
    ping_interval_s: float = 2.0
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)


class GuardedClient(Client):
    """A client that sends its password to a `tls://` server over TLS, or not at all.

    nats-py goes on without TLS where a server says that it has none. Whoever sits between could say so, too.
    """

    def _connect_command(self) -> bytes:
        server = self._current_server
        if server is not None and server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise NatsError("nats: the server has no TLS: use a nats:// address, or give it a certificate")
        return super()._connect_command()


class NatsConnection:
    """A connection that is *ready* while a server is connected and `prepare` has succeeded on that connection.

    `on_lost` is called when a client is replaced by a new one: the subscriptions of the old client are gone.
    """

    def __init__(
        self, config: BusConfig, prepare: Callable[[], Awaitable[None]], on_lost: Callable[[str], None]
    ) -> None:
        self._config = config
        self._prepare = prepare
        self._on_lost = on_lost
        self._client: Client | None = None
        self._ready = asyncio.Event()
        self.fault = "not connected yet"
        self.arrivals = 0  # how often it became ready

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Connect in the background, and stay connected until the block is left."""
        task = asyncio.create_task(self._stay_connected(), name="bus")
        try:
            yield
        finally:
            while not task.done():  # again and again: nats-py loses a cancellation in some of its waits
                task.cancel()
                await asyncio.wait({task}, timeout=_CLOSE_S)

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait until the connection is ready."""
        await self._ready.wait()

    def client(self) -> Client:
        """The connected client. Raises `BusUnavailable`, which says why there is none."""
        if self._client is None or not self._client.is_connected:
            raise BusUnavailable(f"no connection to NATS ({self.fault}): check that it runs and that its URL is right")
        return self._client

    async def _stay_connected(self) -> None:
        """Hold a connection until cancelled. nats-py reconnects by itself, except after an authorization error or a
        limit: then a new client takes its place."""
        while True:
            client = GuardedClient()
            changed = asyncio.Event()
            try:
                await self._open(client, changed)
                self._client = client
                await self._tend(client, changed)
            except (NatsError, OSError, ValueError) as error:
                self._report(describe(error))
            finally:
                self._client = None
                self._ready.clear()
                self._on_lost("the server closed the connection")
                with contextlib.suppress(NatsError, OSError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await client.close()
            await asyncio.sleep(self._config.reconnect_wait_s)

    async def _open(self, client: Client, changed: asyncio.Event) -> None:
        """Connect; nats-py tries until it succeeds."""

        async def on_change() -> None:
            changed.set()

        async def on_disconnect() -> None:
            self._ready.clear()
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
            max_outstanding_pings=1,
            pending_size=_CLIENT_PENDING_BYTES,
            flush_timeout=self._config.request_timeout_s,
            inbox_prefix=inbox_prefix(_user(self._config.url)),
            tls=self._config.tls,
        )

    async def _tend(self, client: Client, changed: asyncio.Event) -> None:
        """Follow the connection's changes until it is closed for good."""
        while not client.is_closed:
            changed.clear()
            if client.is_connected and not self._ready.is_set() and not await self._arrive():
                await asyncio.sleep(self._config.reconnect_wait_s)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await changed.wait()
            if self._ready.is_set() and not client.is_connected:
                self._abandon(client)

    def _abandon(self, client: Client) -> None:
        """Cut the transport of a server that answers no pings. nats-py would wait until the dead server has taken what
        was written, before it reports the disconnect and connects again."""
        self._ready.clear()
        transport = client._transport
        if isinstance(transport, TcpTransport) and transport._io_writer is not None:
            transport._io_writer.transport.abort()

    async def _arrive(self) -> bool:
        """Prepare the new connection; whether that succeeded. A restarted server may answer before JetStream."""
        try:
            await self._prepare()
        except BusError as error:
            self._report(f"it is not ready: {error}")
            return False
        self.fault = "the connection was lost"
        self.arrivals += 1
        self._ready.set()
        log.info("bus connected")
        return True

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            log.warning("bus message dropped", subject=error.subject, reason="the reader is too slow")
        else:
            self._report(describe(error))

    def _report(self, fault: str) -> None:
        """Log a fault once, however often it repeats until the bus is connected again."""
        if fault != self.fault:
            self.fault = fault
            log.warning("bus connection failed", reason=fault, url=redacted_list(self._config.url))


def _user(urls: str) -> str:
    """The NATS user that the addresses name; empty for none."""
    return urlsplit(urls.split(",")[0]).username or ""
