"""The OpenAI-compatible door as real processes: two gateways behind a proxy that gives each request to the next of
them, a real codec and a real interaction service, and a scripted engine."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import openai
from door import process

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.streams import DECISIONS
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.round_robin import RoundRobin
from vigil.testing.script import when_red
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer

KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}
START_S = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the gateway is, and what is behind it. `session` is the name of the session that a test begins."""

    url: str
    engine: ScriptedEngine
    store: SessionStore
    bus: Bus
    pids: dict[str, int]
    settings: dict[str, object]
    folder: Path
    session: str = "kitchen"

    @property
    def key(self) -> SessionKey:
        """The session of the demo tenant that a test begins."""
        return SessionKey("demo", self.session)

    def client(self, tenant: str = "demo", *, retries: int = 0) -> openai.AsyncOpenAI:
        """The official client."""
        return openai.AsyncOpenAI(
            base_url=f"{self.url}/v1",
            api_key=KEYS[tenant],
            default_headers={"x-session-id": self.session},
            max_retries=retries,
            timeout=90.0,
        )

    async def decisions(self, count: int) -> list[StoredDecision]:
        """The session's stored decisions, once there are `count`."""
        found: list[StoredDecision] = []
        subject = subjects.decision(self.key)
        async with (
            asyncio.timeout(DEADLINE_S),
            self.bus.consume(DECISIONS, f"reader-{self.session}", subject) as consumer,
        ):
            while len(found) < count:
                delivery = await anext(consumer)
                found.append(decode_decision(delivery.payload))
                await delivery.ack()
        return found

    async def nobody_decides(self) -> bool:
        """Whether no worker listens to the session's coded frames."""
        return not await self.bus.is_heard(subjects.coded_frames(self.key))


async def takes_sessions(url: str) -> bool:
    """Whether the gateway serves and takes pushed sessions: without ingestion it takes no others."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/v1/health") as answer:
            return bool((await answer.json())["sources"]["pushed"])
    except (aiohttp.ClientError, KeyError):
        return False


@asynccontextmanager
async def chat_stage(folder: Path) -> AsyncIterator[Stage]:
    """Two gateways, codec and interaction as processes, before an engine that sees fire in what is red."""
    nats, redis_server = NatsServer(folder / "nats"), RedisServer(folder / "redis")
    keys = folder / "keys.json"
    entries = [{"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant} for tenant, key in KEYS.items()]
    keys.write_text(json.dumps({"keys": entries}))
    async with AsyncExitStack() as stack:
        for server in (nats, redis_server):
            await server.start()
            stack.push_async_callback(server.kill)
        engine = await stack.enter_async_context(ScriptedEngine(when_red()))
        doors = {port: f"http://127.0.0.1:{port}" for port in (free_port(), free_port())}
        shared: dict[str, object] = {
            "NATS_URL": nats.url,
            "REDIS_URL": redis_server.url,
            "MODEL": "scripted",
            "ENGINE_URLS": engine.url,
            "WARM_UP_TURNS": 1,
            "ENGINE_DEADLINE_S": 8,
        }
        door = {"API_KEYS_FILE": keys, "TURN_DEADLINE_S": 60, "GRPC_PORT": 0}
        ports = {"HTTP_PORT": 0, "GRPC_PORT": 0}
        for port in doors:
            (own := folder / str(port)).mkdir()
            await stack.enter_async_context(process("gateway", own, shared | door | {"HTTP_PORT": port}))
        pids = {
            name: await stack.enter_async_context(process(name, folder, shared | ports))
            for name in ("codec", "interaction")
        }
        proxy = await stack.enter_async_context(RoundRobin(*doors.values()).serve())
        bus = await stack.enter_async_context(Bus.connect(BusConfig(nats.url, name="test")))
        await bus.connected()
        redis = await stack.enter_async_context(open_redis(redis_server.url))
        for url in doors.values():
            await eventually(partial(takes_sessions, url), START_S, "workers are there")
        yield Stage(proxy.url, engine, SessionStore(redis), bus, pids, shared | ports, folder)
