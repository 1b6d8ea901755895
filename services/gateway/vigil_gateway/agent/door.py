"""What a request of another agent passes before the SDK of its protocol: the host that it names, the key, the limits.

Nothing of the body is read until the sender is known. Cookies are not looked at: a page cannot be made to act here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.runtime.errors import StoreError
from vigil_gateway import metrics
from vigil_gateway.agent.hosts import check_host, check_origin
from vigil_gateway.api.auth import bearer_key, require
from vigil_gateway.api.errors import GatewayError
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import Problem, problem_of
from vigil_gateway.api.sizes import MAX_BODY_BYTES
from vigil_gateway.api.whip_errors import MediaTypeWrong
from vigil_gateway.audit.noted import Noted, noting
from vigil_gateway.http.admission import replayed, whole_body
from vigil_gateway.live.outflow import taken
from vigil_gateway.ports import Ports

JSON_TYPES = ("application/json", "application/a2a+json")
CLIENT_LEFT = 499  # what records have as the status of a call whose client left before the answer


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for: its name in the protocol, the role that it takes, and whether it changes something."""

    name: str
    needed: KeyRole = KeyRole.VIEWER
    is_act: bool = False


class AgentProtocol(Protocol):
    """What the door must know of a protocol."""

    name: str

    def call_of(self, scope: Scope, body: bytes) -> Call:
        """What the request asks for. Never raises: what cannot be read is told by the SDK."""

    def refusal(self, scope: Scope, body: bytes, problem: Problem) -> Response:
        """The problem in the protocol's own form."""


class ClientStalled(Exception):
    """The client takes nothing of a long answer any more."""


@dataclass(slots=True)
class _Answer:
    """Sends the answer, notes its status, and gives up on a client that takes none of it."""

    send: Send
    status: int = CLIENT_LEFT

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        if not await taken(self.send(message)):
            raise ClientStalled


class AgentDoor:
    """An ASGI application around the SDK's: its requests have their holder, as `state.holder`, and their whole body."""

    def __init__(self, ports: Ports, protocol: AgentProtocol, app: ASGIApp) -> None:
        self._ports = ports
        self._protocol = protocol
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._serve(scope, receive, _Answer(send))
        except* ClientStalled:
            pass

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        body = b""
        try:
            headers = Headers(scope=scope)
            holder = self._identified(headers)
            _check_media_type(scope["method"], headers)
            found = await whole_body(receive, MAX_BODY_BYTES)
            if found is None:
                return
            body = found
            call = self._protocol.call_of(scope, body)
            require(holder, call.needed)
        except (GatewayError, StoreError) as error:
            problem = problem_of(error)
            log_failure(problem, error, path=scope["path"])
            metrics.CALLS.labels(self._protocol.name, "refused", problem.row.kind).inc()
            await self._protocol.refusal(scope, body, problem)(scope, receive, answer)
            return
        scope.setdefault("state", {})["holder"] = holder
        with self._recorded(scope, holder, call, answer):
            await self._app(scope, replayed(body, receive), answer)

    def _identified(self, headers: Headers) -> ApiKey:
        """Raises `HostRefused`, `OriginRefused`, `KeyMissing`, `KeyWrong`, `KeyExpired`, `TooManyRequests`."""
        names = self._ports.settings.agent_names
        host = headers.get("host", "")
        check_host(host, names)
        check_origin(headers.get("origin", ""), host, names)
        holder = self._ports.keys.find(bearer_key(headers.get("authorization", "")))
        self._ports.rates.count(holder, self._protocol.name)
        structlog.contextvars.bind_contextvars(tenant=holder.tenant)
        return holder

    @contextmanager
    def _recorded(self, scope: Scope, holder: ApiKey, call: Call, answer: _Answer) -> Iterator[None]:
        """Count the call that the block serves; one that changes something is recorded in the audit."""
        with noting() as notes:
            try:
                yield
            finally:
                status = notes.status or answer.status
                metrics.CALLS.labels(self._protocol.name, call.name, str(status)).inc()
                if call.is_act:
                    self._audit(scope, holder, call, status, notes)

    def _audit(self, scope: Scope, holder: ApiKey, call: Call, status: int, notes: Noted) -> None:
        address = (scope["client"] or ("",))[0]
        self._ports.audit.record(
            holder,
            method=self._protocol.name,
            route=call.name,
            status=status,
            address=address,
            session=notes.session,
        )


def _check_media_type(method: str, headers: Headers) -> None:
    """Return when a body is JSON, or there is none. Raises `MediaTypeWrong`."""
    given = headers.get("content-type", "")
    has_body = method == "POST" and (headers.get("content-length", "0") != "0" or "transfer-encoding" in headers)
    if has_body and given.partition(";")[0].strip().lower() not in JSON_TYPES:
        raise MediaTypeWrong(JSON_TYPES[0], given)
