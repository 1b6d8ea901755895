"""People on their way to the identity provider and back, in Redis: any replica of the gateway may see them return."""

from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import Redis

from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import PREFIX
from vigil.runtime.store.redis_client import unavailable

LIFE_S = 600.0
MAX_FLOWS = 10_000
_FLOW = f"{PREFIX}:{{gateway}}:oidc:"
_ALL = f"{PREFIX}:{{gateway}}:oidc-flows"
_PACKAGE = "vigil.runtime.store"


@dataclass(frozen=True, slots=True)
class OidcFlow:
    """What was asked of the provider: the nonce that the token must bear, the verifier of PKCE, and the path of this
    origin that the person wants to see."""

    nonce: str
    verifier: str
    path: str


class OidcFlows:
    """Flows by the digest of their state, each for `LIFE_S`; beyond `MAX_FLOWS` the oldest is forgotten. Every method
    raises `StoreUnavailable`, `StoreFull`."""

    def __init__(self, redis: Redis) -> None:
        self._put = redis_client.script(redis, _PACKAGE, "bounded_put")
        self._take = redis_client.script(redis, _PACKAGE, "bounded_take")

    async def begin(self, digest: str, flow: OidcFlow, now_ms: int) -> None:
        """Remember a flow."""
        arguments: list[Any] = [digest, msgspec.json.encode(flow), now_ms + round(LIFE_S * 1_000), MAX_FLOWS, _FLOW]
        with unavailable():
            await self._put(keys=[f"{_FLOW}{digest}", _ALL], args=arguments)

    async def take(self, digest: str) -> OidcFlow | None:
        """The flow, once; None when there is none, or it was taken before."""
        with unavailable():
            found = await self._take(keys=[f"{_FLOW}{digest}", _ALL], args=[digest])
        try:
            return None if found is None else msgspec.json.decode(found, type=OidcFlow)
        except UNREADABLE:
            return None
