"""Each service's Redis user: the keys of its row and the commands of the table, and nothing else.

What is refused is generated: every command that the server knows and the table does not name, and every key of another.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from redis.exceptions import AuthenticationError, ResponseError

from vigil.contract import store_permissions
from vigil.contract.services import GATEWAY, INTERACTION, SERVICES
from vigil.contract.store_permissions import RedisUser
from vigil.runtime.store.redis_client import open_redis
from vigil.testing.eventually import eventually
from vigil_provision import redis_config
from vigil_provision.redis_config import RedisServer
from vigil_provision.testing.servers import ConfiguredRedis

SERVICE_USERS = tuple(user for user in store_permissions.users() if user.commands)
BY_NAME = pytest.mark.parametrize("user", SERVICE_USERS, ids=lambda user: user.name)
OF_EVERYBODY = ("quit", "reset")  # they end or reset one's own connection
FOREIGN_KEYS = ("other", "vigil:v1:other", "vigil:v2:{demo.s-1}:spec", "{demo.s-1}:spec")


def sample(pattern: str) -> str:
    """A key that the pattern takes in."""
    return pattern.replace("*", "x")


KEYS = sorted({sample(pattern) for row in SERVICES for pattern in row.redis_keys})


def is_own(user: RedisUser, key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in user.keys)


@pytest.fixture
async def operator(store: ConfiguredRedis) -> AsyncIterator[Any]:
    """A client of the one who may do everything."""
    async with open_redis(store.url_of("operator")) as client:
        yield client


async def refusal(operator: Any, user: str, command: str, *arguments: str) -> str:
    """What Redis would answer the user; empty when it would do it."""
    try:
        said: Any = await operator.execute_command("ACL", "DRYRUN", user, *command.split("|"), *arguments)
    except ResponseError as error:
        return str(error)
    return "" if said in (b"OK", "OK", True) else said.decode()


async def commands(operator: Any) -> dict[str, int]:
    """Every command of the server, by how many arguments it needs; of a group only its parts (`config|get`), as it is
    no command by itself."""
    listed: dict[str, int] = {}
    for entry in (await operator.execute_command("COMMAND")).values():
        parts = [(part[0].decode(), part[1]) for part in entry["subcommands"]]
        for name, arity in parts or [(entry["name"], entry["arity"])]:
            listed[name] = abs(arity) - 1 - name.count("|")
    return listed


@BY_NAME
async def test_a_user_gives_the_commands_of_the_table_on_its_own_keys(operator: Any, user: RedisUser) -> None:
    own = sample(user.keys[0])
    arguments = {
        "eval": ("return 1", "1", own),
        "evalsha": ("f" * 40, "1", own),
        "mget": (own,),
        "exists": (own,),
        "hmget": (own, "x"),
        "hset": (own, "x", "x"),
    }
    needed = await commands(operator)
    for command in user.commands:
        filler = (own, *("1" for _ in range(needed[command] - 1)))[: needed[command]]
        assert await refusal(operator, user.name, command, *arguments.get(command, filler)) == "", command


@BY_NAME
async def test_a_user_is_refused_every_other_command_that_the_server_knows(operator: Any, user: RedisUser) -> None:
    own = sample(user.keys[0])
    needed = await commands(operator)
    unnamed = {name: count for name, count in needed.items() if name not in (*user.commands, *OF_EVERYBODY)}
    assert len(unnamed) > 200
    allowed = []
    for name, count in unnamed.items():
        said = await refusal(operator, user.name, name, *(own for _ in range(count)))
        if "permission" not in said:
            allowed.append((name, said))
    assert allowed == []


@BY_NAME
async def test_a_user_is_refused_every_key_that_its_row_does_not_name(operator: Any, user: RedisUser) -> None:
    foreign = [key for key in (*KEYS, *FOREIGN_KEYS) if not is_own(user, key)]
    assert len(foreign) >= len(FOREIGN_KEYS)
    for key in foreign:
        assert "permission" in await refusal(operator, user.name, "get", key), key
        assert "permission" in await refusal(operator, user.name, "eval", "return 1", "1", key), key
    for pattern in user.keys:
        assert await refusal(operator, user.name, "get", sample(pattern)) == ""


@BY_NAME
async def test_a_script_can_do_no_more_than_who_runs_it(store: ConfiguredRedis, user: RedisUser) -> None:
    async with open_redis(store.url_of(user.name)) as client:
        for text in (
            "return redis.call('KEYS', '*')",
            "return redis.call('GET', 'other')",
            "return redis.call('FLUSHALL')",
            "return redis.call('PUBLISH', 'x', 'x')",
            "return redis.call('CONFIG', 'GET', '*')",
        ):
            with pytest.raises(ResponseError, match=r"(?i)permission|not allowed from script"):
                await client.eval(text, 0)
        assert await client.eval("return 'harmless'", 0) == b"harmless"


async def test_no_command_of_a_connection_is_refused(store: ConfiguredRedis, operator: Any) -> None:
    """Each refusal stands in Redis's log of refusals, which is for those who try what they may not."""
    async with open_redis(store.url_of(INTERACTION.name)) as client:
        await client.ping()
        await client.delete("vigil:v1:{health}:probe")
    assert await operator.execute_command("ACL", "LOG") == []


async def test_who_gives_no_name_or_a_wrong_password_is_refused(store: ConfiguredRedis) -> None:
    async with open_redis(store.url) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.ping()
    async with open_redis(f"redis://{GATEWAY.name}:guess@127.0.0.1:{store.port}/0") as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.ping()


async def test_the_operator_may_do_everything(operator: Any) -> None:
    assert await operator.execute_command("CONFIG", "GET", "appendfsync") in (
        {"appendfsync": "always"},
        {b"appendfsync": b"always"},
        [b"appendfsync", b"always"],
    )
    with pytest.raises(ResponseError):
        await operator.execute_command("NOTHING")


async def test_a_killed_server_has_the_transactions_and_scripts_of_its_users(store: ConfiguredRedis) -> None:
    key = sample(INTERACTION.redis_keys[0])
    script = "redis.call('HSET', KEYS[1], 'a', '1') redis.call('RPUSH', KEYS[2], 'x')"
    async with open_redis(store.url_of("interaction")) as client:
        transaction: Any = client.pipeline(transaction=True)
        await transaction.set(key, "kept").set(f"{key}.more", "kept").execute()
        await client.eval(script, 2, f"{key}.hash", f"{key}.list")
    await store.kill()
    await store.start()
    async with open_redis(store.url_of("interaction")) as client:
        assert await client.mget(key, f"{key}.more") == [b"kept", b"kept"]
        assert await client.hlen(f"{key}.hash") == await client.llen(f"{key}.list") == 1


@pytest.mark.parametrize("password", ["", "default"])
async def test_nobody_is_the_default_user(store: ConfiguredRedis, password: str) -> None:
    with pytest.raises(AuthenticationError):
        async with open_redis(f"redis://default:{password}@127.0.0.1:{store.port}/0") as client:
            await client.ping()


async def health_of(store: ConfiguredRedis) -> list[bytes]:
    """What the health check of a container hears: to its name, to PING."""
    reader, writer = await asyncio.open_connection("127.0.0.1", store.port)
    try:
        writer.write(f"AUTH {redis_config.HEALTH} any\r\nPING\r\n".encode())
        return [(await reader.readline()).split()[0] for _ in range(2)]
    finally:
        writer.close()


async def test_the_health_check_may_ask_whether_redis_answers_and_nothing_else(
    store: ConfiguredRedis, operator: Any
) -> None:
    assert await health_of(store) == [b"+OK", b"+PONG"]
    allowed = []
    for name, count in (await commands(operator)).items():
        said = await refusal(operator, redis_config.HEALTH, name, *("x" for _ in range(count)))
        if "permission" not in said:
            allowed.append(name)
    assert set(allowed) <= {"ping", "auth", "hello", *OF_EVERYBODY}, "the last ones concern its own connection"


async def test_redis_is_not_well_before_it_has_read_its_file(store: ConfiguredRedis) -> None:
    async with open_redis(store.url_of("operator")) as client:
        writes: Any = client.pipeline(transaction=False)
        for number in range(3_600):  # it answers once in 1,024 commands that it reads
            writes.set(f"key-{number}", "x")
        await writes.execute()
    await store.kill()
    store.options = ("--key-load-delay", "1000")  # microseconds
    await store.start()
    assert await health_of(store) == [b"+OK", b"-LOADING"]

    async def is_well() -> bool:
        return await health_of(store) == [b"+OK", b"+PONG"]

    await eventually(is_well, what="Redis has read its file")


def test_passwords_stand_in_the_file_as_digests_only() -> None:
    text = redis_config.users(lambda user: f"password-of-{user}")
    assert "password-of" not in text
    assert f"#{hashlib.sha256(b'password-of-gateway').hexdigest()}" in text
    assert text.splitlines()[0] == "user default reset ~* &* +@all off"
    assert [line.split()[1] for line in text.splitlines()] == [
        "default",
        redis_config.HEALTH,
        *(user.name for user in SERVICE_USERS),
        "operator",
    ]


def test_redis_keeps_every_write_and_evicts_nothing() -> None:
    lines = set(redis_config.render(RedisServer("127.0.0.1", 6390, "/data", "/etc/users.acl")).splitlines())
    assert {"bind 127.0.0.1", "port 6390", 'dir "/data"', 'aclfile "/etc/users.acl"'} <= lines
    assert {"appendonly yes", "appendfsync always", "maxmemory-policy noeviction"} <= lines
