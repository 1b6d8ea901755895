"""Redis reads its users again when the operator asks it to."""

import pytest
from redis.exceptions import NoPermissionError

from vigil.contract.services import GATEWAY
from vigil.runtime.store.redis_client import open_redis
from vigil_provision import redis_config
from vigil_provision.errors import ProvisionError
from vigil_provision.redis_reload import reload
from vigil_provision.testing.servers import SECRETS, ConfiguredRedis

KEY = "vigil:v1:{demo.s-1}:spec"


async def test_a_right_that_a_release_adds_holds_without_a_restart(store: ConfiguredRedis) -> None:
    users = redis_config.users(SECRETS.redis_password_of)
    store.users_file.write_text(users.replace("+getex", ""))
    await reload(store.url_of("operator"))
    async with open_redis(store.url_of(GATEWAY.name)) as client:
        with pytest.raises(NoPermissionError):
            await client.getex(KEY)
        store.users_file.write_text(users)
        await reload(store.url_of("operator"))
        assert await client.getex(KEY) is None


async def test_only_the_operator_may_ask(store: ConfiguredRedis) -> None:
    with pytest.raises(ProvisionError, match="was not told of its new users"):
        await reload(store.url_of(GATEWAY.name))


async def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(ProvisionError, match=r"Redis at 127\.0\.0\.1:1/0 was not told") as caught:
        await reload("redis://operator:sesame@127.0.0.1:1/0")
    assert "sesame" not in caught.value.message
