"""A gateway on a real port, before real NATS and Redis servers and a scripted ingestion."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
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


def client(settings: GatewaySettings, tenant: str) -> aiohttp.ClientSession:
    """An HTTP client with the tenant's key."""
    return aiohttp.ClientSession(
        f"http://127.0.0.1:{settings.http_port}", headers={"Authorization": f"Bearer {KEYS[tenant]}"}
    )


@pytest.fixture
async def http(gateway: Service[GatewaySettings]) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the tenant demo."""
    async with client(gateway.settings, "demo") as session:
        yield session


@pytest.fixture
async def rival(gateway: Service[GatewaySettings]) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of another tenant."""
    async with client(gateway.settings, "rival") as session:
        yield session


@pytest.fixture
async def nobody(gateway: Service[GatewaySettings]) -> AsyncIterator[aiohttp.ClientSession]:
    """A client without a key."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.settings.http_port}") as session:
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
