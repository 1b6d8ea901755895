"""Who sends a request: the holder of the key or of the cookie that it carries, and whether it may be sent so.

A key in the header `Authorization` comes first: no page of another site can set that header, so nothing else is
checked. A cookie is sent by the browser by itself, so it is taken from pages of this gateway alone.
"""

from starlette.datastructures import Headers

from vigil.contract.api_keys import ApiKey
from vigil_gateway import metrics
from vigil_gateway.api.auth import bearer_key
from vigil_gateway.api.errors import CrossSite, CsrfInvalid
from vigil_gateway.login.cookie import CSRF_HEADER, has_cookie, is_csrf_of, token_of
from vigil_gateway.login.holder import LoggedIn
from vigil_gateway.login.origin import is_from_another_site, is_from_this_site
from vigil_gateway.ports import READING, Ports


async def identified(ports: Ports, headers: Headers, offered: str = "") -> ApiKey:
    """Who sends it, in one round trip at most; `offered` is a key that came otherwise than in its header.

    Raises `KeyMissing`, `KeyWrong`, `KeyExpired`, `LoginEnded`, `StoreError`.
    """
    key = bearer_key(headers.get("authorization", "")) or offered
    if key or not has_cookie(headers):
        return ports.keys.find(key)
    return await ports.logins.holder(token_of(headers))


def check_request(holder: ApiKey, method: str, headers: Headers) -> None:
    """Return when the holder sends the request with a key, or from a page of this gateway. Raises `CrossSite`,
    `CsrfInvalid`."""
    if not isinstance(holder, LoggedIn):
        return
    if is_from_another_site(headers):
        raise CrossSite
    if method not in READING and not is_csrf_of(token_of(headers), headers.get(CSRF_HEADER, "")):
        raise CsrfInvalid


def check_handshake(holder: ApiKey, headers: Headers) -> None:
    """The same of a WebSocket, which a page can open without any header of its own: with a cookie the browser must say
    that a page of this gateway opens it. Raises `CrossSite`."""
    if isinstance(holder, LoggedIn) and not is_from_this_site(headers):
        raise CrossSite


def admit_attempt(ports: Ports, headers: Headers, host: str) -> None:
    """Return when somebody at this address may try to log in now: from a page of this gateway, or without a browser.
    Raises `CrossSite`, `TooManyLogins`."""
    if is_from_another_site(headers):
        metrics.LOGINS.labels("cross_site").inc()
        raise CrossSite
    ports.attempts.count(host)
