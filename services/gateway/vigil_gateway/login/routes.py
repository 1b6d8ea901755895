"""`/v1/login`: a key is exchanged for a cookie that scripts cannot read, so that no page ever stores the key."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response, status

from vigil.contract.api_keys import ApiKey
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.api.errors import KeyExpired, KeyWrong, LoginEnded
from vigil_gateway.api.models.login import LoginIn, LoginOut
from vigil_gateway.login.cookie import clear_cookie, csrf_of, set_cookie, token_of
from vigil_gateway.login.holder import LoggedIn
from vigil_gateway.login.logins import Opened
from vigil_gateway.ports import LOGIN, Holder, Ports, PortsOf

log = get_log()

router = APIRouter(prefix=LOGIN, tags=["login"])

_PRIVATE = {"Cache-Control": "no-store"}
_SECURE_SCHEMES = ("https", "wss")


@router.post("")
async def log_in(request: Request, ports: PortsOf, body: LoginIn, response: Response) -> LoginOut:
    """Exchange a key for a cookie. The login holds for some hours, and only while its key holds. Needs no key but the
    one in the body; an address has a few attempts a minute."""
    try:
        key = ports.keys.find(body.key)
    except (KeyWrong, KeyExpired) as error:
        metrics.LOGINS.labels("expired" if isinstance(error, KeyExpired) else "wrong").inc()
        raise
    opened = await ports.logins.open(key)
    request.state.holder = opened.holder  # for the audit
    await _close_former(request, ports)
    give(request, response, opened)
    log.info("login opened", tenant=key.tenant, role=key.role, key=key.id)
    return _shown(ports, opened.holder, opened.token)


@router.get("")
async def show_login(request: Request, ports: PortsOf, holder: Holder, response: Response) -> LoginOut:
    """Who sends this request. Without a login the problem says in `oidc` how one may log in."""
    response.headers.update(_PRIVATE)
    return _shown(ports, holder, token_of(request.headers))


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(request: Request, ports: PortsOf, holder: Holder, response: Response) -> None:
    """End the login of the cookie, at every replica; what it has open ends within some seconds. A request with a key
    has no login to end."""
    if isinstance(holder, LoggedIn):
        await ports.logins.close(holder)
        clear_cookie(response, is_secure=is_secure(request))
        log.info("login closed", role=holder.role, key=holder.id)


def give(request: Request, response: Response, opened: Opened) -> None:
    """Give the browser the cookie of a new login."""
    life_s = (opened.holder.login.ends_ms - opened.holder.login.began_ms) // 1_000
    set_cookie(response, opened.token, life_s, is_secure=is_secure(request))
    response.headers.update(_PRIVATE)


def is_secure(request: Request) -> bool:
    """Whether the browser came by TLS: to this gateway, or to a proxy before it that says so. Whoever forges that word
    only keeps the own browser from sending the cookie without TLS."""
    return request.url.scheme in _SECURE_SCHEMES or request.headers.get("x-forwarded-proto", "") == "https"


async def _close_former(request: Request, ports: Ports) -> None:
    """End the login that the browser had before: nobody could use its cookie any more."""
    if not (token := token_of(request.headers)):
        return
    try:
        await ports.logins.close(await ports.logins.holder(token))
    except LoginEnded:
        return


def _shown(ports: Ports, holder: ApiKey, token: str) -> LoginOut:
    ends, csrf = holder.expires, None
    if isinstance(holder, LoggedIn):
        ends, csrf = datetime.fromtimestamp(holder.login.ends_ms / 1_000, UTC), csrf_of(token)
    return LoginOut(
        tenant=holder.tenant, role=holder.role, name=holder.name, csrf=csrf, expires=ends, oidc=ports.logins.by_oidc
    )
