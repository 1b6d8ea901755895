"""Pytest fixtures, a plugin: name it in `pytest_plugins`."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.store.redis_client import open_redis
from vigil.testing.kept_servers import KeptNats, KeptRedis
from vigil.testing.servers import NatsServer, RedisServer


@pytest.fixture(scope="session")
def kept_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptNats]:
    """Lends NATS servers."""
    kept = KeptNats(lambda: NatsServer(tmp_path_factory.mktemp("nats")))
    yield kept
    kept.end()


@pytest.fixture(scope="session")
def kept_redis(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[KeptRedis]:
    """Lends Redis servers: the one of `--redis-server`, else the one that comes with Vigil."""
    program = pytestconfig.getoption("--redis-server")
    kept = KeptRedis(lambda: RedisServer(tmp_path_factory.mktemp("redis"), program))
    yield kept
    kept.end()


@pytest.fixture
async def nats_server(kept_nats: KeptNats) -> AsyncIterator[NatsServer]:
    """A NATS server with JetStream that this test has for itself and finds empty."""
    async with kept_nats.lent() as server:
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    """The server that tests of the store run against."""
    parser.addoption("--redis-server", default="", help="Redis or Valkey server to test against; default: Vigil's own")


@pytest.fixture
async def redis_server(kept_redis: KeptRedis) -> AsyncIterator[RedisServer]:
    """A Redis server that this test has for itself and finds empty."""
    async with kept_redis.lent() as server:
        yield server


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
