"""Placement: which worker holds which session, by leases in Redis that anyone may claim once they have run out.

One mechanism for ingestion, codec and interaction. Every open session is a member of one sorted set per role, scored
by when its lease runs out; a claim raises the session's fence for that role. Only Redis's clock counts. All keys are
in one hash slot, so one script can open a session for all roles that it needs, or for none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import PREFIX, from_member, member
from vigil.runtime.store.redis_client import unavailable

# A dead worker is replaced after this and a sweep of the claimer: under 3 s.
LEASE_S = 1.5
_PACKAGE = "vigil.runtime.placement"


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that a worker holds. A later claim has a higher `fence`. `previous` is the worker that held the session
    before; empty when there was none."""

    key: SessionKey
    fence: int
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker says of itself in each heartbeat: sessions that it can hold, those that all workers together can
    hold with what they share (0: they share nothing that limits them), the models that its engines serve (of the role
    tts: the voices), and the tokens of their contexts as far as they are known."""

    capacity: int = 0
    ceiling: int = 0
    models: tuple[str, ...] = ()
    contexts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the live workers of a role can hold, and how many sessions are open (held or waiting to be).

    `models` are those that some worker's engines serve; empty when no worker says. `contexts` are the tokens of their
    contexts, the shortest that a worker says; a model of which none says it is not there.
    """

    workers: int
    capacity: int
    open_sessions: int
    models: tuple[str, ...] = ()
    contexts: Mapping[str, int] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """Sessions that can still be opened."""
        return max(0, self.capacity - self.open_sessions)


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a session cannot be opened: roles without a live worker, and roles whose workers are all full."""

    without_worker: tuple[Role, ...]
    full: tuple[Role, ...]


class Placement:
    """Leases of sessions by role. Every method raises `StoreUnavailable` when Redis does not answer, `StoreFull` when
    it has no memory left for what is written."""

    def __init__(self, redis: Redis, *, lease_s: float = LEASE_S) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._lease_ms = round(lease_s * 1000)
        self._claim = redis_client.script(redis, _PACKAGE, "claim")
        self._extend = redis_client.script(redis, _PACKAGE, "extend")
        self._take_up = redis_client.script(redis, _PACKAGE, "take_up")
        self._beat = redis_client.script(redis, _PACKAGE, "beat")
        self._capacity = redis_client.script(redis, _PACKAGE, "offers", "capacity")
        self._open = redis_client.script(redis, _PACKAGE, "offers", "open")

    @property
    def lease_s(self) -> float:
        """How long a claim or a renewal holds."""
        return self._lease_ms / 1000

    async def open(self, key: SessionKey, roles: Iterable[Role]) -> None:
        """Let any worker of each of these roles (`SessionSpec.roles`) claim the session, whether there is room or not.
        Idempotent."""
        await self._opened(member(key), tuple(roles), room_needed=False)

    async def admit(self, key: SessionKey, roles: Iterable[Role]) -> Shortage | None:
        """`open` the session when every role has a live worker and room; else nothing is opened and the shortage
        returned. Of several callers that race for the last place exactly one gets it. Idempotent."""
        return await self._opened(member(key), tuple(roles), room_needed=True)

    async def shortage(self, roles: Iterable[Role]) -> Shortage | None:
        """What would keep `admit` from opening a session now; None when there is room."""
        return await self._opened("", tuple(roles), room_needed=True)

    async def close(self, key: SessionKey, roles: Iterable[Role]) -> None:
        """End the session's leases of these roles and let nobody claim it for them again; it stays open for its other
        roles. Roles that it does not have are passed over. Idempotent."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            for role in roles:
                pipeline.zrem(_key(role, "expiry"), member(key))
                pipeline.hdel(_key(role, "owner"), member(key))
                pipeline.hdel(_key(role, "fence"), member(key))
                pipeline.hdel(_key(role, "heard"), member(key))
            with unavailable():
                await pipeline.execute()

    async def claim(
        self, role: Role, worker: str, limit: int, *, patience_s: float = 0.0, passing_over: Iterable[SessionKey] = ()
    ) -> list[Claim]:
        """Take up to `limit` sessions that nobody holds (for `patience_s`), those that waited longest first."""
        if limit < 1:
            return []
        with unavailable():
            arguments: list[str | int] = [worker, limit, self._lease_ms, round(patience_s * 1000)]
            arguments += map(member, passing_over)
            flat = await self._claim(keys=_keys(role, "expiry", "owner", "fence"), args=arguments)
        triples = zip(flat[0::3], flat[1::3], flat[2::3], strict=True)
        return [Claim(from_member(name), int(fence), previous.decode()) for name, fence, previous in triples]

    async def renew(self, role: Role, worker: str, claims: Iterable[Claim]) -> list[SessionKey]:
        """Hold `claims` for another lease; returns the sessions that were lost or closed meanwhile.

        A lease that ran out is renewed as long as nobody else has claimed the session.
        """
        return await self._extended(role, worker, claims, self._lease_ms)

    async def release(self, role: Role, worker: str, claims: Iterable[Claim]) -> list[SessionKey]:
        """Give `claims` up so that anyone may take them at once; returns those that were lost or closed already."""
        return await self._extended(role, worker, claims, 0)

    async def take_up(self, role: Role, claim: Claim) -> None:
        """Say that the worker of `claim` hears all that comes for the session from now on. Idempotent; nothing is said
        for a claim that was lost."""
        with unavailable():
            await self._take_up(keys=_keys(role, "expiry", "fence", "heard"), args=[member(claim.key), claim.fence])

    async def is_taken_up(self, role: Role, claim: Claim) -> bool:
        """Whether a worker with a later claim has said so, or the session is closed for this role."""
        name = member(claim.key)
        with unavailable():
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.zscore(_key(role, "expiry"), name)
                pipeline.hget(_key(role, "heard"), name)
                until, fence = await pipeline.execute()
        return until is None or (fence is not None and int(fence) > claim.fence)

    async def is_heard(self, role: Role, key: SessionKey) -> bool:
        """Whether the worker that holds the session now has said that it hears all that comes for it."""
        name = member(key)
        with unavailable():
            now_ms = await self._now_ms()
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.zscore(_key(role, "expiry"), name)
                pipeline.hget(_key(role, "fence"), name)
                pipeline.hget(_key(role, "heard"), name)
                until, claimed, heard = await pipeline.execute()
        return until is not None and until > now_ms and heard is not None and heard == claimed

    async def heartbeat(self, role: Role, worker: str, offer: Offer | int) -> None:
        """Say that the worker lives and what it offers (a number: sessions that it can hold). Valid for one lease."""
        await self._said(role, worker, self._lease_ms, Offer(offer) if isinstance(offer, int) else offer)

    async def retire(self, role: Role, worker: str) -> None:
        """Take the worker off the list of those that live."""
        await self._said(role, worker, 0, Offer())

    async def capacity(self, role: Role) -> Capacity:
        """What the role's live workers can hold."""
        with unavailable():
            found = await self._capacity(keys=_keys(role, "expiry", "workers", "offers"), args=[])
        workers, capacity, open_sessions, *said = found
        sizes = [(model.decode(), size) for model, size in zip(said[0::2], said[1::2], strict=True)]
        models = tuple(sorted({model for model, _ in sizes}))
        known = [(model, size) for model, size in sizes if size]
        contexts = {model: min(size for other, size in known if other == model) for model, _ in known}
        return Capacity(workers, capacity, open_sessions, models, contexts)

    async def unheld(self, role: Role, most: int) -> list[SessionKey]:
        """At most `most` open sessions that no worker of the role holds now: never claimed, or their lease ran out."""
        with unavailable():
            now_ms = await self._now_ms()
            found = await self._redis.zrangebyscore(_key(role, "expiry"), "-inf", now_ms, start=0, num=most)
        return [from_member(name) for name in found]

    async def lacking(self, key: SessionKey, roles: Iterable[Role]) -> list[Role]:
        """Those of the roles for which the session is open and no worker holds it now."""
        asked = tuple(roles)
        with unavailable():
            now_ms = await self._now_ms()
            async with self._redis.pipeline(transaction=False) as pipeline:
                for role in asked:
                    pipeline.zscore(_key(role, "expiry"), member(key))
                scores = await pipeline.execute()
        return [role for role, until in zip(asked, scores, strict=True) if until is not None and until <= now_ms]

    async def owner(self, role: Role, key: SessionKey) -> str | None:
        """The worker that holds, or last held, the session; None when nobody did."""
        with unavailable():
            found: bytes | None = await self._redis.hget(_key(role, "owner"), member(key))
        return None if found is None else found.decode()

    async def _now_ms(self) -> int:
        seconds, microseconds = await self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    async def _extended(self, role: Role, worker: str, claims: Iterable[Claim], lease_ms: int) -> list[SessionKey]:
        pairs = [part for claim in claims for part in (member(claim.key), claim.fence)]
        if not pairs:
            return []
        with unavailable():
            lost = await self._extend(keys=_keys(role, "expiry", "owner", "fence"), args=[worker, lease_ms, *pairs])
        return [from_member(name) for name in lost]

    async def _opened(self, name: str, roles: Sequence[Role], *, room_needed: bool) -> Shortage | None:
        keys = [key for role in roles for key in _keys(role, "expiry", "workers", "offers")]
        with unavailable():
            missing, full = await self._open(keys=keys, args=[name, int(room_needed)])
        if not missing and not full:
            return None
        return Shortage(tuple(roles[number] for number in missing), tuple(roles[number] for number in full))

    async def _said(self, role: Role, worker: str, life_ms: int, offer: Offer) -> None:
        with unavailable():
            keys = _keys(role, "workers", "offers")
            await self._beat(keys=keys, args=[worker, life_ms, msgspec.json.encode(offer)])


def _key(role: Role, part: str) -> str:
    return f"{PREFIX}:{{placement}}:{role}:{part}"


def _keys(role: Role, *parts: str) -> Sequence[str]:
    return [_key(role, part) for part in parts]
