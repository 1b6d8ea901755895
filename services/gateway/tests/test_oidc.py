"""Logging in at an identity provider, with a real one of the test's own: discovery, PKCE, RSA signatures."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from vigil.contract.api_keys import KeyRole
from vigil.runtime.process.config import ConfigInvalid, load
from vigil.testing.oidc_provider import CLIENT_ID, CLIENT_SECRET, Claims, OidcProvider, new_key
from vigil.testing.ports import free_port
from vigil_gateway.api.errors import OidcNoRole
from vigil_gateway.config import GatewaySettings
from vigil_gateway.login.oidc.own_path import own_path
from vigil_gateway.login.oidc.person import PersonRules

OIDC = "/v1/login/oidc"
KEY = new_key()
RULES = PersonRules("org", "groups", {"guards": KeyRole.VIEWER, "chiefs": KeyRole.ADMIN})


@pytest.fixture
async def provider() -> AsyncIterator[OidcProvider]:
    """The provider, which sends people back to the gateway of this test."""
    port = free_port()
    async with OidcProvider(f"http://127.0.0.1:{port}{OIDC}/callback", key=KEY).serve() as served:
        yield served


@pytest.fixture
def settings(settings: GatewaySettings, provider: OidcProvider) -> GatewaySettings:
    """A gateway that knows the provider."""
    told = {
        "http_port": urlsplit(provider.redirect_url).port,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_redirect_url": provider.redirect_url,
        "oidc_roles": {"guards": "operator", "chiefs": "admin"},
    }
    return load(GatewaySettings, {name: getattr(settings, name) for name in settings.model_fields_set} | told)


@pytest.fixture
async def page(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser, as far as it keeps cookies; it follows redirects only where a test does."""
    jar, connector = aiohttp.CookieJar(unsafe=True), aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(front, cookie_jar=jar, connector=connector) as opened:
        yield opened


async def sent_to(page: aiohttp.ClientSession, url: str, status: int = 302) -> str:
    """Where the answer leads to."""
    async with page.get(url, allow_redirects=False) as answer:
        assert answer.status == status, await answer.text()
        return answer.headers["Location"]


async def come_back(page: aiohttp.ClientSession, asked: str = OIDC) -> str:
    """Log in at the provider; the address that it sends the browser back to."""
    return await sent_to(page, await sent_to(page, asked))


async def refusal(page: aiohttp.ClientSession, url: str) -> tuple[int, str, str]:
    """The status, the kind of problem and what was wrong."""
    async with page.get(url, allow_redirects=False) as answer:
        told = await answer.json(content_type=None)
        assert "Set-Cookie" not in answer.headers
        return answer.status, told["type"].rpartition(":")[2], told["detail"]


def described(provider: OidcProvider, **claims: Any) -> None:
    provider.person = {"sub": "u-1", "name": "Ada", "tenant": "demo", "role": "guards"} | claims


async def test_a_person_logs_in_and_is_led_on(page: aiohttp.ClientSession, provider: OidcProvider) -> None:
    described(provider, role=["guards", "gardeners"])
    back = await come_back(page, f"{OIDC}?next=/alerts%3Fopen")
    assert await sent_to(page, back, 303) == "/alerts?open"
    async with page.get("/v1/login") as answer:
        told = await answer.json()
    assert (told["tenant"], told["role"], told["name"], told["oidc"]) == ("demo", "operator", "Ada", True)
    async with page.post("/v1/sessions", json={}) as answer:
        assert answer.status == 403
    async with page.post("/v1/sessions", json={}, headers={"X-CSRF-Token": told["csrf"]}) as answer:
        assert answer.status == 422
    described(provider, role="chiefs")
    assert await sent_to(page, await come_back(page), 303) == "/"
    async with page.get("/v1/audit") as answer:
        (entry, *_) = (await answer.json())["entries"]
        assert (entry["actor"], entry["route"]) == ("Ada", f"{OIDC}/callback")
    assert provider.requests["/.well-known/openid-configuration"] == 1, "it is kept"
    assert provider.requests["/jwks"] == 1


async def test_what_is_asked_of_the_provider(page: aiohttp.ClientSession, provider: OidcProvider) -> None:
    asked = [urlsplit(await sent_to(page, OIDC)) for _ in range(2)]
    first, second = (parse_qs(url.query) for url in asked)
    assert f"{asked[0].scheme}://{asked[0].netloc}" == provider.issuer
    assert first["code_challenge_method"] == ["S256"]
    for secret in ("state", "nonce", "code_challenge"):
        assert first[secret] != second[secret]
        assert len(first[secret][0]) >= 43
    assert "client_secret" not in first


async def test_a_code_holds_once_and_for_the_browser_that_set_out(
    page: aiohttp.ClientSession, front: str, provider: OidcProvider
) -> None:
    described(provider)
    back = await come_back(page)
    async with aiohttp.ClientSession(front) as other:
        status, kind, why = await refusal(other, back)
        assert (status, kind) == (401, "oidc_refused")
        assert "this browser did not set out" in why
    await sent_to(page, back, 303)
    assert (await refusal(page, back))[:2] == (401, "oidc_refused")
    forged = await come_back(page)
    assert (await refusal(page, forged.replace("state=", "state=x")))[:2] == (401, "oidc_refused")


async def test_a_provider_that_lets_nobody_in(page: aiohttp.ClientSession) -> None:
    state = parse_qs(urlsplit(await sent_to(page, OIDC)).query)["state"][0]
    status, kind, why = await refusal(page, f"{OIDC}/callback?error=access_denied&state={state}")
    assert (status, kind) == (401, "oidc_refused")
    assert "access_denied" in why


BREAKAGES: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "another client": lambda claims: claims | {"aud": "another"},
    "another nonce": lambda claims: claims | {"nonce": "another"},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
    "expired": lambda claims: claims | {"exp": int(time.time()) - 120},
    "of the future": lambda claims: claims | {"iat": int(time.time()) + 600},
    "meant for another party": lambda claims: claims | {"aud": [CLIENT_ID, "b"], "azp": "b"},
}


async def test_a_token_that_does_not_hold(page: aiohttp.ClientSession, provider: OidcProvider) -> None:
    described(provider)
    for name, broken in BREAKAGES.items():
        provider.break_token = broken
        assert (await refusal(page, await come_back(page)))[:2] == (401, "oidc_refused"), name
    provider.break_token = lambda claims: claims
    provider.signing_key = new_key()
    assert (await refusal(page, await come_back(page)))[:2] == (401, "oidc_refused"), "signed by somebody else"


async def test_a_clock_may_differ_and_keys_may_change(page: aiohttp.ClientSession, provider: OidcProvider) -> None:
    described(provider)
    provider.break_token = lambda claims: claims | {"exp": int(time.time()) - 20, "iat": int(time.time()) + 20}
    await sent_to(page, await come_back(page), 303)
    provider.key, provider.key_id = new_key(), "second"
    await sent_to(page, await come_back(page), 303)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"role": "gardeners"}, "no value of the claim role means a role here"),
        ({"role": None}, "no value of the claim role"),
        ({"tenant": None}, "names no tenants"),
        ({"tenant": ["demo", "rival"]}, "names 2 tenants"),
        ({"tenant": "a.*"}, "is not allowed"),
        ({"tenant": "nobody"}, "there is no tenant nobody here"),
    ],
)
async def test_a_person_without_a_place_here(
    page: aiohttp.ClientSession, provider: OidcProvider, claims: Claims, why: str
) -> None:
    described(provider, **claims)
    status, kind, told = await refusal(page, await come_back(page))
    assert (status, kind) == (403, "oidc_no_role")
    assert why in told


async def test_a_provider_that_is_away(page: aiohttp.ClientSession, provider: OidcProvider) -> None:
    provider.is_away = True
    assert (await refusal(page, OIDC))[:2] == (503, "oidc_unavailable")
    async with page.post("/v1/login", json={"key": "a-key-of-demo"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/", "/"),
        ("/sessions/s-1?tab=2#x", "/sessions/s-1?tab=2#x"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("/a\nb", "/"),
        ("/a b", "/"),
        ("javascript:alert(1)", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_a_person_is_led_to_paths_of_this_origin_alone(asked: str, shown: str) -> None:
    assert own_path(asked) == shown


def test_the_highest_role_counts() -> None:
    person = RULES.person({"sub": "u", "org": "demo", "groups": ["guards", "chiefs", 7]})
    assert (person.role, person.tenant, person.name) == (KeyRole.ADMIN, "demo", "u")
    with pytest.raises(OidcNoRole):
        RULES.person({"sub": "u", "org": "demo", "groups": {"chiefs": 1}})


def test_a_provider_is_configured_whole_or_not_at_all(settings: GatewaySettings) -> None:
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    for wrong in ({"oidc_client_id": ""}, {"oidc_redirect_url": ""}, {"oidc_issuer": "http://id.example"}):
        with pytest.raises(ConfigInvalid):
            load(GatewaySettings, given | wrong)
