"""Gateways in this process, before real NATS and Redis servers and a scripted ingestion."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from vigil.core.source import Role
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.config import load
from vigil.runtime.process.service import Service
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.kept_servers import KeptNats, KeptRedis
from vigil.testing.ports import free_port
from vigil.testing.round_robin import RoundRobin
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer, RedisServer
from vigil_gateway.config import GatewaySettings
from vigil_gateway.main import build

KEYS = {"demo": "a-key-of-demo", "rival": "a-key-of-rival"}
NEW = {"source": {"url": "rtsp://user:secret@camera.local/stream1", "id": "lobby"}}
# Nothing is late on a busy machine; a test of what comes late or falls silent says how soon.
_PATIENT = {"probe_deadline_s": 30.0, "turn_deadline_s": 30.0, "push_idle_s": 300.0}


def write_keys(path: Path) -> Path:
    """A key file with the tenants of `KEYS`."""
    entries = [{"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant} for tenant, key in KEYS.items()]
    path.write_text(json.dumps({"keys": entries}))
    return path


def settings_before(
    nats: NatsServer, redis: RedisServer, ingestion: ScriptedIngestion, keys_file: Path, **changed: object
) -> GatewaySettings:
    """Settings of a gateway before these servers; it looks often, and waits long."""
    values: dict[str, object] = {
        "nats_url": nats.url,
        "redis_url": redis.url,
        "http_port": free_port(),
        "grpc_port": free_port(),
        "metrics_port": 0,
        "api_keys_file": keys_file,
        "ingestion_grpc": ingestion.target,
        "streams_per_tenant": 2,
        "heartbeat_s": 0.3,
        "status_interval_s": 0.2,
        "drain_s": 4.0,
    }
    return load(GatewaySettings, values | _PATIENT | changed)


@asynccontextmanager
async def serving(settings: GatewaySettings) -> AsyncIterator[Service[GatewaySettings]]:
    """A gateway in this process, ready."""
    service = Service("gateway", settings)
    living = asyncio.create_task(service.live(build))
    try:
        await eventually(lambda: _is_ready(service), what="the gateway is ready")
        yield service
    finally:
        service.stop()
        await living


@asynccontextmanager
async def behind_one_front(first: Service[GatewaySettings], replicas: int) -> AsyncIterator[str]:
    """Where clients find a gateway: itself, or a proxy that gives each request to the next of its replicas."""
    async with AsyncExitStack() as stack:
        urls = [url_of(first.settings)]
        while len(urls) < replicas:
            own = first.settings.model_copy(update={"http_port": free_port(), "grpc_port": 0})
            urls.append(url_of((await stack.enter_async_context(serving(own))).settings))
        if replicas == 1:
            yield urls[0]
        else:
            yield (await stack.enter_async_context(RoundRobin(*urls).serve())).url


def url_of(settings: GatewaySettings) -> str:
    """The gateway's base URL."""
    return f"http://127.0.0.1:{settings.http_port}"


def client(url: str, tenant: str) -> aiohttp.ClientSession:
    """An HTTP client with the tenant's key."""
    return aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEYS[tenant]}"})


@dataclass(frozen=True, slots=True)
class SharedGateway:
    """A gateway for all tests of a file that leave nothing behind: its clients, what is behind it, an open session on
    the camera `lobby` of the tenant demo."""

    http: aiohttp.ClientSession
    rival: aiohttp.ClientSession
    nobody: aiohttp.ClientSession
    settings: GatewaySettings
    ingestion: ScriptedIngestion
    store: SessionStore
    placement: Placement
    session: str


@asynccontextmanager
async def shared_gateway(
    kept_nats: KeptNats, kept_redis: KeptRedis, folder: Path, *, replicas: int = 1, **changed: object
) -> AsyncIterator[SharedGateway]:
    """The gateway, or several behind one front, and workers with room for a thousand sessions."""
    async with AsyncExitStack() as stack:
        nats = await stack.enter_async_context(kept_nats.lent())
        redis = await stack.enter_async_context(kept_redis.lent())
        ingestion = await stack.enter_async_context(ScriptedIngestion().serve())
        settings = settings_before(nats, redis, ingestion, write_keys(folder / "keys.json"), **changed)
        gateway = await stack.enter_async_context(serving(settings))
        front = await stack.enter_async_context(behind_one_front(gateway, replicas))
        opened = await stack.enter_async_context(open_redis(redis.url))
        placement = Placement(opened, lease_s=3_600)
        for role in Role:
            await placement.heartbeat(role, f"{role}-1", 1_000)
        http = await stack.enter_async_context(client(front, "demo"))
        yield SharedGateway(
            http,
            await stack.enter_async_context(client(front, "rival")),
            await stack.enter_async_context(aiohttp.ClientSession(front)),
            settings,
            ingestion,
            SessionStore(opened),
            placement,
            await open_session(http),
        )


async def open_session(http: aiohttp.ClientSession) -> str:
    """Open a session on the camera `lobby`; its id."""
    async with http.post("/v1/sessions", json=NEW) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        return str(created["id"])


async def _is_ready(service: Service[GatewaySettings]) -> bool:
    """Whether the gateway serves and its ports answer."""
    return (await service.health.check()).ready
