"""A gateway on a real port, before real NATS and Redis servers and a scripted ingestion."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.core.source import Role
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.service import Service
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.ports import free_port
from vigil.testing.round_robin import RoundRobin
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer, RedisServer
from vigil_gateway.config import GatewaySettings
from vigil_gateway.testing.gateways import (
    behind_one_front,
    client,
    open_session,
    serving,
    settings_before,
    url_of,
    write_keys,
)


@pytest.fixture
async def ingestion() -> AsyncIterator[ScriptedIngestion]:
    """Ingestion, as far as the gateway knows it; every source is good until a test says otherwise."""
    async with ScriptedIngestion().serve() as served:
        yield served


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """A key file with the tenants demo and rival."""
    return write_keys(tmp_path / "keys.json")


@pytest.fixture
def changed() -> dict[str, object]:
    """Settings of a test's gateway that are not the usual ones."""
    return {}


@pytest.fixture
def settings(
    nats_server: NatsServer,
    redis_server: RedisServer,
    ingestion: ScriptedIngestion,
    keys_file: Path,
    changed: dict[str, object],
) -> GatewaySettings:
    """Settings of a gateway before this test's servers."""
    return settings_before(nats_server, redis_server, ingestion, keys_file, **changed)


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
    async with behind_one_front(gateway, replicas) as url:
        yield url


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
    own = {"grpc_port": 0, "push_idle_s": idle_s}
    both = [settings.model_copy(update={"http_port": free_port(), **own}) for _ in range(2)]
    async with (
        serving(both[0]),
        serving(both[1]),
        RoundRobin(*(url_of(replica) for replica in both)).serve() as before_both,
    ):
        yield before_both


@pytest.fixture
async def http(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the tenant demo."""
    async with client(front, "demo") as session:
        yield session


@pytest.fixture
async def viewer(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """One who may only look; the test's own `keys_file` has the key."""
    async with aiohttp.ClientSession(front, headers={"Authorization": "Bearer a-key-of-viewer"}) as session:
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
    return await open_session(http)
