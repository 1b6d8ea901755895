"""Many sessions at a glance, for a page that shows all of a tenant's: in one round trip, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from vigil.core.alert import Alert
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.errors import StoreCorrupt
from vigil.runtime.process.logs import get_log
from vigil.runtime.store import record
from vigil.runtime.store.keys import Part, from_member, index_key, part_key
from vigil.runtime.store.record import Ended
from vigil.runtime.store.redis_client import unavailable

log = get_log()

AT_ONCE = 256  # sessions in one round trip


@dataclass(frozen=True, slots=True)
class Overview:
    """A session as it stands. `status` is what each role last said (short JSON), `alerts` are all that the state has,
    closed ones in their cooldown too."""

    spec: SessionSpec
    ended: Ended | None
    status: dict[str, str]
    alerts: tuple[Alert, ...]


class Overviews:
    """Sessions of a tenant. Every method raises `StoreUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes

    async def open_keys(self, tenant: str) -> list[SessionKey]:
        """The tenant's open sessions, sorted."""
        with unavailable():
            found = await self._redis.zrangebyscore(index_key(tenant), "inf", "inf")
        return sorted(from_member(name) for name in found)

    async def of(self, keys: Sequence[SessionKey]) -> dict[SessionKey, Overview]:
        """The sessions that are there; one that cannot be read is left out."""
        found: dict[SessionKey, Overview] = {}
        for begin in range(0, len(keys), AT_ONCE):
            some = keys[begin : begin + AT_ONCE]
            for key, (parts, status) in zip(some, await self._parts(some), strict=True):
                overview = _read(key, parts, status)
                if overview is not None:
                    found[key] = overview
        return found

    async def _parts(self, keys: Sequence[SessionKey]) -> list[tuple[list[bytes | None], dict[bytes, bytes]]]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.mget(*(part_key(key, part) for part in (Part.SPEC, Part.ENDED, Part.ALERTS)))
                pipeline.hgetall(part_key(key, Part.STATUS))
            with unavailable():
                answers = await pipeline.execute()
        return list(zip(answers[0::2], answers[1::2], strict=True))


def _read(key: SessionKey, parts: list[bytes | None], status: dict[bytes, bytes]) -> Overview | None:
    spec, ended, alerts = parts
    if spec is None:
        return None
    try:
        return Overview(
            record.decode_numbered(key, spec, SessionSpec),
            None if ended is None else record.decode(key, ended, Ended),
            {role.decode(): text.decode() for role, text in status.items()},
            () if alerts is None else record.decode(key, alerts, tuple[Alert, ...]),
        )
    except StoreCorrupt as error:
        log.debug("session not read", tenant=key.tenant, session=key.session, error=str(error))
        return None
