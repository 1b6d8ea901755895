"""A gateway on a real port, before real NATS and Redis servers and a scripted ingestion."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.core.source import Role
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.config import load
from vigil.runtime.process.service import Service
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.round_robin import RoundRobin
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer, RedisServer, free_port
from vigil_gateway.config import GatewaySettings
from vigil_gateway.main import build

KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}


@pytest.fixture
async def ingestion() -> AsyncIterator[ScriptedIngestion]:
    """Ingestion, as far as the gateway knows it; every source is good until a test says otherwise."""
    async with ScriptedIngestion().serve() as served:
        yield served


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """A key file with the tenants of `KEYS`."""
    path = tmp_path / "keys.json"
    entries = [{"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant} for tenant, key in KEYS.items()]
    path.write_text(json.dumps({"keys": entries}))
    return path


@pytest.fixture
def settings(
    nats_server: NatsServer, redis_server: RedisServer, ingestion: ScriptedIngestion, keys_file: Path
) -> GatewaySettings:
    """Settings of a gateway before this test's servers, with short times."""
    values = {
        "nats_url": nats_server.url,
        "redis_url": redis_server.url,
        "http_port": free_port(),
        "grpc_port": free_port(),
        "metrics_port": 0,
        "api_keys_file": keys_file,
        "ingestion_grpc": ingestion.target,
        "probe_deadline_s": 2.0,
        "streams_per_tenant": 2,
        "heartbeat_s": 0.3,
        "status_interval_s": 0.2,
        "turn_deadline_s": 2.0,
        "push_idle_s": 4.0,
        "drain_s": 4.0,
    }
    return load(GatewaySettings, values)


@pytest.fixture
async def gateway(settings: GatewaySettings) -> AsyncIterator[Service[GatewaySettings]]:
    """The gateway, serving."""
    async with serving(settings) as service:
        yield service


@pytest.fixture
def replicas() -> int:
    """How many gateways share the requests; a test file may say more."""
    return 1


@pytest.fixture
async def front(gateway: Service[GatewaySettings], replicas: int) -> AsyncIterator[str]:
    """Where clients find the gateway: itself, or a proxy that gives each request to the next of its replicas."""
    async with AsyncExitStack() as stack:
        urls = [url_of(gateway.settings)]
        while len(urls) < replicas:
            own = gateway.settings.model_copy(update={"http_port": free_port(), "grpc_port": 0})
            urls.append(url_of((await stack.enter_async_context(serving(own))).settings))
        if replicas == 1:
            yield urls[0]
        else:
            yield (await stack.enter_async_context(RoundRobin(*urls).serve())).url


@pytest.fixture
async def second(gateway: Service[GatewaySettings]) -> AsyncIterator[str]:
    """Where another replica of the gateway is."""
    own = gateway.settings.model_copy(update={"http_port": free_port(), "grpc_port": 0})
    async with serving(own) as service:
        yield url_of(service.settings)


@pytest.fixture
def idle_s() -> float:
    """When the gateways behind `proxy` end a silent session."""
    return 60.0


@pytest.fixture
async def proxy(settings: GatewaySettings, idle_s: float) -> AsyncIterator[RoundRobin]:
    """Two gateways behind a proxy, with time for calls that wait for their turn."""
    own = {"turn_deadline_s": 30.0, "push_idle_s": idle_s}
    both = [settings.model_copy(update={"http_port": free_port(), "grpc_port": 0, **own}) for _ in range(2)]
    async with (
        serving(both[0]),
        serving(both[1]),
        RoundRobin(*(url_of(replica) for replica in both)).serve() as before_both,
    ):
        yield before_both


@asynccontextmanager
async def serving(settings: GatewaySettings) -> AsyncIterator[Service[GatewaySettings]]:
    """A gateway in this process, ready."""
    service = Service("gateway", settings)
    living = asyncio.create_task(service.live(build))
    try:
        await eventually(lambda: ready(service), what="the gateway is ready")
        yield service
    finally:
        service.stop()
        await living


async def ready(service: Service[GatewaySettings]) -> bool:
    """Whether the gateway serves and its ports answer."""
    return (await service.health.check()).ready


def url_of(settings: GatewaySettings) -> str:
    """The gateway's base URL."""
    return f"http://127.0.0.1:{settings.http_port}"


def client(url: str, tenant: str) -> aiohttp.ClientSession:
    """An HTTP client with the tenant's key."""
    return aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEYS[tenant]}"})


@pytest.fixture
async def http(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the tenant demo."""
    async with client(front, "demo") as session:
        yield session


@pytest.fixture
async def rival(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of another tenant."""
    async with client(front, "rival") as session:
        yield session


@pytest.fixture
async def nobody(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client without a key."""
    async with aiohttp.ClientSession(front) as session:
        yield session


@pytest.fixture
def store(redis: Redis) -> SessionStore:
    """The store as a worker sees it."""
    return SessionStore(redis)


@pytest.fixture
def placement(redis: Redis) -> Placement:
    """Placement as workers see it, with leases that outlive a test."""
    return Placement(redis, lease_s=300)


@pytest.fixture
async def workers(placement: Placement) -> None:
    """One live worker of each role, with room for two sessions."""
    for role in Role:
        await placement.heartbeat(role, f"{role}-1", 2)


@pytest.fixture
async def session(http: aiohttp.ClientSession, workers: None) -> str:
    """The id of an open session of the tenant demo, on the camera `lobby`."""
    body = {"source": {"url": "rtsp://user:secret@camera.local/stream1", "id": "lobby"}}
    async with http.post("/v1/sessions", json=body) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        return str(created["id"])
