"""Logging in over HTTP: what the cookie opens, from where, and for how long."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.runtime.process.service import Service
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import RedisServer
from vigil_gateway.config import GatewaySettings
from vigil_gateway.http.app import routes

KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}
BODY = {"source": {"url": "rtsp://camera.local/1"}}
OWN_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """An operator of the tenant demo, a viewer, and another tenant."""
    path = tmp_path / "keys.json"
    operators = [ApiKey(digest_of(key), tenant, name="desk") for tenant, key in KEYS.items()]
    write_keys(path, *operators, ApiKey(digest_of("a-key-of-viewer"), "demo", KeyRole.VIEWER, "screen"))
    return path


def write_keys(path: Path, *keys: ApiKey) -> None:
    path.write_bytes(encode_keys(keys))


@pytest.fixture
async def page(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser, as far as it keeps cookies."""
    async with aiohttp.ClientSession(front, cookie_jar=aiohttp.CookieJar(unsafe=True)) as opened:
        yield opened


async def logged_in(page: aiohttp.ClientSession, key: str = KEYS["demo"]) -> dict[str, Any]:
    """Log in; what the answer says."""
    async with page.post("/v1/login", json={"key": key}) as answer:
        told: dict[str, Any] = await answer.json()
        assert answer.status == 200, told
        return told


async def kind(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    """The status, and the kind of problem."""
    return answer.status, (await answer.json(content_type=None))["type"].rpartition(":")[2]


async def test_a_key_is_exchanged_for_a_cookie(page: aiohttp.ClientSession) -> None:
    async with page.post("/v1/login", json={"key": KEYS["demo"]}) as answer:
        told = await answer.json()
        given = answer.headers["Set-Cookie"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert (told["tenant"], told["role"], told["name"], told["oidc"]) == ("demo", "operator", "desk", False)
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(given.split("; "))
    assert "Secure" not in given
    assert KEYS["demo"] not in given
    async with page.get("/v1/login") as answer:
        assert (await answer.json(), answer.headers["Cache-Control"]) == (told, "no-store")
    async with page.get("/v1/key") as answer:
        assert (await answer.json())["tenant"] == "demo"


async def test_behind_a_proxy_with_tls_the_cookie_goes_by_tls_alone(page: aiohttp.ClientSession) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    async with page.post("/v1/login", json={"key": KEYS["demo"]}, headers=headers) as answer:
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")


async def test_what_changes_something_needs_the_csrf_token(page: aiohttp.ClientSession, workers: None) -> None:
    csrf = (await logged_in(page))["csrf"]
    for given in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf[:-1]}):
        async with page.post("/v1/sessions", json=BODY, headers=given) as answer:
            assert await kind(answer) == (403, "csrf_token")
    async with page.get("/v1/sessions") as answer:
        assert (await answer.json())["sessions"] == []
    async with page.post("/v1/sessions", json=BODY, headers={"X-CSRF-Token": csrf}) as answer:
        assert answer.status == 201


async def test_every_operation_that_changes_something_needs_the_csrf_token(page: aiohttp.ClientSession) -> None:
    csrf = (await logged_in(page))["csrf"]
    operations = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, found in routes().openapi()["paths"].items()
        for method, operation in found.items()
        if method not in ("get", "options") and operation["security"]
    ]
    assert len(operations) >= 12
    for method, path in operations:
        async with page.request(method, path, json={}) as answer:
            told = await answer.json(content_type=None)
            assert answer.status == 403, (method, path)
            assert "CSRF" in json.dumps(told), (method, path)
    async with page.delete("/v1/login", headers={"X-CSRF-Token": csrf}) as answer:
        assert answer.status == 204


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_cookie_is_taken_from_no_other_site(page: aiohttp.ClientSession, said: dict[str, str]) -> None:
    csrf = (await logged_in(page))["csrf"]
    for method, path in (("GET", "/v1/sessions"), ("POST", "/v1/sessions"), ("DELETE", "/v1/login")):
        async with page.request(method, path, headers={"X-CSRF-Token": csrf, **said}) as answer:
            assert await kind(answer) == (403, "cross_site")
    async with page.post("/v1/login", json={"key": KEYS["demo"]}, headers=said) as answer:
        assert await kind(answer) == (403, "cross_site")
    bearer = {"Authorization": f"Bearer {KEYS['rival']}", **said}
    async with page.get("/v1/key", headers=bearer) as answer:  # a key is its own proof, and comes first
        assert (await answer.json())["tenant"] == "rival"


async def test_a_cookie_has_the_role_of_its_key(page: aiohttp.ClientSession) -> None:
    told = await logged_in(page, "a-key-of-viewer")
    assert (told["role"], told["name"]) == ("viewer", "screen")
    async with page.post("/v1/sessions", json=BODY, headers={"X-CSRF-Token": told["csrf"]}) as answer:
        assert await kind(answer) == (403, "role_too_low")
    async with page.delete("/v1/login", headers={"X-CSRF-Token": told["csrf"]}) as answer:
        assert answer.status == 204


def cookie_of(page: aiohttp.ClientSession) -> dict[str, str]:
    """The header with the cookies that the browser has now."""
    return {"Cookie": "; ".join(f"{morsel.key}={morsel.value}" for morsel in page.cookie_jar)}


async def test_who_logs_out_is_out_at_every_replica(page: aiohttp.ClientSession, second: str) -> None:
    csrf = (await logged_in(page))["csrf"]
    async with aiohttp.ClientSession(second, headers=cookie_of(page)) as there:
        async with there.get("/v1/login") as answer:
            assert (await answer.json())["csrf"] == csrf
        async with page.delete("/v1/login", headers={"X-CSRF-Token": csrf}) as answer:
            assert "Max-Age=0" in answer.headers["Set-Cookie"]
        async with there.get("/v1/sessions") as answer:
            assert await kind(answer) == (401, "login_ended")
        async with there.get("/v1/login") as answer:
            assert (await answer.json(content_type=None))["oidc"] is False


async def test_who_logs_in_again_has_one_login(page: aiohttp.ClientSession, front: str) -> None:
    await logged_in(page)
    former = cookie_of(page)
    await logged_in(page)
    async with aiohttp.ClientSession(front, headers=former) as old, old.get("/v1/login") as answer:
        assert await kind(answer) == (401, "login_ended")


@pytest.mark.parametrize("key", ["a-key-of-nobody", digest_of(KEYS["demo"]), KEYS["demo"] + " ", "é"])
async def test_a_wrong_key_gets_no_cookie_and_is_told_to_nobody(page: aiohttp.ClientSession, key: str) -> None:
    async with page.post("/v1/login", json={"key": key}) as answer:
        assert await kind(answer) == (401, "key_wrong")
        assert "Set-Cookie" not in answer.headers
        assert key not in await answer.text()


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": 7}, {"key": "x" * 513}, {"key": "k", "role": "admin"}])
async def test_a_body_that_breaks_a_rule(page: aiohttp.ClientSession, body: dict[str, Any]) -> None:
    async with page.post("/v1/login", json=body) as answer:
        assert await kind(answer) == (422, "invalid_request")
        assert "xxx" not in await answer.text()


async def test_who_is_not_logged_in_is_told_how_to(page: aiohttp.ClientSession) -> None:
    async with page.get("/v1/login") as answer:
        told = await answer.json(content_type=None)
        assert (answer.status, told["oidc"]) == (401, False)
        assert told["type"].endswith("key_missing")
    async with page.get("/v1/login", headers={"Authorization": f"Bearer {KEYS['demo']}"}) as answer:
        told = await answer.json()
        assert (told["tenant"], told["csrf"], told["expires"]) == ("demo", None, None)


@pytest.mark.parametrize("path", ["/v1/login/oidc", "/v1/login/oidc/callback?code=c&state=s"])
async def test_without_an_identity_provider_nobody_goes_there(page: aiohttp.ClientSession, path: str) -> None:
    async with page.get(path) as answer:
        assert await kind(answer) == (404, "oidc_off")


async def test_an_address_has_its_attempts(gateway: Service[GatewaySettings], page: aiohttp.ClientSession) -> None:
    most = gateway.settings.login_attempts_per_minute
    statuses, wait = [0], None
    while statuses[-1] != 429 and len(statuses) <= 3 * most:  # on a slow machine some more are allowed meanwhile
        async with page.post("/v1/login", json={"key": "guessed"}) as answer:
            statuses.append(answer.status)
            wait = answer.headers.get("Retry-After")
    assert statuses[1 : most + 1] == [401] * most
    assert statuses[-1] == 429
    assert wait is not None
    assert 1 <= int(wait) <= 60
    async with page.get("/v1/sessions", headers={"Authorization": f"Bearer {KEYS['demo']}"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("how", ["key removed", "logged out"])
async def test_what_a_login_has_open_ends_with_it(
    page: aiohttp.ClientSession, session: str, keys_file: Path, how: str
) -> None:
    csrf = (await logged_in(page))["csrf"]
    async with page.get(f"/v1/sessions/{session}/events") as stream, asyncio.timeout(DEADLINE_S):
        assert (await stream.content.readline()).startswith(b"event: status")
        if how == "logged out":
            async with page.delete("/v1/login", headers={"X-CSRF-Token": csrf}) as answer:
                assert answer.status == 204
        else:
            write_keys(keys_file, ApiKey(digest_of(KEYS["rival"]), "rival"))
        rest = await stream.content.read()
    assert b"the login has ended" in rest


@pytest.mark.parametrize(
    ("said", "status"),
    [({}, 403), ({"Origin": "https://evil.example"}, 403), (OWN_SITE, 101), ({"Origin": "own"}, 101)],
)
async def test_a_websocket_with_a_cookie_is_opened_by_pages_of_this_gateway(
    page: aiohttp.ClientSession, front: str, session: str, said: dict[str, str], status: int
) -> None:
    await logged_in(page)
    headers = {name: front if value == "own" else value for name, value in said.items()}
    try:
        async with page.ws_connect(f"/v1/sessions/{session}/ws", headers=headers) as websocket:
            assert (await websocket.receive_json(timeout=5))["type"] == "status"
            found = 101
    except aiohttp.WSServerHandshakeError as error:
        found = error.status
    assert found == status


async def test_while_redis_is_away_a_cookie_opens_nothing(
    page: aiohttp.ClientSession, redis_server: RedisServer
) -> None:
    await logged_in(page)
    await redis_server.kill()

    async def refused() -> bool:
        async with page.get("/v1/key") as answer:
            return await kind(answer) == (503, "store_unavailable")

    await eventually(refused, what="the cookie is refused")
    async with page.get("/v1/key", headers={"Authorization": f"Bearer {KEYS['demo']}"}) as answer:
        assert answer.status == 200
