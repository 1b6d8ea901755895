"""A connection to NATS that is kept up, and tells why when it is not."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import StaleConnectionError, UnexpectedEOF

from vigil_client.errors import ClientError, NotAdmitted, Unreachable
from vigil_client.trust import trusting

CONNECT_S = 3.0
RECONNECT_S = 0.5
PING_S = 3.0
# How long a server may refuse the user of a connection that ends then. A change of the modules is in effect within two
# seconds.
REFUSED_S = 3.0
# How many events may wait for a slow reader; nats-py drops and reports those beyond.
PENDING_EVENTS = 8_192
_REFUSED = "permissions violation"
_NOT_ADMITTED = ("authorization violation", "authentication revoked", "authentication expired")

# Is told each fault while the connection is kept up, and "" when the fault has ended.
OnFault = Callable[[str], None]


class GuardedNats(Nats):
    """A client that sends its password to a `tls://` server over TLS, or not at all: nats-py goes on without TLS where
    whoever answers says that there is none. `was_refused` says that the server ended the connection because it no
    longer lets the user in; nats-py then closes for good, unless `keeps_trying`."""

    was_refused = False

    def __init__(self, *, keeps_trying: bool = False) -> None:
        super().__init__()
        self._keeps_trying = keeps_trying

    def _connect_command(self) -> bytes:
        server = self._current_server
        if server is not None and server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise NatsError("the server has no TLS: use a nats:// address, or give it a certificate")
        return super()._connect_command()

    async def _process_err(self, err_msg: str) -> None:
        """nats-py closes for good on what the server says here, and may have forgotten why by then."""
        error = NatsError(err_msg)
        is_refused = is_not_admitted(error)
        if is_refused and self._keeps_trying:
            await self._process_op_err(error)
        else:
            self.was_refused = is_refused
            await super()._process_err(err_msg)

    async def _attempt_reconnect(self) -> None:
        """nats-py sometimes begins this twice for one loss, and its last step fails where the other has ended first."""
        with contextlib.suppress(asyncio.InvalidStateError):
            await super()._attempt_reconnect()

    def hang_up(self) -> None:
        """Close a socket on which the server has refused the user: nats-py leaves it open, and opens the next."""
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]


class Connection:
    """An open connection. `on_change` is called when it was lost, is back, or was closed for good. The certificate of a
    `tls://` server is verified with `tls`; None: by the system's authorities. With `ends_when_refused` it ends once a
    server refuses its user, else it is tried again, as a NATS that restarts may know the user later."""

    def __init__(
        self, url: str, on_fault: OnFault, tls: ssl.SSLContext | None = None, *, ends_when_refused: bool = False
    ) -> None:
        self.client = GuardedNats(keeps_trying=not ends_when_refused)
        self._tls = tls
        self._ends_when_refused = ends_when_refused
        self._was_open = False
        self.on_change: Callable[[], None] = lambda: None
        self._url = url
        self._on_fault = on_fault
        self._told = ""
        self._faults: list[Exception] = []
        self._refused_at: float | None = None
        self._ending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect within `CONNECT_S`, or raise `Unreachable`, or `NotAdmitted` where the server refuses the user. Once
        connected the client reconnects for as long as it takes; one that ends when it is refused does so after
        `REFUSED_S`."""
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
            if self._refused_at is not None or is_not_admitted(error):
                raise self._not_admitted() from None
            raise self.unreachable(str(error) or self._telling()) from None
        self._refused_at, self._was_open = None, True

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
        Raises `ClientError` when this user may not speak there, and as `check_open`."""
        self.check_open()
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
        """Raise `NotAdmitted` or `Unreachable` when the connection was closed for good."""
        if self._ending is not None or (self.client.is_closed and self.client.was_refused):
            raise self._not_admitted()
        if self.client.is_closed:
            raise self.unreachable(self._telling())

    def _not_admitted(self) -> NotAdmitted:
        """The error for a server that knows no such user, or none with this password: it does not say which."""
        address = urlsplit(self._url)
        user = unquote(address.username or "")
        tenant, _, name = user.removeprefix("module.").partition(".")
        if user.startswith("module."):
            step = f"`vigil modules` lists the addresses; `vigil modules add {name} --tenant {tenant}` makes it anew"
        else:
            step = "take the address that `vigil keys tenants` or `vigil modules` shows"
        why = "it was removed, has another password by now, or is of another deployment or tenant"
        refused = f"does not let the user {user or 'without a name'} in (Authorization Violation)"
        return NotAdmitted(f"NATS at {self._url.rpartition('@')[2]} {refused}: {why}", step)

    async def _note(self, error: Exception) -> None:
        self._faults = [*self._faults[-31:], error]
        if is_not_admitted(error):
            self.client.hang_up()
            self._refused()
        elif not isinstance(error, OSError | UnexpectedEOF | StaleConnectionError):  # `_lost` tells of these, once
            self.told(f"NATS: {str(error) or type(error).__name__}")

    def _refused(self) -> None:
        """The server does not let the user in: close for good once it has done so for `REFUSED_S` without a break, or
        tell it, and go on."""
        if self._refused_at is None:
            self._refused_at = time.monotonic()
        if not self._ends_when_refused:
            if self._was_open:
                self.told(f"{self._not_admitted().message}: trying again")
        elif self._ending is None and time.monotonic() - self._refused_at >= REFUSED_S:
            self._ending = asyncio.create_task(self.client.close())
            self.on_change()

    async def _lost(self) -> None:
        if not self.client.is_closed:
            self.told("the connection to NATS was lost: connecting again")
        self.on_change()

    async def _back(self) -> None:
        self._refused_at = None
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


def is_not_admitted(error: Exception) -> bool:
    """Whether a server says so that does not know the user, or not with this password."""
    return any(words in str(error).lower() for words in _NOT_ADMITTED)


@asynccontextmanager
async def connected(
    url: str, on_fault: OnFault, ca_file: str = "", *, ends_when_refused: bool = False
) -> AsyncIterator[Connection]:
    """A connection, closed on leaving; `ca_file`: see `trusting`, `ends_when_refused`: see `Connection`. Raises
    `Unreachable` and `NotAdmitted`."""
    connection = Connection(url, on_fault, trusting(ca_file), ends_when_refused=ends_when_refused)
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
