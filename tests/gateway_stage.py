"""A gateway as a real process over real NATS and Redis, with workers that are played: ingestion answers probes from a
script, every role has a place, and a test stores and publishes what codec and interaction would."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import aiohttp
from door import PLACE_S, process

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer, RedisServer, Server
from vigil_client.api import Client

KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}
VIEWER_KEY = "a-key-that-only-reads-of-demo"
START_S = 90.0
FENCE = 1
_NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the gateway is, and what is behind it. `pid` is the gateway's process, `settings` are its settings without
    their prefix, `metrics_url` is where it shows its metrics."""

    url: str
    metrics_url: str
    ingestion: ScriptedIngestion
    store: SessionStore
    tasks: TaskStore
    approvals: ApprovalStore
    placement: Placement
    bus: Bus
    servers: tuple[Server, ...]
    pid: int
    settings: Mapping[str, object]

    def client(self, tenant: str = "demo") -> Client:
        """The SDK with a tenant's key."""
        return Client(self.url, KEYS[tenant])

    def http(self, key: str | None) -> aiohttp.ClientSession:
        """A plain HTTP client."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return aiohttp.ClientSession(self.url, headers=headers)

    async def commit(self, session: str, commit: Commit) -> None:
        """What an interaction worker does with a turn of the demo tenant's session."""
        key = SessionKey("demo", session)
        await self.store.take(key, FENCE)
        await self.store.commit(key, FENCE, commit)


@asynccontextmanager
async def gateway_stage(
    folder: Path, nats_config: str = "", appendfsync: str = "always", more: Mapping[str, object] = _NONE
) -> AsyncIterator[Stage]:
    """Everything started and ready; ended on leaving. `nats_config` are lines of the configuration of NATS,
    `appendfsync` is when Redis has its writes on disk, `more` are settings of the gateway without their prefix."""
    nats, port, metrics_port = NatsServer(folder / "nats", nats_config), free_port(), free_port()
    redis = RedisServer(folder / "redis", appendfsync=appendfsync)
    async with AsyncExitStack() as stack:
        for server in (nats, redis):
            await server.start()
            stack.push_async_callback(server.kill)
        ingestion = await stack.enter_async_context(ScriptedIngestion().serve())
        settings = {
            "NATS_URL": nats.url,
            "REDIS_URL": redis.url,
            "HTTP_PORT": port,
            "GRPC_PORT": 0,
            "METRICS_PORT": metrics_port,
            "API_KEYS_FILE": _keys_file(folder),
            "INGESTION_GRPC": ingestion.target,
            "STATUS_INTERVAL_S": 0.1,
            "TURN_DEADLINE_S": 0.5,
            **more,
        }
        pid = await stack.enter_async_context(process("gateway", folder, settings))
        client = await stack.enter_async_context(open_redis(redis.url))
        placement = Placement(client, lease_s=PLACE_S)
        for role in Role:
            await placement.heartbeat(role, f"{role}-1", 1_000)
        bus = await stack.enter_async_context(Bus.connect(BusConfig(nats.url, name="test")))
        await bus.connected()
        url = f"http://127.0.0.1:{port}"
        made = Stage(
            url,
            f"http://127.0.0.1:{metrics_port}/metrics",
            ingestion,
            SessionStore(client),
            TaskStore(client),
            ApprovalStore(client),
            placement,
            bus,
            (nats, redis),
            pid,
            settings,
        )
        await eventually(lambda: takes_sessions(made), START_S, "sessions are taken")
        yield made


@asynccontextmanager
async def second_gateway(stage: Stage, folder: Path, more: Mapping[str, object] = _NONE) -> AsyncIterator[str]:
    """Another gateway beside the stage's, over the same NATS and Redis, ready; yields its URL. `more` are settings that
    it does not share with the stage's."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = {"HTTP_PORT": port, "METRICS_PORT": free_port(), **more}
    async with process("gateway", folder, {**stage.settings, **own}):
        await eventually(lambda: takes_sessions(stage, url), START_S, "sessions are taken there, too")
        yield url


async def takes_sessions(stage: Stage, url: str = "") -> bool:
    """Whether the stage's gateway, or the one at `url`, is there and takes sessions."""
    try:
        async with stage.http(None) as http, http.get(f"{url or stage.url}/v1/health") as answer:
            return answer.status == 200 and bool((await answer.json())["takes_sessions"])
    except aiohttp.ClientError:
        return False


def _keys_file(folder: Path) -> Path:
    entries = [{"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant} for tenant, key in KEYS.items()]
    entries.append({"sha256": hashlib.sha256(VIEWER_KEY.encode()).hexdigest(), "tenant": "demo", "role": "viewer"})
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": entries}))
    return path
