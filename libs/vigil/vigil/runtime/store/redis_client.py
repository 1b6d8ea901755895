"""The connection pool to Redis, and what redis-py raises as the store's own errors."""

import hashlib
import math
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from vigil.runtime.process.cancellation import cancellation_kept
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.keys import PROBE_KEY
from vigil.runtime.store.redis_errors import as_store_error, code_of

log = get_log()

_TIMEOUT_S = 1.0
_RETRIES = 2
_CONNECTIONS = 64
_QUIET_S = 10.0  # dropped connections are logged once in this time, with their number
_OF_REPLICA = ("READONLY", "MASTERDOWN")  # what a server says that was the primary and is no more


@asynccontextmanager
async def open_redis(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Redis]:
    """A client that connects when it is first used and retries a broken call twice; its pool is bounded.

    Every write of ours is safe to repeat, see the scripts. When the server turns out to have become a replica, all
    connections are dropped: the call and those after it connect anew, to whichever server `url` then leads to.

    The certificate of a `rediss://` server is verified with `tls`; None: by the system's authorities.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        health_check_interval=15,
        retry=Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.05), _RETRIES),
        # Neither is ours to ask for: the user of a service may give no command of the group `client`.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    pool.connection_class = _leaving_replicas(pool, tls)
    client = Redis(connection_pool=pool)
    try:
        yield client
    finally:
        await client.aclose()
        await pool.aclose()


async def ping(redis: Redis) -> None:
    """One round trip of a write, or `StoreUnavailable`: a replica and a server whose disk fails answer every read.

    The write removes a key that is never there, so a server that is merely full takes it: sessions can be ended there.
    """
    with unavailable():
        await redis.delete(PROBE_KEY)


@dataclass(frozen=True, slots=True)
class RedisMemory:
    """The memory that Redis uses, and `maxmemory`: 0 where it has no limit."""

    used_bytes: int
    limit_bytes: int


async def memory(redis: Redis) -> RedisMemory:
    """How full Redis is. Raises `StoreUnavailable`."""
    with unavailable():
        found = await redis.info("memory")
    return RedisMemory(int(found["used_memory"]), int(found["maxmemory"]))


class Script:
    """A Lua script, called by its hash; a server that does not know it yet is sent its text.

    redis-py's own first loads the script and then calls it by its hash: between the two another server may have taken
    over, which does not know it.
    """

    def __init__(self, redis: Redis, text: str) -> None:
        self._redis: Any = redis
        self._text = text
        self._hash = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, *, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run it. Raises `RedisError`."""
        try:
            return await self._redis.evalsha(self._hash, len(keys), *keys, *args)
        except NoScriptError:
            return await self._redis.eval(self._text, len(keys), *keys, *args)


def script(redis: Redis, package: str, *names: str) -> Script:
    """The script that the named files in the package's `lua` folder make together."""
    folder = resources.files(package) / "lua"
    return Script(redis, "\n".join((folder / f"{name}.lua").read_text("utf-8") for name in names))


@contextmanager
def unavailable() -> Iterator[None]:
    """Raise `StoreFull` when Redis has no memory left, `StoreUnavailable` for every other failure of Redis or of the
    connection to it."""
    try:
        with cancellation_kept():
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise as_store_error(error) from None


class _Drops:
    """Logs that connections are dropped: the first at once, those after it together, once every `_QUIET_S`."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._logged_s = -math.inf
        self._count = 0

    def add(self) -> None:
        """A connection is dropped."""
        self._count += 1
        now_s = self._monotonic()
        if now_s - self._logged_s < _QUIET_S:
            return
        log.warning("connections to redis dropped", reason="the server has become a replica", connections=self._count)
        self._logged_s, self._count = now_s, 0


def _leaving_replicas(pool: Any, tls: ssl.SSLContext | None) -> type[AbstractConnection]:
    """The pool's class of connections, except that a server's word that it is a replica breaks them, and that those
    with TLS verify the server with `tls`."""
    kind: Any = pool.connection_class  # it depends on the URL
    drops = _Drops()

    class Connection(kind):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            if tls is not None and issubclass(kind, SSLConnection):
                self.ssl_context.context = tls

        async def read_response(self, *arguments: Any, **options: Any) -> Any:
            try:
                return await super().read_response(*arguments, **options)
            except ResponseError as error:
                code = code_of(error)
                if code not in _OF_REPLICA:
                    raise
                refusal = RedisConnectionError(f"{code} {error}")  # one that is tried again, on a new connection
            drops.add()
            await self.disconnect()
            await pool.update_active_connections_for_reconnect()
            await pool.disconnect(inuse_connections=False)
            raise refusal

    return Connection
