"""Redis fails over: the server that was written to becomes a replica, and its address leads to the new one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.errors import StoreUnavailable
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.health import Health, Phase
from vigil.runtime.store import redis_client
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import spec
from vigil.testing.eventually import eventually
from vigil.testing.servers import RedisServer

KEY = SessionKey("demo", "s-1")


class Address:
    """An address that leads to a server, as a service's name does: connections that are open stay where they are."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.opened = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
        listening = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            listening.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        for source, sink in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.create_task(_carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass  # either side is gone
    finally:
        sink.close()
        with contextlib.suppress(OSError):
            await sink.wait_closed()


@pytest.fixture
async def second(tmp_path: Path, redis_server: RedisServer, redis: Redis) -> AsyncIterator[RedisServer]:
    """A replica of the test's Redis that has all of it."""
    server = RedisServer(tmp_path / "second", redis_server.program)
    await server.start()
    await command(server, "REPLICAOF", "127.0.0.1", str(redis_server.port))

    async def is_in_step() -> bool:
        replicas = await redis.info("replication")
        return bool(replicas.get("slave0", {}).get("state") == "online")

    await eventually(is_in_step, what="the replica is in step")
    yield server
    await server.kill()


async def command(server: RedisServer, *words: str) -> None:
    async with Redis.from_url(server.url) as client:
        await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def fail_over(former: RedisServer, replica: RedisServer) -> None:
    """Make the replica, once it has every write, the master, and the former master its replica."""
    async with Redis.from_url(former.url) as client:

        async def has_every_write() -> bool:  # WAIT counts the writes of its own connection alone
            found = await client.info("replication")
            return bool(found["slave0"]["offset"] == found["master_repl_offset"])

        await eventually(has_every_write, what="the replica has every write")
    await command(replica, "REPLICAOF", "NO", "ONE")
    await command(former, "REPLICAOF", "127.0.0.1", str(replica.port))


async def readiness_of(client: Redis) -> bool:
    health = Health()
    health.phase = Phase.SERVING
    health.register("redis", lambda: redis_client.ping(client))
    return (await health.check()).ready


async def test_a_store_that_has_become_a_replica_is_not_ready(
    redis: Redis, redis_server: RedisServer, second: RedisServer
) -> None:
    store = SessionStore(redis)
    await store.create(spec(KEY.session))
    assert await readiness_of(redis)
    await fail_over(redis_server, second)
    assert (await store.spec(KEY)).session == KEY.session, "it still answers what is read"
    with pytest.raises(StoreUnavailable, match=r"READONLY.*point the URL at the primary"):
        await store.ping()
    assert not await readiness_of(redis)
    await command(redis_server, "REPLICAOF", "NO", "ONE")
    assert await readiness_of(redis)


async def test_writes_by_command_script_and_pipeline_find_the_new_master(
    redis_server: RedisServer, second: RedisServer
) -> None:
    address = Address(redis_server)
    async with address.url() as url, redis_client.open_redis(url) as client:
        store, placement = SessionStore(client), Placement(client)
        await store.create(spec(KEY.session))
        await fail_over(redis_server, second)
        address.server = second
        await placement.open(KEY, (Role.CODEC,))
        await store.set_status(KEY, "codec", "{}")
        await placement.close(KEY, (Role.CODEC,))
        await store.ping()
        assert await store.status(KEY) == {"codec": "{}"}


async def test_idle_connections_to_the_former_master_are_dropped_too(
    redis_server: RedisServer, second: RedisServer
) -> None:
    address = Address(redis_server)
    async with address.url() as url, redis_client.open_redis(url) as client:
        store = SessionStore(client)
        await store.create(spec(KEY.session))
        await asyncio.gather(*(store.spec(KEY) for _ in range(8)))  # several connections, idle from here on
        await fail_over(redis_server, second)
        address.server = second
        await store.set_status(KEY, "codec", '{"state": "new"}')
        found = await asyncio.gather(*(store.status(KEY) for _ in range(8)))
        assert found == [{"codec": '{"state": "new"}'}] * 8, "nobody reads from the replica any more"


async def test_while_the_store_is_a_replica_every_connection_is_dropped_and_logged_once(
    redis_server: RedisServer, second: RedisServer
) -> None:
    address = Address(second)
    async with address.url() as url, redis_client.open_redis(url) as client:
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match="READONLY"):
                    await redis_client.ping(client)
    assert address.opened == 9, "each call was tried three times, each time on a connection of its own"
    assert [entry["event"] for entry in logs] == ["connections to redis dropped"]


def test_dropped_connections_are_logged_at_most_every_ten_seconds_with_their_number() -> None:
    now_s = 0.0
    drops = redis_client._Drops(lambda: now_s)
    with capture_logs() as logs:
        for second_s in range(26):
            now_s = float(second_s)
            drops.add()
    assert [entry["connections"] for entry in logs] == [1, 10, 10]


async def test_a_full_store_is_ready_for_sessions_can_be_ended_there(redis: Redis) -> None:
    await redis.set("ballast", b"x" * 2_000_000)
    await redis.config_set("maxmemory", "1mb")
    assert await readiness_of(redis)
