"""Pytest fixtures, a plugin: name it in `pytest_plugins`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.store.redis_client import open_redis
from vigil.testing.servers import NatsServer, RedisServer


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A NATS server of this test's own, with JetStream."""
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    await server.kill()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The server that tests of the store run against."""
    parser.addoption("--redis-server", default="", help="Redis or Valkey server to test against; default: Vigil's own")


@pytest.fixture
async def redis_server(tmp_path: Path, pytestconfig: pytest.Config) -> AsyncIterator[RedisServer]:
    """A Redis server of this test's own: the one of `--redis-server`, else the one that comes with Vigil."""
    server = RedisServer(tmp_path / "redis", pytestconfig.getoption("--redis-server"))
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    """A bus that is connected."""
    async with Bus.connect(BusConfig(nats_server.url, name="test")) as connected:
        await connected.connected()
        yield connected


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client of this test's Redis."""
    async with open_redis(redis_server.url) as client:
        yield client
