"""What Redis refuses with is told by its code, on every version, also where a script wraps it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

from vigil.runtime.errors import StoreFull, StoreUnavailable
from vigil.runtime.store import redis_client
from vigil.runtime.store.redis_errors import as_store_error, code_of
from vigil.testing.eventually import eventually
from vigil.testing.servers import RedisServer

WRITE = "return redis.call('SET', KEYS[1], 'x')"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'.", status_code="OOM"), "OOM"),
        (ResponseError("OOM command not allowed when used memory > 'maxmemory'."), "OOM"),
        (
            ResponseError(
                "Error running script (call to f_6c): @user_script:7: @user_script: 7: -OOM command not allowed when "
                "used memory > 'maxmemory'.",
                status_code="ERR",
            ),
            "OOM",
        ),
        (ReadOnlyError("You can't write against a read only replica.", status_code="READONLY"), "READONLY"),
        (
            ResponseError("Error running script: @user_script:1: -READONLY You can't write.", status_code="ERR"),
            "READONLY",
        ),
        (ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), "MISCONF"),
        (ResponseError("BUSY Redis is busy running a script."), "BUSY"),
        (ResponseError("value is not an integer or out of range", status_code="ERR"), "ERR"),
        (ResponseError("Error running script: @user_script:1: a word of OOM in prose", status_code="ERR"), "ERR"),
        (ResponseError("the room 'OOM ' is a session's name"), ""),
        (RedisConnectionError("Connection refused"), ""),
        (OSError(111, "OOM refused"), ""),
    ],
)
def test_a_code_begins_an_error_or_what_a_script_passed_on(error: Exception, code: str) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (ReadOnlyError("You can't write.", status_code="READONLY"), r"\(READONLY You can't write\.\): .*primary"),
        (
            ResponseError("MISCONF Errors writing to the AOF file"),
            r"\(MISCONF Errors writing to the AOF file\): .*disk",
        ),
        (ResponseError("LOADING Redis is loading the dataset"), "wait"),
        (RedisConnectionError("Connection refused"), r"\(Connection refused\): check that it runs"),
        (TimeoutError(), r"\(TimeoutError\): check that it runs"),
    ],
)
def test_what_to_do_fits_the_kind(error: Exception, step: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"^Redis request failed .*{step}"):
        raise as_store_error(error)


async def answered(call: Callable[[], Awaitable[object]]) -> RedisError:
    with pytest.raises(RedisError) as caught:
        await call()
    return caught.value


async def test_a_full_server_says_so_to_a_command_and_in_a_script(redis: Redis) -> None:
    script = redis.register_script(WRITE)
    await redis.config_set("maxmemory", "1")
    for call in (lambda: redis.set("key", "x"), lambda: script(keys=["key"])):
        error = await answered(call)
        assert code_of(error) == "OOM", error
        assert isinstance(as_store_error(error), StoreFull)


async def test_a_replica_says_so_to_a_command_and_in_a_script(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url) as redis:
        script = redis.register_script(WRITE)
        await redis.replicaof("127.0.0.1", str(redis_server.port + 1))
        for call in (lambda: redis.set("key", "x"), lambda: script(keys=["key"])):
            error = await answered(call)
            assert code_of(error) == "READONLY", error


async def spin(redis: Redis) -> None:
    with pytest.raises(RedisError):
        await redis.register_script("while true do end")()


async def test_a_blocked_server_says_so(redis_server: RedisServer) -> None:
    async with redis_client.open_redis(redis_server.url) as first, redis_client.open_redis(redis_server.url) as redis:
        await redis.config_set("lua-time-limit", "1")
        spinning = asyncio.create_task(spin(first))

        async def is_busy() -> bool:
            try:
                await redis.get("key")
            except RedisError as error:
                return code_of(error) == "BUSY"
            return False

        await eventually(is_busy, what="Redis says that a script blocks it")
        await redis.script_kill()
        spinning.cancel()
        await asyncio.wait({spinning})


async def test_a_server_that_lost_its_scripts_is_given_them_again(redis: Redis) -> None:
    script = redis.register_script(WRITE)
    await script(keys=["key"])
    await redis.script_flush()
    assert await script(keys=["key"]) == b"OK"
