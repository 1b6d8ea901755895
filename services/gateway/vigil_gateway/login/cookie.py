"""The cookie of a login, and the token that guards it against requests that other sites forge. Pure.

The cookie holds 256 random bits. Scripts cannot read it, and a browser sends it with no request that another site
caused. The CSRF token is made of it, so that nothing more is stored; the cookie cannot be found from the CSRF token.
"""

import hashlib
import hmac
import re
import secrets

from starlette.datastructures import Headers
from starlette.responses import Response

COOKIE = "vigil_login"
CSRF_HEADER = "X-CSRF-Token"
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_CSRF_PURPOSE = b"vigil csrf"


def new_token() -> str:
    """What a new cookie holds."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest_of(token: str) -> str:
    """What is stored of a cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """The CSRF token of a cookie."""
    return hmac.digest(token.encode(), _CSRF_PURPOSE, "sha256").hex()


def has_cookie(headers: Headers) -> bool:
    """Whether the request carries a cookie of a login, whatever it holds."""
    return bool(_cookies(headers))


def token_of(headers: Headers) -> str:
    """What the cookie holds; empty when it cannot be one of ours.

    Of two cookies of the name one was set by somebody else, such as a page of a neighbouring host: neither is taken.
    """
    found = _cookies(headers)
    return found[0] if len(found) == 1 and _TOKEN.fullmatch(found[0]) else ""


def is_csrf_of(token: str, given: str) -> bool:
    """Whether `given` is the CSRF token of the cookie, compared in constant time."""
    return hmac.compare_digest(csrf_of(token).encode(), given.encode("utf-8", "surrogatepass"))


def set_cookie(response: Response, token: str, life_s: int, *, is_secure: bool) -> None:
    """Give the browser the cookie for `life_s`."""
    response.set_cookie(COOKIE, token, max_age=life_s, path="/", secure=is_secure, httponly=True, samesite="strict")


def clear_cookie(response: Response, *, is_secure: bool) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(COOKIE, path="/", secure=is_secure, httponly=True, samesite="strict")


def _cookies(headers: Headers) -> list[str]:
    pairs = (pair.partition("=") for header in headers.getlist("cookie") for pair in header.split(";"))
    return [value.strip().strip('"') for name, _, value in pairs if name.strip() == COOKIE]
