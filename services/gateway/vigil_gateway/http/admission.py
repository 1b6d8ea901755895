"""What a request passes before the application: who sends it, then the limits of key and tenant, then the body.

Until the sender is known nothing of the body is read or kept. A body is held whole, so it is bounded in bytes and in
time.
"""

import asyncio
import json
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil.runtime.errors import StoreError
from vigil_gateway.api.auth import require
from vigil_gateway.api.errors import BodyLate, BodyTooLarge, GatewayError, TextInvalid
from vigil_gateway.api.problems import Problem, problem_of
from vigil_gateway.api.responses import respond
from vigil_gateway.api.sizes import MAX_BODY_BYTES, MAX_CHAT_BODY_BYTES
from vigil_gateway.login.credentials import admit_attempt, check_request, identified
from vigil_gateway.ports import LOGIN, Ports, needed_for

API = "/v1/"
OPEN = frozenset({"/v1/health", "/v1/login/oidc", "/v1/login/oidc/callback"})
CHAT = "/v1/chat/completions"
DOOR = "http"
BODY_S = 30.0

# `\ud83d` in JSON is half of a character: alone it is no text that could be stored, sent or shown.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Admission:
    """Middleware: a request for the API reaches the application with its holder known, as `state.holder`, and with its
    whole body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API) or scope["path"] in OPEN:
            await self.app(scope, receive, send)  # nothing there reads a body
            return
        try:
            with await _admitted(scope):
                body = await whole_body(receive, MAX_CHAT_BODY_BYTES if scope["path"] == CHAT else MAX_BODY_BYTES)
                if body is not None:
                    await self.app(scope, replayed(body, receive), send)
        except (GatewayError, StoreError) as error:
            await respond(scope["path"], _told(error, scope))(scope, receive, send)


async def _admitted(scope: Scope) -> AbstractContextManager[None]:
    """Count the request, and hold a place among the tenant's pushes where it is one.

    Raises `KeyMissing`, `KeyWrong`, `KeyExpired`, `LoginEnded`, `CrossSite`, `CsrfInvalid`, `RoleTooLow`,
    `TooManyRequests`, `TooManyLogins`, `TooManyPushes`, `StoreError`.
    """
    ports: Ports = scope["app"].state.ports
    method, path, headers = scope["method"], scope["path"], Headers(scope=scope)
    if (method, path) == ("POST", LOGIN):
        admit_attempt(ports, headers, (scope["client"] or ("",))[0])
        return nullcontext()
    holder = await identified(ports, headers)
    scope["state"]["holder"] = holder
    check_request(holder, method, headers)
    require(holder, needed_for(method, path))
    ports.rates.count(holder, DOOR)
    return ports.pushes.slot(holder.tenant) if (method, path) == ("POST", CHAT) else nullcontext()


def _told(error: Exception, scope: Scope) -> Problem:
    """The problem. Who asks whether he is logged in, and is not, is told how he may log in."""
    problem = problem_of(error)
    if scope["path"] != LOGIN:
        return problem
    ports: Ports = scope["app"].state.ports
    return replace(problem, extra={**problem.extra, "oidc": ports.logins.by_oidc})


async def whole_body(receive: Receive, limit_bytes: int, within_s: float = BODY_S) -> bytes | None:
    """The whole body; None when the client left meanwhile. Raises `BodyTooLarge`, `BodyLate`, `TextInvalid`."""
    kept = bytearray()
    try:
        async with asyncio.timeout(within_s):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                kept += message.get("body", b"")
                if len(kept) > limit_bytes:
                    raise BodyTooLarge(limit_bytes)
                more = message.get("more_body", False)
    except TimeoutError:
        raise BodyLate(within_s) from None
    body = bytes(kept)
    if has_half_characters(body):
        raise TextInvalid
    return body


def has_half_characters(body: bytes) -> bool:
    """Whether a text of this JSON has half of a surrogate pair without the other half."""
    if not _SURROGATE.search(body):
        return False
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):  # no JSON: the application says so
        return False
    return False


def replayed(body: bytes, receive: Receive) -> Receive:
    """First the whole body, then whatever the server says next (that the client went away)."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
