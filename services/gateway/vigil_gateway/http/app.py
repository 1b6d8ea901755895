"""The HTTP application: routes, middleware, problems, and the page that explains them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.routing import BaseRoute

from vigil_gateway.alerts import routes as alerts
from vigil_gateway.alerts import snapshots
from vigil_gateway.api.models.base import Problem
from vigil_gateway.approvals import routes as approvals
from vigil_gateway.audit import routes as audit
from vigil_gateway.audit.trail import AuditTrail
from vigil_gateway.console import door
from vigil_gateway.console import routes as console
from vigil_gateway.http import handlers, keys, operator
from vigil_gateway.http.admission import Admission
from vigil_gateway.http.contract import CONTACT, LICENSE, SERVERS, TAGS, Application
from vigil_gateway.http.requests import RequestLog
from vigil_gateway.live import sse
from vigil_gateway.login import routes as login
from vigil_gateway.login.oidc import routes as oidc
from vigil_gateway.memory import routes as memory
from vigil_gateway.openai import chat
from vigil_gateway.openai.models import OpenAIError
from vigil_gateway.ports import Ports
from vigil_gateway.preview import routes as preview
from vigil_gateway.sessions import history, instructions, observations, queries, watches
from vigil_gateway.sessions import routes as sessions
from vigil_gateway.speech import announcing, transcripts, voices
from vigil_gateway.speech import routes as speech
from vigil_gateway.tasks import routes as tasks
from vigil_gateway.turns import frames, prompts
from vigil_gateway.turns import routes as turns
from vigil_gateway.wall import routes as wall
from vigil_gateway.websocket import routes as websocket
from vigil_gateway.whip import discovery as whip_discovery
from vigil_gateway.whip import routes as whip
from vigil_gateway.whip.origins import WhipOrigins

VERSION = "1.0.0"

DESCRIPTION = """
Vigil watches live video: each second a vision-language model sees the newest frame and decides to stay silent, to
speak, or to delegate. Create a **session** for a camera, give it **watches** (they raise alerts) and
**instructions**, ask **queries**, and follow its **events**. Alerts are also published, and stored, on NATS: each
session names its subjects.

The same messages travel over a **WebSocket** at `/v1/sessions/{id}/ws` (a browser offers the protocols `vigil.v1` and
`vigil.v1.bearer.<key>`), and over **gRPC** (`vigil.v1.GatewayService`, with reflection): docs/live.md describes both.
A browser, OBS or GStreamer publishes its camera or screen by **WHIP** (RFC 9725): docs/webrtc.md says how.

Send `Authorization: Bearer <key>` with every request; a page logs in with its key at `/v1/login` and then has a cookie
in its place. A key has a role: a `viewer` reads (`GET`), an `operator` also
opens, changes and ends sessions, pushes pictures and asks, an `admin` also sees the tenant's keys (`/v1/keys`). Errors
are RFC 9457 problems whose `next_step` says what to do.
"""

_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request cannot be served as it is", "model": Problem},
    "5XX": {"description": "The gateway cannot serve it now", "model": Problem},
}
_OPENAI_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request cannot be served as it is", "model": OpenAIError},
    "5XX": {"description": "The gateway cannot serve it now, or no decision came in time", "model": OpenAIError},
}
# FastAPI's own spans have the whole path and query of a request. Ours have its route (`http.request_span`).
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_ROUTERS = (
    sessions,
    queries,
    observations,
    watches,
    instructions,
    history,
    memory,
    tasks,
    turns,
    frames,
    prompts,
    preview,
    sse,
    wall,
    alerts,
    snapshots,
    approvals,
    whip,
    whip_discovery,
    keys,
    login,
    oidc,
    audit,
    console,
    voices,
    transcripts,
    announcing,
    operator,
)


def create_app(ports: Ports, of_agents: Sequence[BaseRoute] = ()) -> FastAPI:
    """The application that serves with `ports`, the console where its folder is named, and the routes `of_agents`.
    Raises `StartupError`."""
    app = routes()
    app.state.ports = ports
    app.router.routes.extend(of_agents)
    door.install(app, ports.settings.console_dir)
    return app


def routes() -> FastAPI:
    """The application without anything behind it: enough for its OpenAPI page."""
    app = Application(
        title="Vigil",
        version=VERSION,
        description=DESCRIPTION,
        license_info=LICENSE,
        contact=CONTACT,
        servers=SERVERS,
        openapi_tags=[{"name": name, "description": told} for name, told in TAGS.items()],
        redoc_url=None,
        telemetry=_NO_TELEMETRY,
    )
    app.router.routes.extend(_included())
    handlers.install(app)
    app.add_middleware(Admission)
    app.add_middleware(AuditTrail)
    app.add_middleware(WhipOrigins)
    app.add_middleware(RequestLog)
    return app


@cache
def _included() -> Sequence[BaseRoute]:
    """The routes of every module, included once a process. FastAPI reads the signatures of included routes at the first
    request, which holds the event loop for a quarter of a second: applications that follow find them read."""
    router = APIRouter()
    for module in _ROUTERS:
        router.include_router(module.router, responses=_ERRORS)
    router.include_router(websocket.router)
    router.include_router(speech.router)
    router.include_router(chat.router, responses=_OPENAI_ERRORS)
    router.include_router(websocket.other_paths)
    return tuple(router.routes)
