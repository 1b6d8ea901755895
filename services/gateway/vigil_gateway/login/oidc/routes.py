"""`/v1/login/oidc`: to the identity provider, and back from it with a login."""

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics
from vigil_gateway.api.errors import GatewayError, OidcNoRole, OidcOff, OidcRefused
from vigil_gateway.login.oidc.own_path import MAX_PATH_CHARS, START, own_path
from vigil_gateway.login.oidc.sign_in import SignIn
from vigil_gateway.login.routes import give, is_secure
from vigil_gateway.ports import Ports, PortsOf

log = get_log()

PATH = "/v1/login/oidc"
router = APIRouter(prefix=PATH, tags=["login"])

# Binds the way back to the browser that set out: nobody can have another's browser end a login that is his own.
COOKIE = "vigil_oidc"
COOKIE_S = 600

Next = Annotated[str, Query(max_length=MAX_PATH_CHARS, description="The path of this origin that is shown afterwards")]
Code = Annotated[str, Query(max_length=4_096, description="What the provider gives in exchange for a token")]
State = Annotated[str, Query(max_length=256, description="What this gateway had asked with")]
Error = Annotated[str, Query(max_length=256, description="Why the provider lets nobody in")]


@router.get("", status_code=302, response_class=RedirectResponse)
async def go_to_provider(request: Request, ports: PortsOf, next: Next = START) -> Response:  # noqa: A002
    """Go to the identity provider. 404 where none is configured."""
    sign_in = _sign_in(request, ports)
    state = secrets.token_urlsafe(32)
    response = RedirectResponse(await sign_in.begin(state, own_path(next)), 302, {"Cache-Control": "no-store"})
    # Lax, for the way back is a navigation that another site begins.
    response.set_cookie(
        COOKIE, state, max_age=COOKIE_S, path=PATH, secure=is_secure(request), httponly=True, samesite="lax"
    )
    return response


@router.get("/callback", status_code=303, response_class=RedirectResponse)
async def come_back(
    request: Request, ports: PortsOf, code: Code = "", state: State = "", error: Error = ""
) -> Response:
    """Come back from the identity provider with a login, and go on to the page that was asked for."""
    sign_in = _sign_in(request, ports)
    try:
        if not state or not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), state.encode()):
            raise OidcRefused("this browser did not set out to log in, or took longer than ten minutes")
        person, path = await sign_in.end(state, code, error)
        opened = await ports.logins.vouched(person.tenant, person.role, person.name, person.subject)
    except GatewayError as refusal:
        metrics.LOGINS.labels("oidc_no_role" if isinstance(refusal, OidcNoRole) else "oidc_refused").inc()
        log.warning("oidc login refused", reason=str(refusal))
        raise
    response = RedirectResponse(path, 303)
    give(request, response, opened)
    response.delete_cookie(COOKIE, path=PATH, secure=is_secure(request), httponly=True, samesite="lax")
    address = request.client.host if request.client else ""
    ports.audit.record(opened.holder, method="GET", route=f"{PATH}/callback", status=303, address=address)
    log.info("login opened", tenant=person.tenant, role=person.role, key=opened.holder.id)
    return response


def _sign_in(request: Request, ports: Ports) -> SignIn:
    """Raises `OidcOff`, `TooManyLogins`."""
    if ports.sign_in is None:
        raise OidcOff
    ports.attempts.count(request.client.host if request.client else "")
    return ports.sign_in
