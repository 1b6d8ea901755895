"""A small OpenID provider: discovery, the code flow with PKCE, real RSA signatures, and a person whom a test describes.

It refuses what a real one refuses: another client, another redirect address, a wrong secret, a code that was used, a
verifier that does not fit. `break_token` lets a test spoil what it would sign.
"""

import base64
import hashlib
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT_ID = "vigil"
CLIENT_SECRET = "the client's secret"
TOKEN_LIFE_S = 300

Claims = dict[str, Any]


def new_key() -> rsa.RSAPrivateKey:
    """A key as providers sign with."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@dataclass
class OidcProvider:
    """`person` are the claims about whoever logs in; `requests` counts what was asked for, by path."""

    redirect_url: str
    person: Claims = field(default_factory=lambda: {"sub": "u-1", "name": "Ada", "tenant": "demo", "role": "operator"})
    break_token: Callable[[Claims], Claims] = lambda claims: claims
    key: rsa.RSAPrivateKey = field(default_factory=new_key)
    key_id: str = "first"
    signing_key: rsa.RSAPrivateKey | None = None
    issuer: str = ""
    is_away: bool = False
    requests: dict[str, int] = field(default_factory=dict)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @asynccontextmanager
    async def serve(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, name: str = "127.0.0.1"
    ) -> AsyncIterator["OidcProvider"]:
        """Serve on a free port, over TLS where there is a context; `issuer` is its address, by this name."""
        app = web.Application(middlewares=[self._counting])
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._configuration),
                web.get("/jwks", self._jwks),
                web.get("/authorize", self._authorize),
                web.post("/token", self._token),
            ]
        )
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, host, 0, ssl_context=tls).start()
        self.issuer = f"{'http' if tls is None else 'https'}://{name}:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def _counting(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests[request.path] = self.requests.get(request.path, 0) + 1
        if self.is_away:
            raise web.HTTPServiceUnavailable
        response: web.StreamResponse = await handler(request)
        return response

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def _jwks(self, _: web.Request) -> web.Response:
        numbers = self.key.public_key().public_numbers()
        parts = {"n": _encoded(_bytes_of(numbers.n)), "e": _encoded(_bytes_of(numbers.e))}
        return web.json_response({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, **parts}]})

    async def _authorize(self, request: web.Request) -> web.Response:
        """The person agrees at once."""
        asked = dict(request.query)
        wanted = {"client_id": CLIENT_ID, "redirect_uri": self.redirect_url, "response_type": "code"}
        if any(asked.get(name) != value for name, value in wanted.items()):
            raise web.HTTPBadRequest(text="another client, redirect address or flow")
        if asked.get("code_challenge_method") != "S256" or "openid" not in asked.get("scope", "").split():
            raise web.HTTPBadRequest(text="no PKCE, or no OpenID")
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        location = f"{self.redirect_url}?code={code}&state={asked['state']}"
        return web.Response(status=302, headers={"Location": location})

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        given = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if [unquote_plus(part) for part in given.split(":")] != [CLIENT_ID, CLIENT_SECRET]:
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self._codes.pop(str(form.get("code")), None)
        verifier = str(form.get("code_verifier", ""))
        if asked is None or form.get("redirect_uri") != self.redirect_url:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if _encoded(hashlib.sha256(verifier.encode()).digest()) != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now_s = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + TOKEN_LIFE_S}
        claims |= {"nonce": asked["nonce"], **self.person}
        token = self.signed(self.break_token(claims))
        return web.json_response({"access_token": "opaque", "token_type": "Bearer", "id_token": token})

    def signed(self, claims: Claims) -> str:
        """An ID token of these claims."""
        head = _encoded(json.dumps({"alg": "RS256", "typ": "JWT", "kid": self.key_id}).encode())
        body = f"{head}.{_encoded(json.dumps(claims).encode())}"
        signature = (self.signing_key or self.key).sign(body.encode(), padding.PKCS1v15(), SHA256())
        return f"{body}.{_encoded(signature)}"


def _bytes_of(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
