"""Logins of people at the console, in Redis, so that any replica of the gateway serves the next request.

A login is found by the SHA-256 digest of the token that its cookie holds. The token itself is stored nowhere: whoever
reads Redis can send no request with what is there.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import Redis

from vigil.contract.api_keys import KeyRole
from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import PREFIX
from vigil.runtime.store.redis_client import unavailable

FORM = 1
_LOGIN = f"{PREFIX}:{{gateway}}:login:"
_PACKAGE = "vigil.runtime.store"


@dataclass(frozen=True, slots=True)
class Login:
    """Who has logged in, and until when that holds (milliseconds since the epoch).

    `key` is the SHA-256 digest of the API key, and `key_expires_ms` when that key expires (0: never): a login holds
    only while the key ring has such a key. A person for whom an identity provider vouches has no key, but an `issuer`
    and a `subject` there.
    """

    tenant: str
    role: KeyRole
    name: str
    began_ms: int
    ends_ms: int
    key: str = ""
    key_expires_ms: int = 0
    issuer: str = ""
    subject: str = ""
    form: int = FORM


class LoginStore:
    """Logins by the digests of their tokens. Every method raises `StoreUnavailable`, `StoreFull`."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._open = redis_client.script(redis, _PACKAGE, "bounded_put")

    async def open(self, digest: str, login: Login, most: int) -> int:
        """Store a login until it ends by itself. A tenant has at most `most`: beyond that those that end first are
        ended now. Returns how many these were."""
        keys = [_key(digest), _all_of(login.tenant)]
        arguments: list[Any] = [digest, msgspec.json.encode(login), login.ends_ms, most, _LOGIN]
        with unavailable():
            return int(await self._open(keys=keys, args=arguments))

    async def find(self, digest: str) -> Login | None:
        """The login, in one round trip; None when it has ended, or when another release stored it in a newer form."""
        with unavailable():
            found = await self._redis.get(_key(digest))
        if found is None:
            return None
        try:
            login = msgspec.json.decode(found, type=Login)
        except UNREADABLE:
            return None
        return login if login.form <= FORM else None

    async def close(self, digest: str, tenant: str) -> None:
        """End a login. Ending it again changes nothing."""
        with unavailable():
            await self._redis.delete(_key(digest))
            await self._redis.zrem(_all_of(tenant), digest)


def _key(digest: str) -> str:
    return f"{_LOGIN}{digest}"


def _all_of(tenant: str) -> str:
    """Sorted set of the digests of a tenant's logins; the score is when each ends, in milliseconds."""
    return f"{PREFIX}:{{gateway}}:logins:{tenant}"
