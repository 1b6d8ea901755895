"""A module: connected to NATS as itself, it hears its tenant's pictures and tells what it notices."""

import contextlib
import itertools
import re
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from urllib.parse import unquote, urlsplit

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from vigil_client.errors import BadMessage, BadSubject, ClientError
from vigil_client.modules.frames import Frame, newest_frame
from vigil_client.modules.newest import NewestOfEach
from vigil_client.modules.observation import Box, Noticed, now_us
from vigil_client.modules.sessions import SessionNews, session_news
from vigil_client.nats_connection import Connection, OnFault, connected

TENANT = "demo"  # that of `vigil up`
MAX_WAITING = 256  # sessions whose newest picture waits until the module takes it; news that wait
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OTHERS = re.compile(r"[^A-Za-z0-9_-]+")
_HEADERS = {"Content-Type": "application/cloudevents+json"}


def _shown(fault: str) -> None:
    """Faults of a program that did not ask for them are shown to whoever looks at it."""
    sys.stderr.write(f"vigil module: {fault or 'the fault has ended'}\n")


class Module:
    """Made by `Module.connect`. `skipped` counts pictures and news for which newer ones of their session came first,
    `dropped` observations that were not sent because NATS was away."""

    def __init__(self, name: str, tenant: str, connection: Connection) -> None:
        self.name, self.tenant = name, tenant
        self.skipped = self.dropped = 0
        self._connection = connection
        self._wakers: set[Callable[[], None]] = set()
        self._prefix = secrets.token_hex(4)
        self._told = 0
        connection.on_change = self._changed

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, name: str = "", *, url: str, tenant: str = "", ca_file: str = "", on_fault: OnFault = _shown
    ) -> AsyncIterator["Module"]:
        """The module whose address `url` is, as `vigil modules add` printed it. `name` and `tenant` are taken from it;
        where they are given they must be the same.

        The connection is kept up until NATS no longer lets the module in, which `frames`, `sessions`, `observe` and
        `tell` then raise as `NotAdmitted`. `on_fault` is told in words what goes wrong meanwhile, and "" when it has
        ended. `ca_file` is the PEM file of the authorities behind a `tls://` address; empty: the system's. Raises
        `Unreachable`, `NotAdmitted`, `BadSubject`, and `ClientError` for the address of another user.
        """
        of_tenant, called = _named(url, tenant, name)
        async with connected(url, on_fault, ca_file, ends_when_refused=True) as connection:
            yield cls(called, of_tenant, connection)

    async def frames(self, session: str = "*") -> AsyncIterator[Frame]:
        """The pictures of every session of the tenant, or of one, for ever. However long the module takes for one, the
        next is the newest of its session; sessions take turns. Raises `NotAdmitted` when the module was removed."""
        subject = f"vigil.v1.frame.raw.{self.tenant}.{_token(session, 'session', may_be_any=True)}"

        def of_session(message: Msg) -> str:
            return message.subject.rpartition(".")[2]

        async with aclosing(self._messages(subject, of_session)) as received:
            async for payload in received:
                try:
                    yield newest_frame(payload)
                except BadMessage as error:
                    self._connection.told(f"left out: {error.message}")

    async def sessions(self) -> AsyncIterator[SessionNews]:
        """What happens to the tenant's sessions from now on, for ever. A module that reads too slowly misses the oldest
        news."""
        numbers = itertools.count()

        def each(_: Msg) -> str:
            return str(next(numbers))

        async with aclosing(self._messages(f"vigil.v1.session.*.{self.tenant}.*", each)) as received:
            async for payload in received:
                try:
                    yield session_news(payload)
                except BadMessage as error:
                    self._connection.told(f"left out: {error.message}")

    async def observe(
        self,
        frame: Frame,
        *,
        kind: str,
        text: str,
        confidence: float | None = None,
        ttl_s: float = 10.0,
        box: Box | None = None,
    ) -> str:
        """Tell the session of `frame` what was noticed in it; the observation's id. `box` is left, top, width and
        height in pixels of the frame.

        The model is shown the text in the session's next turn: as data, and never as an instruction. The session
        answers nothing: not that it has ended, nor that it does not hear this module. What NATS cannot take now is
        dropped. Raises `BadObservation`, and `ClientError` when NATS does
        not let the module speak.
        """
        noticed = Noticed(kind, text, frame.capture_time_us, confidence, ttl_s, box)
        noticed.check_within(frame.width, frame.height)
        return await self._publish(frame.session, noticed)

    async def tell(
        self,
        session: str,
        *,
        kind: str,
        text: str,
        capture_time_us: int | None = None,
        confidence: float | None = None,
        ttl_s: float = 10.0,
        box: Box | None = None,
    ) -> str:
        """Tell a session what was noticed without a picture, now or at `capture_time_us`; see `observe`. Nobody
        answers when there is no such session, either: `sessions` tells which begin and end."""
        time_us = now_us() if capture_time_us is None else capture_time_us
        return await self._publish(session, Noticed(kind, text, time_us, confidence, ttl_s, box))

    async def _publish(self, session: str, noticed: Noticed) -> str:
        _token(noticed.kind, "kind")
        subject = f"vigil.v1.observation.{self.tenant}.{_token(session, 'session')}.{self.name}"
        self._told += 1
        observation_id = f"{self._prefix}-{self._told}"
        payload = noticed.event(self.tenant, session, self.name, observation_id)
        if not await self._connection.publish(subject, payload, _HEADERS):
            self.dropped += 1
        return observation_id

    async def _messages(self, subject: str, place: Callable[[Msg], str]) -> AsyncGenerator[bytes, None]:
        """What comes on a subject, the newest of each `place`, until the reader leaves."""
        newest = NewestOfEach(MAX_WAITING)

        async def take(message: Msg) -> None:
            if message.data:  # one without only asks which service listens
                self.skipped += newest.put(place(message), message.data)

        self._wakers.add(newest.wake)
        subscription = await self._connection.subscribe(subject, take)
        try:
            while True:
                payload = await newest.take()
                if payload is None:
                    self._connection.check_open()
                else:
                    yield payload
        finally:
            self._wakers.discard(newest.wake)
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    def _changed(self) -> None:
        """The connection was lost, is back, or was closed for good: whoever waits looks."""
        for wake in self._wakers:
            wake()


def _token(value: str, what: str, *, may_be_any: bool = False) -> str:
    """`value` when it may stand in a subject. Raises `BadSubject`."""
    if not isinstance(value, str):
        raise BadSubject(f"the {what} is {repr(value)[:80]}, which is no string", f"give the {what}'s name")
    if not _TOKEN.fullmatch(value) and not (may_be_any and value == "*"):
        named = _OTHERS.sub("-", value).strip("-")[:64] or what
        raise BadSubject(
            f"the {what} {value[:80]!r} is not allowed: it has 1 to 64 letters of a to z, digits, '_' and '-'",
            f"choose another, such as {named!r}" if what != "session" else "`vigil sessions` lists the sessions",
        )
    return value


def _named(url: str, tenant: str, name: str) -> tuple[str, str]:
    """The tenant and the name of the module at this address. Raises `ClientError` when it is another's: NATS would drop
    all that this one tells."""
    user = unquote(urlsplit(url).username or "")
    first, *rest = user.split(".")
    own = (rest[0], rest[1]) if first == "module" and len(rest) == 2 else None
    wanted = (tenant or (own[0] if own else TENANT), name or (own[1] if own else ""))
    if not wanted[1]:
        raise ClientError("the address names no module", "use the address that `vigil modules add NAME` printed")
    if own not in (None, wanted):
        raise ClientError(
            f"the address is that of {user.removeprefix('module.').replace('.', '/')}, not of {'/'.join(wanted)}",
            f"use the address that `vigil modules add {wanted[1]} --tenant {wanted[0]}` printed; "
            "`vigil modules` lists all",
        )
    return _token(wanted[0], "tenant"), _token(wanted[1], "module")
