"""Fixtures: NATS and Redis with the configuration of each deployment."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vigil_provision import redis_config
from vigil_provision.redis_config import RedisServer
from vigil_provision.testing.deployments import DEPLOYMENTS, Deployment
from vigil_provision.testing.servers import SECRETS, ConfiguredNats, ConfiguredRedis


@pytest.fixture(params=DEPLOYMENTS, ids=lambda deployment: deployment.name)
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Each deployment in turn."""
    found: Deployment = request.param
    return found


@pytest.fixture
async def server(deployment: Deployment, tmp_path: Path) -> AsyncIterator[ConfiguredNats]:
    """NATS with the configuration of the deployment, with the tenants `demo` and `acme`."""
    running = ConfiguredNats(tmp_path / "nats", deployment.nats_config)
    await running.start()
    yield running
    await running.kill()


@pytest.fixture
async def store(tmp_path: Path, pytestconfig: pytest.Config) -> AsyncIterator[ConfiguredRedis]:
    """Redis with the configuration that every deployment gives it."""
    config = redis_config.render(RedisServer("* -::*", 6379, "/data", "/etc/vigil/redis/users.acl"))
    users = redis_config.users(SECRETS.redis_password_of)
    running = ConfiguredRedis(tmp_path / "redis", config, users, pytestconfig.getoption("--redis-server"))
    await running.start()
    yield running
    await running.kill()
