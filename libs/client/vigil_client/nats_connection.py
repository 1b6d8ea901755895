"""A connection to NATS that is kept up, and tells why when it is not."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from vigil_client.errors import ClientError, Unreachable
from vigil_client.trust import trusting

CONNECT_S = 3.0
RECONNECT_S = 0.5
PING_S = 3.0
# How many events may wait for a slow reader; nats-py drops and reports those beyond.
PENDING_EVENTS = 8_192
_REFUSED = "permissions violation"

# Is told each fault while the connection is kept up, and "" when the fault has ended.
OnFault = Callable[[str], None]


class GuardedNats(Nats):
    """A client that sends its password to a `tls://` server over TLS, or not at all: nats-py goes on without TLS where
    whoever answers says that there is none."""

    def _connect_command(self) -> bytes:
        server = self._current_server
        if server is not None and server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise NatsError("the server has no TLS: use a nats:// address, or give it a certificate")
        return super()._connect_command()


class Connection:
    """An open connection. `on_change` is called when it was lost, is back, or was closed for good. The certificate of a
    `tls://` server is verified with `tls`; None: by the system's authorities."""

    def __init__(self, url: str, on_fault: OnFault, tls: ssl.SSLContext | None = None) -> None:
        self.client = GuardedNats()
        self._tls = tls
        self.on_change: Callable[[], None] = lambda: None
        self._url = url
        self._on_fault = on_fault
        self._told = ""
        self._faults: list[Exception] = []

    async def open(self) -> None:
        """Connect, or raise `Unreachable` within `CONNECT_S`; once connected the client reconnects for ever."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.client.connect(
                    self._url,
                    name="vigil-client",
                    error_cb=self._note,
                    disconnected_cb=self._lost,
                    reconnected_cb=self._back,
                    closed_cb=self._closed,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_S,  # type: ignore[arg-type]  # it is slept, as a float
                    ping_interval=PING_S,  # type: ignore[arg-type]
                    max_outstanding_pings=2,
                    tls=self._tls,
                )
        except (NatsError, OSError, TimeoutError, ValueError) as error:
            raise self.unreachable(str(error) or self._telling()) from None

    def unreachable(self, why: str) -> Unreachable:
        """The error for a server that cannot be used."""
        return Unreachable(
            f"NATS at {self._url.rpartition('@')[2]} cannot be used: {why}",
            "start Vigil with `vigil up`, or give another --nats",
        )

    def told(self, fault: str) -> None:
        """Tell a fault once, however often it repeats; "" tells that it has ended."""
        if fault != self._told:
            self._told = fault
            self._on_fault(fault)

    async def subscribe(self, subject: str, take: Callable[[Msg], Awaitable[None]]) -> Subscription:
        """Subscribe, and return when the server has it: nothing that is published from then on is missed. Raises
        `ClientError` when this user may not hear the subject."""
        self._faults.clear()
        made = await self.client.subscribe(subject, cb=take, pending_msgs_limit=PENDING_EVENTS)
        try:
            # nats-py's ping may overtake the subscription; a second one, sent when the first was answered, does not.
            await self.client.flush(timeout=2)
            await self.client.flush(timeout=2)
        except (NatsError, OSError, TimeoutError):
            pass  # it is away: on the new connection nats-py subscribes again
        for fault in self._faults:
            if _REFUSED in str(fault).lower():
                raise ClientError(
                    f"NATS does not let this user hear {subject}",
                    "give the tenant that the user belongs to, or its address: `vigil keys tenants` shows both",
                )
        return made

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> bool:
        """Publish, and return once the server has read it: whether it has. Nothing is kept for a server that is away.
        Raises `ClientError` when this user may not speak there."""
        if not self.client.is_connected:
            return False
        try:
            await self.client.publish(subject, payload, headers=headers)
            await self.client.flush(timeout=2)
            await self.client.flush(timeout=2)  # as above
        except (NatsError, OSError, TimeoutError) as error:
            self.told(f"NATS takes nothing now: {str(error) or type(error).__name__}")
            return False
        named = f'"{subject.lower()}"'
        for fault in self._faults:
            if _REFUSED in str(fault).lower() and named in str(fault).lower():
                self._faults.remove(fault)
                raise ClientError(f"NATS does not let this user speak on {subject}", "use the address of that user")
        return True

    def check_open(self) -> None:
        """Raise `Unreachable` when the connection was closed for good."""
        if self.client.is_closed:
            raise self.unreachable(self._telling())

    async def _note(self, error: Exception) -> None:
        self._faults = [*self._faults[-31:], error]
        self.told(f"NATS: {str(error) or type(error).__name__}")

    async def _lost(self) -> None:
        if not self.client.is_closed:
            self.told("the connection to NATS was lost: connecting again")
        self.on_change()

    async def _back(self) -> None:
        self.told("")
        self.on_change()

    async def _closed(self) -> None:
        self.on_change()

    def _telling(self) -> str:
        """The last fault that the server gave itself, else the last one.

        A server that refuses a password closes at once, and its reset may overtake the reason that it gave.
        """
        said = [fault for fault in self._faults if isinstance(fault, NatsError)] or self._faults
        return (str(said[-1]) or type(said[-1]).__name__) if said else "no answer"


@asynccontextmanager
async def connected(url: str, on_fault: OnFault, ca_file: str = "") -> AsyncIterator[Connection]:
    """A connection, closed on leaving; `ca_file`: see `trusting`. Raises `Unreachable`."""
    connection = Connection(url, on_fault, trusting(ca_file))
    try:
        await connection.open()
        yield connection
    finally:
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await connection.client.close()


async def next_message(subscription: Subscription, timeout_s: float) -> Msg | None:
    """The next message; None when none came in time or the subscription has ended."""
    try:
        return await subscription.next_msg(timeout=timeout_s)
    except (NatsError, TimeoutError):
        return None
