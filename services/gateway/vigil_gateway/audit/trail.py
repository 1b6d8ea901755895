"""What is recorded of requests over HTTP: each that would change something, and whose sender is known.

A request without a valid key or login names no tenant, so it is counted and logged, and recorded nowhere: strangers
cannot fill a stream. A pushed picture changes nothing: of `POST /v1/chat/completions` the call is recorded that begins
a session, and one that is refused. Nor does what a module noticed: only a refused one is recorded.
"""

import re
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil.contract.api_keys import ApiKey
from vigil_gateway.audit.noted import Noted, noting
from vigil_gateway.http.contract import route_at
from vigil_gateway.ports import Ports, is_reading

API = "/v1/"
CHAT = "/v1/chat/completions"
_OBSERVATIONS = re.compile(r"/v1/sessions/[^/]+/observations")
_NO_ROUTE = "none"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class AuditTrail:
    """Middleware around `Admission`, which says who sends a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_read = scope["type"] != "http" or is_reading(scope["method"], scope["path"])
        if is_read or not scope["path"].startswith(API):
            await self.app(scope, receive, send)
            return
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)  # as long as nothing was answered

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with noting() as notes:
            try:
                await self.app(scope, receive, answer)
            finally:
                _record(scope, status, notes)


def _record(scope: Scope, status: int, notes: Noted) -> None:
    ports: Ports = scope["app"].state.ports
    holder: ApiKey | None = scope["state"].get("holder")
    if holder is None or (_shows_only(scope["path"], notes) and status not in _REFUSED):
        return
    route, named = _place(scope)
    address = (scope["client"] or ("",))[0]
    session = notes.session or named
    ports.audit.record(holder, method=scope["method"], route=route, status=status, address=address, session=session)


def _shows_only(path: str, notes: Noted) -> bool:
    """Whether the request only showed a session something: a picture, or what a module noticed."""
    return (path == CHAT and not notes.began_session) or _OBSERVATIONS.fullmatch(path) is not None


def _place(scope: Scope) -> tuple[str, str]:
    """The request's route, and the session that its path names. A request that was refused was led to no route yet."""
    if "route" in scope:
        return str(scope["route"].path), str(scope["path_params"].get("session", ""))
    route, names = route_at(scope["app"], scope["method"], scope["path"])
    return route or _NO_ROUTE, names.get("session", "")
