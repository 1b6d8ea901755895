"""The Redis users, the keys that each may touch and the commands that it may give, made from the rows of the services.

Whoever configures a Redis or Valkey server (`vigil up`, compose, the chart) makes these users. A command inside a Lua
script is checked like any other, so a service that is taken over can give no other command by a script of its own.
"""

from dataclasses import dataclass

from vigil.contract.permissions import OPERATOR
from vigil.contract.services import SERVICES, ServiceKind, ServiceSpec

# What a connection takes, whatever it is for.
_CONNECTION = ("auth", "hello", "ping")
# The scripts of store and placement are sent once, then called by their hash; some calls are several commands at once.
_SCRIPTS = ("eval", "evalsha", "multi", "exec", "discard", "time")
# What they read and write: texts, lists, hashes and sorted sets of keys that they name.
_VALUES = ("get", "mget", "set", "setnx", "del", "exists", "pttl", "pexpire", "persist")
_LISTS = ("lrange", "llen", "rpush", "ltrim")
_HASHES = ("hget", "hmget", "hgetall", "hset", "hdel", "hkeys", "hlen", "hincrby")
_SORTED_SETS = ("zadd", "zrem", "zscore", "zcard", "zrangebyscore", "zremrangebyscore")
# The list of a tenant's sessions, and the session that a client's own name means.
_OF_THE_GATEWAY = ("zrange", "zcount", "getex")

COMMANDS = (*_CONNECTION, *_SCRIPTS, *_VALUES, *_LISTS, *_HASHES, *_SORTED_SETS)


@dataclass(frozen=True, slots=True)
class RedisUser:
    """A user by its name: the patterns of the keys that it may touch, and the commands that it may give, in small
    letters. One without `commands` may do everything."""

    name: str
    keys: tuple[str, ...]
    commands: tuple[str, ...]


def of_service(row: ServiceSpec) -> RedisUser:
    """The Redis user of a service that uses Redis."""
    more = _OF_THE_GATEWAY if row.kind is ServiceKind.GATEWAY else ()
    return RedisUser(row.name, row.redis_keys, (*COMMANDS, *more))


def users() -> tuple[RedisUser, ...]:
    """Every Redis user: one for each service that uses Redis, and the operator."""
    return (*(of_service(row) for row in SERVICES if row.uses_redis), RedisUser(OPERATOR, (), ()))
