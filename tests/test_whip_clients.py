"""WHIP from the outside: a client that nobody here wrote in a real browser, and a network that loses a fifth of it all.

The gateway and ingestion are real processes; the pictures are counted as ingestion publishes them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import nats
import pytest
from aiohttp import web
from door import KEY, TENANT, Door, open_door
from nats.aio.msg import Msg
from playwright.async_api import async_playwright
from whip_client import Colour, publishing

from vigil.contract import subjects
from vigil.contract.frames import decode_group
from vigil.core.ids import SessionKey
from vigil.testing.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CLIENT = Path(__file__).parent.parent / "build" / "whip-client" / "node_modules" / "whip-whep" / "whip.js"
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--no-sandbox")
UDP_PORTS = "47810-47819"
LOST = 0.2
SOON_S = 60.0

# As the README of the client has it. The page stops when it is told to.
PAGE = """<!doctype html><meta charset="utf-8"><title>Camera</title><script type="module">
import {WHIPClient} from "/whip.js";
const media = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
const peer = new RTCPeerConnection({bundlePolicy: "max-bundle"});
for (const track of media.getTracks()) peer.addTransceiver(track, {direction: "sendonly", streams: [media]});
const client = new WHIPClient();
window.publish = async (url, key) => {
  try {
    await client.publish(peer, url, key);
    return {resource: client.resourceURL.href, servers: peer.getConfiguration().iceServers.length};
  } catch (error) {
    return {error: String(error)};
  }
};
window.stop = () => client.stop();
window.connection = () => peer.connectionState;
window.ready = true;
</script>"""


@asynccontextmanager
async def website() -> AsyncIterator[str]:
    """A site of another origin than the gateway's, with the page and the client."""
    app = web.Application()

    async def index(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(CLIENT, headers={"Content-Type": "text/javascript"})

    app.add_routes([web.get("/", index), web.get("/whip.js", script)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def pictures_of(door: Door, session: str) -> AsyncIterator[list[int]]:
    """The model time of each picture of the session, as it comes."""
    seen: list[int] = []

    async def take(message: Msg) -> None:
        seen.append(decode_group(message.data).time_ms)

    client = await nats.connect(door.nats_url)
    try:
        await client.subscribe(subjects.raw_frames(SessionKey(TENANT, session)), cb=take)
        yield seen
    finally:
        await client.close()


async def shown(seen: list[int], count: int) -> None:
    """Wait until so many pictures have come."""

    async def enough() -> bool:
        return len(seen) >= count

    await eventually(enough, SOON_S, f"{count} pictures")


async def opened(door: Door) -> str:
    """A session that can be published into."""
    status, text = await door.post("/v1/sessions", {"source": {"kind": "webrtc", "name": "Desk"}})
    assert status == 201, text
    return str(json.loads(text)["id"])


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")
@pytest.mark.skipif(not CLIENT.exists(), reason="needs the foreign client: make whip-client")
async def test_a_foreign_client_publishes_from_another_origin_and_ends(tmp_path: Path) -> None:
    turn = '[{"urls": "stun:127.0.0.1:9"}]'
    async with website() as origin, async_playwright() as playwright:
        settings = {"WHIP_ORIGINS": origin, "ICE_SERVERS": turn}
        async with open_door(tmp_path, gateway=settings) as door:
            browser = await playwright.chromium.launch(executable_path=BROWSER, args=list(CAMERA))
            page = await (await browser.new_context(permissions=["camera", "microphone"])).new_page()
            await page.goto(origin)
            await page.wait_for_function("window.ready")
            wrong = await page.evaluate("([url, key]) => publish(url, key)", [f"{door.url}/v1/whip", "wrong"])
            assert "401" in wrong["error"], wrong
            await page.reload()
            await page.wait_for_function("window.ready")
            session = await opened(door)
            url = f"{door.url}/v1/sessions/{session}/whip"
            async with pictures_of(door, session) as seen:
                found = await page.evaluate("([url, key]) => publish(url, key)", [url, KEY])
                assert found["resource"].startswith(f"{url}/"), found
                assert found["servers"] == 1  # as the Link header of the answer says
                await page.wait_for_function("connection() == 'connected'")
                await shown(seen, 3)
                await page.evaluate("stop()")
            headers = {"Authorization": f"Bearer {KEY}"}
            async with aiohttp.ClientSession(headers=headers) as http, http.delete(found["resource"]) as answer:
                assert answer.status == 404
            assert seen == sorted(set(seen))
            await browser.close()
    assert "Traceback" not in door.logs()


@contextmanager
def lossy(ports: str, share: float) -> Iterator[None]:
    """Lose that share of the UDP packets to and from these ports of this machine."""
    chance = ("-m", "statistic", "--mode", "random", "--probability", str(share))
    way_of = ("--dport", "--sport")
    rules = [["INPUT", "-p", "udp", way, ports.replace("-", ":"), *chance, "-j", "DROP"] for way in way_of]
    for rule in rules:
        subprocess.run(["iptables", "-I", *rule], check=True)
    try:
        yield
    finally:
        for rule in rules:
            subprocess.run(["iptables", "-D", *rule], check=True)


def may_lose() -> bool:
    """Whether packets can be dropped here: by root, with iptables and its module for chance."""
    if os.geteuid() != 0 or shutil.which("iptables") is None:
        return False
    chance = ["-m", "statistic", "--mode", "random", "--probability", "0.1"]
    return subprocess.run(["iptables", "-C", "INPUT", *chance], capture_output=True).returncode in (0, 1)


@pytest.mark.skipif(not may_lose(), reason="needs root and iptables: no packet can be dropped here")
async def test_a_client_survives_a_network_that_loses_a_fifth_of_its_packets(tmp_path: Path) -> None:
    async with open_door(tmp_path, ingestion={"WEBRTC_UDP_PORTS": UDP_PORTS}) as door:
        session = await opened(door)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(headers=headers) as http, pictures_of(door, session) as seen:
            url = f"{door.url}/v1/sessions/{session}/whip"
            async with publishing(http, url, Colour((90, 90, 90))) as published:
                await shown(seen, 3)
                with lossy(UDP_PORTS, LOST):
                    await shown(seen, len(seen) + 15)
                assert published.peer.connectionState == "connected"
                async with http.delete(urljoin(door.url, published.location)) as answer:
                    assert answer.status == 204  # it is the same connection
            assert seen == sorted(set(seen))


@pytest.mark.skipif(not may_lose(), reason="needs root and iptables: no packet can be dropped here")
async def test_a_client_connects_over_a_network_that_loses_a_fifth_of_its_packets(tmp_path: Path) -> None:
    async with open_door(tmp_path, ingestion={"WEBRTC_UDP_PORTS": UDP_PORTS}) as door:
        session = await opened(door)
        headers = {"Authorization": f"Bearer {KEY}"}
        url = f"{door.url}/v1/sessions/{session}/whip"
        async with aiohttp.ClientSession(headers=headers) as http, pictures_of(door, session) as seen:
            with lossy(UDP_PORTS, LOST):
                async with publishing(http, url, Colour((90, 90, 90))):
                    await shown(seen, 2)
