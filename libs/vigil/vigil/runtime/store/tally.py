"""What the replicas of the gateway tell one another: how much of each tenant's quotas they use.

Each says it once a second and hears what the others said, in one round trip beside all requests. So a quota holds over
all replicas, and no request asks Redis for it; what two replicas admit within the same second may go over it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import PREFIX
from vigil.runtime.store.redis_client import unavailable

USED = f"{PREFIX}:{{gateway}}:used"
LIFE_S = 3.0  # what a replica said is forgotten after this, for it may have died
_PACKAGE = "vigil.runtime.store"

Used = Mapping[str, Mapping[str, float]]
"""By quota and tenant."""


class Tally:
    """The one hash of all replicas."""

    def __init__(self, redis: Redis, replica: str) -> None:
        self._replica = replica
        self._tally = redis_client.script(redis, _PACKAGE, "tally")

    async def exchange(self, used: Used) -> Sequence[Used]:
        """Say what this replica uses; what each other one that lives uses. Raises `StoreUnavailable`, `StoreFull`."""
        arguments: list[Any] = [self._replica, round(LIFE_S * 1000), msgspec.json.encode(used)]
        with unavailable():
            others = await self._tally(keys=[USED], args=arguments)
        return [_read(said) for said in others]


def _read(said: bytes) -> Used:
    """What a replica said; nothing, when it is of another release and says it otherwise."""
    try:
        return msgspec.json.decode(said, type=dict[str, dict[str, float]])
    except UNREADABLE:
        return {}
