"""The console as its users meet it: every service a real process over real NATS and Redis, an engine that sees fire in
the rendered world, and a real browser whose camera plays a rendered clip."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import av
from door import process
from playwright.async_api import Browser, async_playwright

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.testing.script import Script
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer
from vigil_recipe.world import Episode, render

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
DIST = ROOT / "console" / "dist"
TENANT = "demo"
KEYS = {"operator": "a-key-of-an-operator", "viewer": "a-key-of-a-viewer"}
GRACE_S = 120.0  # longer than a busy machine needs to send a picture again
START_S = 180.0
FRAMES_PER_S = 10
SIZE = (640, 384)
# For the tests that drive it: what they need besides the workspace.
MISSING = not CHROMIUM.exists() or not (DIST / "index.html").exists()
NEEDS = "needs Chromium, and the console: make console"
SERVICES = ("gateway", "ingestion", "codec", "interaction")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the gateway is, and what is behind it."""

    url: str
    engine: ScriptedEngine
    bus: Bus
    nats_url: str
    redis_url: str
    folder: Path

    def http(self, role: str = "operator") -> aiohttp.ClientSession:
        """A plain HTTP client with a key of that role."""
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {KEYS[role]}"})

    def logs(self) -> str:
        """The end of every process's log, for a failing test."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.stem}\n{path.read_text(errors='replace')[-3_000:]}" for path in paths)


@asynccontextmanager
async def console_stage(folder: Path, script: Script, grace_s: float = GRACE_S) -> AsyncIterator[Stage]:
    """Everything started and ready; ended on leaving. A session waits `grace_s` for a camera that was lost."""
    nats, redis = NatsServer(folder / "nats"), RedisServer(folder / "redis")
    port, grpc_port = free_port(), free_port()
    async with AsyncExitStack() as stack:
        for server in (nats, redis):
            await server.start()
            stack.push_async_callback(server.kill)
        engine = await stack.enter_async_context(ScriptedEngine(script))
        shared: dict[str, object] = {
            "NATS_URL": nats.url,
            "REDIS_URL": redis.url,
            "MODEL": "scripted",
            "ENGINE_URLS": engine.url,
            "WARM_UP_TURNS": 1,
            "HTTP_PORT": 0,
            "GRPC_PORT": 0,
        }
        own: dict[str, dict[str, object]] = {
            "gateway": {
                "HTTP_PORT": port,
                "API_KEYS_FILE": _keys_file(folder),
                "INGESTION_GRPC": f"127.0.0.1:{grpc_port}",
                "CONSOLE_DIR": DIST,
                "STATUS_INTERVAL_S": 0.2,
            },
            "ingestion": {"GRPC_PORT": grpc_port, "LOCAL_SOURCE_TENANTS": TENANT, "WEBRTC_GRACE_S": grace_s},
        }
        for name in SERVICES:
            await stack.enter_async_context(process(name, folder, shared | own.get(name, {})))
        bus = await stack.enter_async_context(Bus.connect(BusConfig(nats.url, name="test")))
        await bus.connected()
        url = f"http://localhost:{port}"  # a secure context: browsers give cameras to no other address without TLS
        await eventually(lambda: _takes_sessions(url), START_S, "sessions are taken")
        yield Stage(url, engine, bus, nats.url, redis.url, folder)


@asynccontextmanager
async def chromium(
    camera: Path | None = None,
    screen: str = "--auto-select-desktop-capture-source=Entire screen",
    microphone: Path | None = None,
    *,
    is_heard_once: bool = False,
) -> AsyncIterator[Browser]:
    """A browser whose camera plays a clip over and over, and asks nobody for permission, or one without a camera;
    `screen` is the argument that says what it shares when it is asked for a screen, `microphone` the WAV file that its
    microphone hears over and over, or once from when it is opened, and then silence."""
    clip = (
        ()
        if camera is None
        else (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        )
    )
    once = "%noloop" if is_heard_once else ""
    sound = () if microphone is None else (f"--use-file-for-fake-audio-capture={microphone}{once}",)
    arguments = [
        "--no-sandbox",
        *clip,
        *sound,
        "--autoplay-policy=no-user-gesture-required",
        "--disable-background-networking",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        screen,
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


def write_y4m(episode: Episode, path: Path, begin_s: int = 0) -> Path:
    """The episode as raw video from `begin_s` to its end: what Chromium's fake camera plays."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{FRAMES_PER_S}:1 Ip A1:1 C420jpeg\n".encode())
        for index in range(begin_s * FRAMES_PER_S, episode.seconds * FRAMES_PER_S):
            picture = av.VideoFrame.from_ndarray(render(episode, index / FRAMES_PER_S, SIZE), format="rgb24")
            file.write(b"FRAME\n" + picture.reformat(format="yuv420p").to_ndarray().tobytes())
    return path


def _keys_file(folder: Path) -> Path:
    entries = [
        {"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": TENANT, "role": role, "name": f"the {role}"}
        for role, key in KEYS.items()
    ]
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": entries}))
    return path


async def _takes_sessions(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/v1/health") as answer:
            return answer.status == 200 and bool((await answer.json())["takes_sessions"])
    except (aiohttp.ClientError, KeyError):
        return False
