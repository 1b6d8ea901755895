"""What a request may use, and how it gets hold of it."""

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.health import Health
from vigil.runtime.store.agent_tasks import AgentTasks
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.names import SessionNames
from vigil.runtime.store.pushed import PushedSessions
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil.runtime.store.turn_lease import TurnLeases
from vigil.runtime.store.turn_pictures import TurnPictures
from vigil_gateway.alerts.reading import AlertReader
from vigil_gateway.api.auth import KeyRing, require
from vigil_gateway.api.errors import NoSuchSession
from vigil_gateway.api.request_rate import RequestRate
from vigil_gateway.audit.noted import note_session
from vigil_gateway.audit.outbox import AuditOutbox
from vigil_gateway.config import GatewaySettings
from vigil_gateway.live.looks import Looks
from vigil_gateway.live.streams import StreamSlots
from vigil_gateway.login.attempts import LoginAttempts
from vigil_gateway.login.cookie import COOKIE, CSRF_HEADER
from vigil_gateway.login.logins import Logins
from vigil_gateway.login.oidc.sign_in import SignIn
from vigil_gateway.preview.shows import Shows
from vigil_gateway.pushed.pixel_budget import PixelBudget
from vigil_gateway.pushed.quota import PushQuota
from vigil_gateway.sessions.probe import SourceProbe
from vigil_gateway.sessions.quota import SessionQuota
from vigil_gateway.sessions.session_id import id_of_name, may_begin
from vigil_gateway.wall.boards import Boards


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside of the process. What requests share stands in Redis, for any replica may serve the next one;
    `streams` and `pushes` are counted in this process, and the replicas tell one another; `pixels`, `rates` and
    `attempts` are its own."""

    settings: GatewaySettings
    keys: KeyRing
    bus: Bus
    alerts: AlertReader
    store: SessionStore
    placement: Placement
    probe: SourceProbe
    streams: StreamSlots
    health: Health
    draining: asyncio.Event
    pushed: PushedSessions
    turns: TurnLeases
    pictures: TurnPictures
    walls: Boards
    tasks: TaskStore
    approvals: ApprovalStore
    previews: StreamSlots
    shows: Shows
    looks: Looks
    names: SessionNames
    quota: SessionQuota
    pushes: PushQuota
    pixels: PixelBudget
    rates: RequestRate
    logins: Logins
    attempts: LoginAttempts
    audit: AuditOutbox
    sign_in: SignIn | None
    agent_tasks: AgentTasks


async def _ports(request: Request) -> Ports:
    ports: Ports = request.app.state.ports
    return ports


PortsOf = Annotated[Ports, Depends(_ports)]

_ROLES = (
    "The key that the operator gave you. It speaks for a tenant and has a role: a `viewer` may send GET requests, an "
    "`operator` may send all others too, an `admin` may also see the tenant's keys. An expired key is refused with 401 "
    "`key_expired`, a role that does not suffice with 403 `role_too_low`."
)
_COOKIE = (
    "The cookie of a login (`POST /v1/login`), from pages of this gateway alone. It has the role of its key. A request "
    f"that is no GET also carries the login's `csrf` in the header `{CSRF_HEADER}`. A key in `Authorization` comes "
    "first."
)
# Both only describe: a request comes here with its holder known (`http.admission`).
_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description=_ROLES)
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="Login", description=_COOKIE)

LOGIN = "/v1/login"
ROLE = "x-role"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_RECALL = re.compile(r"/v1/sessions/[^/]+/memory/recall")


def is_reading(method: str, path: str) -> bool:
    """Whether a request of this HTTP method changes nothing at this path. A question to a memory has a body, and only
    reads."""
    return method in READING or (method == "POST" and _RECALL.fullmatch(path) is not None)


def needed_for(method: str, path: str) -> KeyRole:
    """The role that a request of this HTTP method takes at this path: everybody may log out."""
    return KeyRole.VIEWER if is_reading(method, path) or path == LOGIN else KeyRole.OPERATOR


def taking(role: KeyRole) -> dict[str, str]:
    """What the document says of an operation that takes another role than its method does."""
    return {ROLE: role}


async def _holder(
    request: Request, _key: Annotated[object, Security(_bearer)], _login: Annotated[object, Security(_cookie)]
) -> ApiKey:
    holder: ApiKey = request.state.holder
    structlog.contextvars.bind_contextvars(tenant=holder.tenant)
    return holder


Holder = Annotated[ApiKey, Depends(_holder)]


async def _operator(holder: Holder) -> ApiKey:
    require(holder, KeyRole.OPERATOR)
    return holder


# For what may be read only by those who may also change it.
Operator = Annotated[ApiKey, Depends(_operator)]


async def _tenant(holder: Holder) -> str:
    return holder.tenant


Tenant = Annotated[str, Depends(_tenant)]


async def session_key(ports: Ports, tenant: str, session: str) -> SessionKey:
    """The tenant's session of that id, or the newest one that the client began under that name. It need not be there.

    Raises `NoSuchSession` for what no session can be called: another tenant's sessions are simply not there.
    """
    try:
        key = SessionKey(tenant, id_of_name(session))
    except InvalidToken:
        raise NoSuchSession(session) from None
    if may_begin(key.session):
        key = await ports.names.newest(key)
    note_session(key.session)
    structlog.contextvars.bind_contextvars(session=key.session)
    return key


async def _key(
    ports: PortsOf, tenant: Tenant, session: Annotated[str, Path(description="Id of the session, or its client's name")]
) -> SessionKey:
    """The session of the path, within the caller's tenant."""
    return await session_key(ports, tenant, session)


Key = Annotated[SessionKey, Depends(_key)]
