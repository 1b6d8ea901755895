"""The engine's middleware: compressed requests arrive as plain ones, and bad ones are refused."""

import gzip
import importlib.util
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

Event = MutableMapping[str, Any]
SOURCE = Path(__file__).parents[4] / "deploy" / "engine" / "vigil_gunzip.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vigil_gunzip", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vigil_gunzip = load()


class Echo:
    """An app that keeps what it was asked."""

    def __init__(self) -> None:
        self.body = b""
        self.headers: dict[bytes, bytes] = {}

    async def __call__(
        self, scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
    ) -> None:
        self.headers = dict(scope["headers"])
        more = True
        while more:
            event = await receive()
            self.body += event.get("body", b"")
            more = event.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def ask(app: Echo, pieces: list[bytes], encoding: bytes | None = b"gzip") -> int:
    """Send a body in pieces; the status of the answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(sum(map(len, pieces))).encode())]
    if encoding is not None:
        headers.append((b"content-encoding", encoding))
    events = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    events.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Event] = []

    async def receive() -> Event:
        return events.pop(0)

    async def send(event: Event) -> None:
        sent.append(event)

    await vigil_gunzip.Gunzip(app)({"type": "http", "headers": headers}, receive, send)
    assert (b"accept-encoding", b"gzip") in sent[0]["headers"]
    return int(sent[0]["status"])


@given(body=st.binary(max_size=2_000), cut=st.integers(0, 2_000))
async def test_a_compressed_body_arrives_whole_however_it_was_cut(body: bytes, cut: int) -> None:
    app, packed = Echo(), gzip.compress(body)
    assert await ask(app, [packed[:cut], packed[cut:]]) == 200
    assert app.body == body
    assert app.headers == {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}


async def test_a_plain_body_is_left_alone() -> None:
    app = Echo()
    assert await ask(app, [b"{}"], encoding=None) == 200
    assert (app.body, app.headers[b"content-length"]) == (b"{}", b"2")


@pytest.mark.parametrize("body", [b"", b"{}", gzip.compress(b"{}" * 100)[:-9]], ids=["empty", "plain", "cut"])
async def test_what_is_no_gzip_is_refused(body: bytes) -> None:
    app = Echo()
    assert await ask(app, [body]) == 400
    assert app.headers == {}


async def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vigil_gunzip, "MAX_BODY_BYTES", 1_000)
    assert await ask(Echo(), [gzip.compress(b"a" * 1_000)]) == 200
    assert await ask(Echo(), [gzip.compress(b"a" * 1_001)]) == 413
