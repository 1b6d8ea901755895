"""The Redis users, the keys that each may touch and the commands that it may give, made from the rows of the services.

Whoever configures a Redis or Valkey server (`vigil up`, compose, the chart) makes these users. A command inside a Lua
script is checked like any other, so a service that is taken over can give no other command by a script of its own.
"""

from dataclasses import dataclass

from vigil.contract.permissions import OPERATOR
from vigil.contract.service_spec import ServiceSpec, StoreAccess
from vigil.contract.services import SERVICES

# What a connection takes, whatever it is for; the script calls, and what is given together or not at all.
_EVERYBODY = ("auth", "hello", "ping", "eval", "evalsha", "multi", "exec", "discard", "time")
_LEASES = ("zadd", "zrem", "zscore", "zcard", "zrangebyscore", "hget", "hset", "hdel", "hincrby")
_LOOKING = ("get", "mget", "lrange", "del")  # the key that shows whether the store takes writes is removed
_WRITING = ("set", "setnx", "exists", "pttl", "pexpire", "llen", "rpush", "ltrim", "hmget", "hgetall", "hkeys", "hlen")
_ENDING = ("zremrangebyscore",)
_MANAGING = ("persist", "zrange", "zcount", "zrevrange", "expire", "getex", "info")

COMMANDS = {
    StoreAccess.CLAIM: (*_EVERYBODY, *_LEASES, *_LOOKING),
    StoreAccess.WORK: (*_EVERYBODY, *_LEASES, *_LOOKING, *_WRITING, *_ENDING),
    StoreAccess.MANAGE: (*_EVERYBODY, *_LEASES, *_LOOKING, *_WRITING, *_ENDING, *_MANAGING),
}
"""The commands of each level, in small letters."""


@dataclass(frozen=True, slots=True)
class RedisUser:
    """A user by its name: the patterns of the keys that it may touch, and the commands that it may give, in small
    letters. One without `commands` may do everything."""

    name: str
    keys: tuple[str, ...]
    commands: tuple[str, ...]


def of_service(row: ServiceSpec) -> RedisUser:
    """The Redis user of a service that uses Redis."""
    return RedisUser(row.name, row.redis_keys, COMMANDS[row.store])


def users() -> tuple[RedisUser, ...]:
    """Every Redis user: one for each service that uses Redis, and the operator."""
    return (*(of_service(row) for row in SERVICES if row.uses_redis), RedisUser(OPERATOR, (), ()))
