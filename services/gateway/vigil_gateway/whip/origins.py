"""Cross-origin requests to WHIP (RFC 9725 §4.2), for web pages that the operator names. Everything else of the API
stays with its own origin."""

import re

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from vigil_gateway.ports import Ports

_WHIP = re.compile(r"/v1/(whip|sessions/[^/]+/whip(/[^/]+)?)")
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE")
_HEADERS = ("Authorization", "Content-Type", "If-Match")
_SHOWN = ("Location", "ETag", "Link", "Accept-Post", "Accept-Patch", "Retry-After")


class WhipOrigins:
    """Middleware: answers the preflights of those pages, which carry no key, and lets them read the answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._shared: CORSMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _WHIP.fullmatch(scope["path"]):
            ports: Ports = scope["app"].state.ports
            if ports.settings.whip_origins:
                await self._sharing(ports.settings.whip_origins)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _sharing(self, origins: str) -> CORSMiddleware:
        if self._shared is None:
            self._shared = CORSMiddleware(
                self.app,
                allow_origins=origins.split(","),
                allow_methods=_METHODS,
                allow_headers=_HEADERS,
                expose_headers=_SHOWN,
            )
        return self._shared
