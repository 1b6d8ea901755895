"""The connection pool to Redis, and what redis-py raises as the store's own errors."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import resources

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from vigil.runtime.process.cancellation import cancellation_kept
from vigil.runtime.store.redis_errors import as_store_error

_TIMEOUT_S = 1.0
_RETRIES = 2
_CONNECTIONS = 64


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Redis]:
    """A client that connects when it is first used and retries a broken call twice; its pool is bounded.

    Every write of ours is safe to repeat, see the scripts.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        health_check_interval=15,
        retry=Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.05), _RETRIES),
    )
    client = Redis(connection_pool=pool)
    try:
        yield client
    finally:
        await client.aclose()
        await pool.aclose()


async def ping(redis: Redis) -> None:
    """One round trip, or `StoreUnavailable`."""
    with unavailable():
        await redis.ping()


def script(redis: Redis, package: str, *names: str) -> AsyncScript:
    """A Lua script made of the named files in the package's `lua` folder; sent once per server, then called by its
    hash."""
    folder = resources.files(package) / "lua"
    return AsyncScript(redis, "\n".join((folder / f"{name}.lua").read_text("utf-8") for name in names))


@contextmanager
def unavailable() -> Iterator[None]:
    """Raise `StoreFull` when Redis has no memory left, `StoreUnavailable` for every other failure of Redis or of the
    connection to it."""
    try:
        with cancellation_kept():
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise as_store_error(error) from None
