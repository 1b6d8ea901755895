"""Every request is timed, counted and logged, by route and never by path: paths hold session ids."""

import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import TRACEPARENT, continued
from vigil_gateway import metrics
from vigil_gateway.http.request_span import request_span

log = get_log()

NO_ROUTE = "none"
OTHER_METHOD = "other"
_READS = ("GET", "HEAD")
# The client chooses the method's word: only those of HTTP may become a label.
_METHODS = frozenset({*_READS, "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class RequestLog:
    """Middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()
        with continued(_trace_of(scope)), request_span(_method(scope), scope["scheme"]) as current:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    current.answered(_route(scope), message["status"])
                    _report(scope, message["status"], time.perf_counter() - began_s)
                await send(message)

            await self.app(scope, receive, answer)


def _trace_of(scope: Scope) -> dict[str, str]:
    """The trace that the client wants the request to belong to."""
    given = Headers(scope=scope).get(TRACEPARENT)
    return {TRACEPARENT: given} if given else {}


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", NO_ROUTE))


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else OTHER_METHOD


def _report(scope: Scope, status: int, took_s: float) -> None:
    route, method = _route(scope), _method(scope)
    metrics.REQUESTS.labels(method, route, status).inc()
    metrics.SECONDS.labels(route).observe(took_s)
    level = log.debug if method in _READS and status < 400 else log.info
    level("request answered", method=method, route=route, status=status, took_ms=round(took_s * 1_000, 1))
