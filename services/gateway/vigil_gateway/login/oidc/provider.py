"""The identity provider: where it is, what it signs with, and what it says of a person.

What it says where it is (its discovery document) and its keys are kept for an hour; keys are looked up again once when
a token bears a signature that none of them made. Nothing is asked of it before somebody logs in.
"""

import asyncio
import base64
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.process.http_bodies import read_bounded
from vigil_gateway.api.errors import OidcRefused, OidcUnavailable

WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
REQUEST_S = 5.0
KEPT_S = 3_600.0
SKEW_S = 60
MAX_BYTES = 1 << 20

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """This gateway as the provider knows it."""

    issuer: str
    id: str
    secret: str
    redirect_url: str
    scope: str


class Provider:
    """One provider, over `http`, which belongs to the caller. `tls` verifies its certificate; None: by the system's
    authorities."""

    def __init__(
        self,
        client: Client,
        http: aiohttp.ClientSession,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._http = http
        self._tls: ssl.SSLContext | bool = tls if tls is not None else True
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, Json]] = {}

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where a person goes to log in. Raises `OidcUnavailable`."""
        told = await self._configuration()
        client = self._client
        challenge = create_s256_code_challenge(verifier)
        return str(
            prepare_grant_uri(
                _text(told, "authorization_endpoint"),
                client.id,
                "code",
                client.redirect_url,
                client.scope,
                state,
                nonce=nonce,
                code_challenge=challenge,
                code_challenge_method="S256",
            )
        )

    async def claims(self, code: str, verifier: str, nonce: str) -> Json:
        """What the provider vouches for, of the person whom it gave this code. Raises `OidcRefused`,
        `OidcUnavailable`."""
        told = await self._configuration()
        token = await self._token(_text(told, "token_endpoint"), told, code, verifier)
        return await self._checked(token, _text(told, "jwks_uri"), nonce)

    async def _token(self, endpoint: str, told: Json, code: str, verifier: str) -> str:
        client = self._client
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        form["redirect_uri"] = client.redirect_url
        ways = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        headers = {}
        if client.secret and "client_secret_basic" in ways:
            headers["Authorization"] = _basic(client.id, client.secret)
        else:
            form |= {"client_id": client.id} | ({"client_secret": client.secret} if client.secret else {})
        status, answer = await self._asked("POST", endpoint, data=form, headers=headers)
        if status != 200 or not isinstance(answer.get("id_token"), str):
            reason = str(answer.get("error", f"status {status}"))[:80]
            raise OidcRefused(f"the identity provider gives no token for the code ({reason})")
        return str(answer["id_token"])

    async def _checked(self, token: str, jwks_uri: str, nonce: str) -> Json:
        """The claims of a token whose signature and claims hold."""
        was_kept = jwks_uri in self._kept
        try:
            return self._verified(token, await self._document(jwks_uri), nonce)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            if not was_kept:
                raise OidcRefused(f"the token of the identity provider does not hold ({_why(error)})") from None
        del self._kept[jwks_uri]  # it may sign with new keys
        return await self._checked(token, jwks_uri, nonce)

    def _verified(self, token: str, keys: Json, nonce: str) -> Json:
        decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
        options = {
            "iss": {"essential": True, "value": self._client.issuer},
            "aud": {"essential": True, "values": [self._client.id]},
            "sub": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": self._client.id}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(now=int(time.time()), leeway=SKEW_S)
        return dict(claims)

    async def _configuration(self) -> Json:
        told = await self._document(self._client.issuer.rstrip("/") + WELL_KNOWN)
        if told.get("issuer") != self._client.issuer:
            raise OidcUnavailable("the provider calls itself by another name than VIGIL_OIDC_ISSUER")
        return told

    async def _document(self, url: str) -> Json:
        """The JSON object at `url`, as it was at most `KEPT_S` ago."""
        kept = self._kept.get(url)
        if kept is not None and self._monotonic() - kept[0] < KEPT_S:
            return kept[1]
        status, answer = await self._asked("GET", url)
        if status != 200:
            raise OidcUnavailable(f"the identity provider answers {status}")
        self._kept[url] = (self._monotonic(), answer)
        return answer

    async def _asked(self, method: str, url: str, **options: Any) -> tuple[int, Json]:
        """Status and JSON object of an answer; an answer of another form is an empty object. No redirect is followed.
        Raises `OidcUnavailable`."""
        try:
            async with (
                asyncio.timeout(REQUEST_S),
                self._http.request(method, url, ssl=self._tls, allow_redirects=False, **options) as response,
            ):
                body = await read_bounded(response, MAX_BYTES)
                return response.status, _object(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OidcUnavailable(f"the identity provider does not answer ({type(error).__name__})") from None


def _basic(name: str, secret: str) -> str:
    """HTTP Basic as RFC 6749 §2.3.1 has it: both parts are form-encoded first."""
    return "Basic " + base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()


def _object(body: bytes) -> Json:
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return found if isinstance(found, dict) else {}


def _text(told: Json, name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str):
        raise OidcUnavailable(f"the identity provider does not say its {name}")
    return found


def _why(error: Exception) -> str:
    return str(error)[:120] or type(error).__name__
