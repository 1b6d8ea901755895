"""Servers that serve one test after the other and are emptied in between: to start one costs more than most tests do.

A test that killed its server or changed its settings leaves it behind: the next test gets a new one.
"""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import nats
from nats.errors import Error as NatsError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from vigil.testing.servers import NatsServer, RedisServer, Server

_ANSWER_S = 10.0

S = TypeVar("S", bound=Server)


class KeptServer(ABC, Generic[S]):
    """Lends a server that is empty. `make` makes one that was not started yet."""

    def __init__(self, make: Callable[[], S]) -> None:
        self._make = make
        self._spare: tuple[S, object] | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[S]:
        """A server for one test."""
        server, settings = await self._next()
        pid = server.pid
        try:
            yield server
        finally:
            is_as_before = server.runs and server.pid == pid and await self._is_emptied(server, settings)
            if is_as_before and self._spare is None:
                self._spare = (server, settings)
            else:
                await server.kill()

    def end(self) -> None:
        """End the server that nobody uses. Idempotent."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare[0].end()

    async def _next(self) -> tuple[S, object]:
        spare, self._spare = self._spare, None
        if spare is not None and spare[0].runs:
            return spare
        server = self._make()
        await server.start()
        return server, await self._settings(server)

    async def _is_emptied(self, server: S, settings: object) -> bool:
        """Empty the server. No when it does not answer, or has other settings than at its start."""
        with contextlib.suppress(NatsError, RedisError, OSError, TimeoutError):
            await self._empty(server)
            return await self._settings(server) == settings
        return False

    @abstractmethod
    async def _settings(self, server: S) -> object:
        """Whatever a test may change that is no data."""

    @abstractmethod
    async def _empty(self, server: S) -> None:
        """Delete all data."""


class KeptNats(KeptServer[NatsServer]):
    """Deletes all streams, and with them consumers and buckets. The settings of NATS are in its file alone."""

    async def _settings(self, server: NatsServer) -> object:
        return None

    async def _empty(self, server: NatsServer) -> None:
        client = await nats.connect(server.url, allow_reconnect=False, connect_timeout=int(_ANSWER_S))
        try:
            jetstream = client.jetstream(timeout=_ANSWER_S)
            while names := json.loads((await client.request("$JS.API.STREAM.NAMES", timeout=_ANSWER_S)).data)[
                "streams"
            ]:
                for name in names:
                    await jetstream.delete_stream(name)
        finally:
            await client.close()


class KeptRedis(KeptServer[RedisServer]):
    """Deletes all keys and scripts. Settings and users must be those of the start."""

    async def _settings(self, server: RedisServer) -> object:
        async with _client(server) as client:
            return await client.config_get("*"), await client.acl_list()

    async def _empty(self, server: RedisServer) -> None:
        async with _client(server) as client:
            await client.flushall()
            await client.script_flush()


@asynccontextmanager
async def _client(server: RedisServer) -> AsyncIterator[Any]:
    client: Any = Redis.from_url(server.url, socket_timeout=_ANSWER_S)
    try:
        yield client
    finally:
        await client.aclose()
