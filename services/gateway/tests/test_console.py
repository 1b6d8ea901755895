"""The console's files: what is served, with which headers, and what is not."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from vigil.runtime.process.config import ConfigInvalid, load
from vigil.runtime.process.startup import StartupError
from vigil.testing.ports import free_port
from vigil_gateway.config import GatewaySettings
from vigil_gateway.console import door, files
from vigil_gateway.console.headers import PROTECTION
from vigil_gateway.console.links import MAX_LINKS, Link, links_of
from vigil_gateway.http.app import routes

INDEX = b"<!doctype html><title>Vigil</title>"
SCRIPT = b"console.log('vigil');" * 20
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    # Pages that brains made are shown in frames; from there no frame can be led to another site.
    "media-src 'self' blob:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A console as its build leaves it, with a secret beside it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "assets" / "main-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "icon-3c4d.svg").write_bytes(b"<svg/>")
    (tmp_path / "secret.js").write_text("what nobody may read")
    (folder / "assets" / "link.js").symlink_to(tmp_path / "secret.js")
    return folder


@pytest.fixture
def settings(settings: GatewaySettings, built: Path) -> GatewaySettings:
    """Settings of a gateway with a console."""
    links = '{"Fleet": "https://grafana.example/d/1"}'
    return settings.model_copy(update={"console_dir": built, "console_links": links})


@pytest.fixture
async def console(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of that gateway without a key, which leaves answers compressed."""
    async with aiohttp.ClientSession(front, auto_decompress=False) as client:
        yield client


async def test_each_page_is_the_index_with_strict_headers(console: aiohttp.ClientSession) -> None:
    for path in (
        "/",
        "/login",
        "/wall",
        "/sessions/new",
        "/sessions/a/b",
        "/alerts",
        "/alerts/a-1",
        "/approvals",
        "/trust/s/1",
        "/system",
    ):
        async with console.get(path) as answer:
            assert (answer.status, await answer.read()) == (200, INDEX), path
            assert answer.content_type == "text/html"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers.items() >= PROTECTION.items()
    assert PROTECTION["Content-Security-Policy"] == POLICY
    assert PROTECTION["Permissions-Policy"].startswith("camera=(self), microphone=(self), display-capture=(self)")


async def test_an_asset_is_kept_for_ever_and_comes_compressed_to_whom_takes_it(console: aiohttp.ClientSession) -> None:
    for accepted, is_small in (
        ("gzip, br", True),
        ("*", True),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0", False),
    ):
        async with console.get("/assets/main-1a2b.js", headers={"Accept-Encoding": accepted}) as answer:
            body = await answer.read()
            assert ("Content-Encoding" in answer.headers) == is_small, accepted
            assert (gzip.decompress(body) if is_small else body) == SCRIPT
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.headers.items() >= PROTECTION.items()
    async with console.get("/assets/icon-3c4d.svg", headers={"Accept-Encoding": "gzip"}) as answer:
        assert (await answer.read(), answer.content_type) == (b"<svg/>", "image/svg+xml")
        assert "Content-Encoding" not in answer.headers


async def test_head_tells_what_get_would_send(console: aiohttp.ClientSession) -> None:
    for path, length in (("/wall", len(INDEX)), ("/assets/main-1a2b.js", len(SCRIPT))):
        async with console.head(path, headers={"Accept-Encoding": "identity"}) as answer:
            assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (200, str(length), b"")


async def test_nothing_else_is_served(console: aiohttp.ClientSession, front: str) -> None:
    for path in (
        "/assets/",
        "/assets/none.js",
        "/assets/link.js",
        "/assets/main-1a2b.js.gz",
        "/assets/../index.html",
        "/assets/..%2f..%2fsecret.js",
        "/assets/%2e%2e/%2e%2e/secret.js",
        "/assets/..\\..\\secret.js",
        "/assets//etc/passwd",
        "/index.html",
        "/wall/more",
        "/elsewhere",
    ):
        async with console.get(URL(f"{front}{path}", encoded=True)) as answer:
            assert answer.status == 404, path
            assert "nobody" not in await answer.text()
            assert answer.content_type == "application/problem+json"
    async with console.post("/wall") as answer:
        assert answer.status == 405


async def test_the_api_stays_what_it_is(console: aiohttp.ClientSession) -> None:
    async with console.get("/v1/sessions") as answer:
        assert answer.status == 401
    async with console.get("/v1/nothing") as answer:
        assert answer.status in (401, 404)


async def test_the_console_is_told_the_dashboards(console: aiohttp.ClientSession) -> None:
    async with console.get("/v1/console", headers={"Authorization": "Bearer a-key-of-demo"}) as answer:
        assert await answer.json() == {"links": [{"name": "Fleet", "url": "https://grafana.example/d/1"}]}
    async with console.get("/v1/console") as answer:
        assert answer.status == 401


def test_without_a_folder_there_is_no_console() -> None:
    app = routes()
    before = list(app.router.routes)
    door.install(app, None)
    assert app.router.routes == before


def test_a_folder_without_a_console_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"has no index\.html: build the console with `make console`"):
        files.read(tmp_path)


def test_a_folder_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(b"0" * 11)
    assert files.read(tmp_path, max_bytes=11).index.plain == b"0" * 11
    with pytest.raises(StartupError, match="it is no console"):
        files.read(tmp_path, max_bytes=10)


def test_a_folder_that_is_not_there_is_refused(settings: GatewaySettings, tmp_path: Path) -> None:
    values = {"api_keys_file": settings.api_keys_file, "http_port": free_port(), "console_dir": tmp_path / "none"}
    with pytest.raises(ConfigInvalid, match="VIGIL_CONSOLE_DIR"):
        load(GatewaySettings, values)


def test_dashboards_are_named_in_json() -> None:
    assert links_of("") == ()
    assert links_of('{"Fleet": "https://g.example/d/1?a=b", "Traces": "http://t.example"}') == (
        Link("Fleet", "https://g.example/d/1?a=b"),
        Link("Traces", "http://t.example"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        '{"a": 1}',
        '{"a": "javascript:alert(1)"}',
        '{"a": "/d/1"}',
        '{"a": "https://"}',
        '{"a": "http://[x"}',
        json.dumps({f"n{number}": "https://g.example" for number in range(MAX_LINKS + 1)}),
    ],
)
def test_what_is_no_list_of_dashboards_is_refused(text: str, settings: GatewaySettings) -> None:
    with pytest.raises(ConfigInvalid, match="VIGIL_CONSOLE_LINKS"):
        load(GatewaySettings, {"api_keys_file": settings.api_keys_file, "console_links": text})
