"""What a tenant's readers may take of NATS, all together and each."""

import contextlib
import re
from pathlib import Path

import pytest
from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError

from vigil.contract.services import GATEWAY
from vigil.testing.eventually import eventually
from vigil_provision.nats_config import TENANT_LIMITS
from vigil_provision.testing.deployments import of_a_site
from vigil_provision.testing.servers import ConfiguredNats


async def connected(url: str) -> Nats:
    async def ignored(_: Exception) -> None:
        """Refusals are what these tests are about."""

    client = Nats()
    try:
        await client.connect(url, allow_reconnect=False, error_cb=ignored)
    except (NatsError, OSError):
        await client.close()
        raise
    return client


async def test_the_connections_of_a_tenant_are_limited_and_those_of_others_are_not(tmp_path: Path) -> None:
    config = re.sub(r'"max_connections": \d+', '"max_connections": 2', of_a_site().nats_config)
    server = ConfiguredNats(tmp_path / "nats", config)
    await server.start()
    url = server.tenant_url("acme")
    held = [await connected(url) for _ in range(2)]
    with pytest.raises((NatsError, OSError)):
        await connected(url)
    held += [await connected(server.tenant_url("demo")), await connected(server.url_of(GATEWAY.name))]
    await held.pop(0).close()

    async def takes_the_free_place() -> bool:
        with contextlib.suppress(NatsError, OSError):
            held.append(await connected(url))
            return True
        return False

    await eventually(takes_the_free_place, what="the free place is taken")
    assert all(client.is_connected for client in held)
    for client in held:
        await client.close()
    await server.kill()


async def test_a_question_that_is_too_long_ends_its_connection(tmp_path: Path) -> None:
    server = ConfiguredNats(tmp_path / "nats", of_a_site().nats_config)
    await server.start()
    reader = await connected(server.tenant_url("acme"))
    await reader.publish("vigil.v1.history.ask.acme", b"x" * (TENANT_LIMITS["max_payload"] + 1))
    await eventually(lambda: reader.is_closed, what="the connection is closed")
    await server.kill()
