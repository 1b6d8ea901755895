"""A session over a WebSocket, driven by a page in a real browser."""

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from vigil.runtime.bus.client import Bus
from vigil.runtime.process.service import Service
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import alert
from vigil.testing.images import jpeg
from vigil.testing.scripted_decider import ScriptedDecider
from vigil_gateway.config import GatewaySettings

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
BROWSER_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")]

# What a developer would write: a picture as base64, one as it is, a question, then the end.
PAGE = """<!doctype html><meta charset="utf-8"><title>Vigil</title><script>
const SETUP = %s, seen = [];
const jpeg = Uint8Array.from(atob(SETUP.jpeg), letter => letter.charCodeAt(0));
const socket = new WebSocket(SETUP.url, ["vigil.v1", "vigil.v1.bearer." + SETUP.key]);
const report = () => fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
function binary(header) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const message = new Uint8Array(4 + text.length + jpeg.length);
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, 4);
  message.set(jpeg, 4 + text.length);
  return message;
}
const steps = [
  () => socket.send(JSON.stringify({type: "push_frame", id: 1, jpeg: SETUP.jpeg})),
  () => socket.send(binary({type: "push_frame", id: 2})),
  () => socket.send(JSON.stringify({type: "ask", id: 3, text: "What is there?"})),
  () => fetch("/alert", {method: "POST"}),
  () => socket.send(JSON.stringify({type: "end", id: 4})),
];
socket.onmessage = ({data}) => {
  const message = JSON.parse(data);
  seen.push(message);
  const first = message.type == "status" && seen.filter(other => other.type == "status").length == 1;
  const next = first || ["answer", "accepted", "alert", "problem"].includes(message.type);
  if (next && steps.length) steps.shift()();
};
socket.onclose = ({code}) => { seen.push({type: "closed", code, protocol: socket.protocol}); report(); };
</script>"""


@asynccontextmanager
async def website(
    setup: dict[str, str], raise_alert: Callable[[], Any]
) -> AsyncIterator[tuple[str, asyncio.Queue[Any]]]:
    """A site with the page, and what the page has seen once its WebSocket is closed."""
    seen: asyncio.Queue[Any] = asyncio.Queue()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE % json.dumps(setup), content_type="text/html")

    async def take(request: web.Request) -> web.Response:
        seen.put_nowait(json.loads(await request.text()))
        return web.Response()

    async def alarm(_: web.Request) -> web.Response:
        await raise_alert()
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/seen", take), web.post("/alert", alarm)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", seen
    finally:
        await runner.cleanup()


async def test_a_page_pushes_pictures_asks_hears_and_ends(
    gateway: Service[GatewaySettings],
    http: aiohttp.ClientSession,
    bus: Bus,
    store: SessionStore,
    workers: None,
    tmp_path: Path,
) -> None:
    async with http.post("/v1/sessions", json={"source": {"kind": "pushed", "id": "lobby"}}) as answer:
        session = (await answer.json())["id"]
    setup = {
        "url": f"ws://127.0.0.1:{gateway.settings.http_port}/v1/sessions/{session}/ws",
        "key": "a-key-of-demo",
        "jpeg": base64.b64encode(jpeg()).decode(),
    }
    async with (
        ScriptedDecider(bus, store, lambda picture: "A picture.").working(),
        website(setup, lambda: bus.publish_stored(alert(session))) as (url, seen),
        browsing(url, tmp_path),
        asyncio.timeout(BROWSER_S),
    ):
        messages = await seen.get()
    replies = [message for message in messages if message["type"] in ("answer", "accepted", "problem")]
    assert [(reply["type"], reply["id"]) for reply in replies] == [
        ("answer", 1),
        ("answer", 2),
        ("accepted", 3),
        ("accepted", 4),
    ]
    assert [reply["data"]["text"] for reply in replies[:2]] == ["A picture."] * 2
    kinds = [message["type"] for message in messages]
    assert (kinds.count("decision"), kinds.count("alert")) == (2, 1)
    assert messages[-2] == {"type": "end", "data": {"reason": "the session ended"}}
    assert messages[-1] == {"type": "closed", "code": 1000, "protocol": "vigil.v1"}


@asynccontextmanager
async def browsing(url: str, profile: Path) -> AsyncIterator[None]:
    """A browser without a window that shows the page while the block runs."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile / 'browser'}", url]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
