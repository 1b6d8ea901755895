"""What a tenant's readers may take of NATS, all together and each."""

import asyncio
import contextlib
import json
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


async def test_readers_that_do_not_read_leave_the_server_its_memory(tmp_path: Path) -> None:
    """As many connections as a tenant may have, each with several subscriptions, read nothing of what comes: before
    both were bounded, 24 of them took 1.3 GB of a server whose container may have half of one."""
    server = ConfiguredNats(tmp_path / "nats", of_a_site().nats_config)
    await server.start()
    user, _, password = server.tenant_url("demo").partition("//")[2].partition("@")[0].partition(":")
    held = [await deaf_reader(server.port, user, password, 4) for _ in range(TENANT_LIMITS["max_connections"])]
    with pytest.raises((NatsError, OSError)):
        await connected(server.tenant_url("demo"))
    gateway = await connected(server.url_of(GATEWAY.name))
    for _ in range(300):  # 70 MB for each reader
        await gateway.publish("vigil.v1.history.answer.demo.x", b"x" * 60_000)
    await gateway.flush(30)
    assert resident_mib(server.pid) < 400
    for client in (gateway, await connected(server.tenant_url("acme"))):
        await client.close()
    for writer in held:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    await server.kill()


async def deaf_reader(port: int, user: str, password: str, subscriptions: int) -> asyncio.StreamWriter:
    """A connection that subscribes and then reads no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    subscribing = "".join(f"SUB vigil.v1.history.answer.demo.> {number}\r\n" for number in range(subscriptions))
    login = json.dumps({"user": user, "pass": password, "verbose": False})
    writer.write(f"CONNECT {login}\r\n{subscribing}PING\r\n".encode())
    await reader.readuntil(b"PONG\r\n")
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    return writer


def resident_mib(pid: int) -> int:
    """Resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) >> 10


async def test_a_question_that_is_too_long_ends_its_connection(tmp_path: Path) -> None:
    server = ConfiguredNats(tmp_path / "nats", of_a_site().nats_config)
    await server.start()
    reader = await connected(server.tenant_url("acme"))
    await reader.publish("vigil.v1.history.ask.acme", b"x" * (TENANT_LIMITS["max_payload"] + 1))
    await eventually(lambda: reader.is_closed, what="the connection is closed")
    await server.kill()
