"""Requests for approvals, in Redis: a brain asks and waits, an operator decides, the first decision stays.

A request without a decision is refused when its time is over. A pattern grants later requests by itself. Nothing but a
call of `decide` or a pattern that an operator gave can grant one.
"""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec
from redis.asyncio import Redis

from vigil.core.approval import Approval, ApprovalPattern, ApprovalState, granting
from vigil.core.errors import InvalidSpec
from vigil.core.ids import SessionKey
from vigil.runtime.store import record, redis_client
from vigil.runtime.store.bounds import MAX_APPROVALS, MAX_GRANTS
from vigil.runtime.store.keys import approval_key, approvals_key, grants_key
from vigil.runtime.store.redis_client import unavailable

TIMEOUT_S = 300.0
KEPT_S = 3_600.0  # a request can be read for so long after its time is over
_LOOK_S = 0.25
_PACKAGE = "vigil.runtime.store"


class ApprovalStore:
    """Approvals in Redis. Every method raises `StoreUnavailable` when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._request = redis_client.script(redis, _PACKAGE, "approval_request")
        self._decide = redis_client.script(redis, _PACKAGE, "approval_decide")

    async def request(self, approval: Approval, timeout_s: float = TIMEOUT_S) -> Approval:
        """Ask for an approval; returns it with its id and its times. It is granted at once when a pattern grants it."""
        now_ms = await self._now_ms()
        patterns = (await self.patterns(approval.tenant)).values()
        pattern = granting(patterns, approval.tool, approval.arguments, now_ms)
        asked = replace(
            approval, id=approval.id or uuid4().hex, requested_ms=now_ms, expires_ms=now_ms + round(timeout_s * 1_000)
        )
        if pattern is not None:
            granted = ApprovalState.GRANTED
            asked = replace(asked, state=granted, decided_ms=now_ms, by="a pattern", pattern=pattern.tool)
        key = asked.key
        kept_ms = round((timeout_s + KEPT_S) * 1_000)
        member = f"{key.session}.{asked.id}"
        arguments = [record.encode(asked), asked.state, asked.expires_ms, kept_ms, member, MAX_APPROVALS]
        with unavailable():
            await self._request(keys=[approval_key(key, asked.id), approvals_key(key.tenant)], args=arguments)
        return asked

    async def decide(
        self, key: SessionKey, approval: str, *, granted: bool, by: str, pattern: ApprovalPattern | None = None
    ) -> Approval | None:
        """Grant or refuse; the first decision stays. A `pattern` grants later requests of the tenant, too; it is kept
        when the grant holds. Returns the approval as it stands; None when there is none. Raises `InvalidSpec` when the
        tenant has too many patterns."""
        if pattern is not None and granted:
            await self._check_room(key.tenant)
        decision = ApprovalState.GRANTED if granted else ApprovalState.REFUSED
        arguments = [decision, by, "" if pattern is None else pattern.tool]
        with unavailable():
            state = await self._decide(keys=[approval_key(key, approval)], args=arguments)
        if state == b"granted" and granted and pattern is not None:
            await self._keep_pattern(key.tenant, approval, pattern)
        return await self.get(key, approval)

    async def get(self, key: SessionKey, approval: str) -> Approval | None:
        """A request as it stands; None when there is none, or no longer."""
        with unavailable():
            found = await self._redis.hgetall(approval_key(key, approval))
        return _approval(key, found) if found else None

    async def list(self, tenant: str) -> tuple[Approval, ...]:
        """The requests of all of a tenant's sessions, newest first."""
        with unavailable():
            members = await self._redis.zrangebyscore(approvals_key(tenant), "-inf", "inf")
            async with self._redis.pipeline(transaction=False) as pipeline:
                keys = [_from_member(tenant, member) for member in members]
                for key, approval in keys:
                    pipeline.hgetall(approval_key(key, approval))
                found = await pipeline.execute()
        approvals = [_approval(key, fields) for (key, _), fields in zip(keys, found, strict=True) if fields]
        return tuple(sorted(approvals, key=lambda approval: approval.requested_ms, reverse=True))

    async def find(self, tenant: str, approval: str) -> Approval | None:
        """The request of that id in any of the tenant's sessions."""
        return next((known for known in await self.list(tenant) if known.id == approval), None)

    async def wait(self, key: SessionKey, approval: str) -> ApprovalState:
        """Wait until the request is decided, or its time is over: then it has expired."""
        while True:
            with unavailable():
                state = await self._decide(keys=[approval_key(key, approval)], args=[ApprovalState.EXPIRED, "", ""])
            if state is None:
                return ApprovalState.EXPIRED
            if ApprovalState(state.decode()).is_decided:
                return ApprovalState(state.decode())
            await asyncio.sleep(_LOOK_S)

    async def patterns(self, tenant: str) -> dict[str, ApprovalPattern]:
        """The patterns of a tenant by id."""
        key = SessionKey(tenant, "grants")
        with unavailable():
            found = await self._redis.hgetall(grants_key(tenant))
        return {name.decode(): record.decode(key, value, ApprovalPattern) for name, value in found.items()}

    async def drop_pattern(self, tenant: str, pattern: str) -> bool:
        """Take a pattern back. False when there was none of that id."""
        with unavailable():
            return bool(await self._redis.hdel(grants_key(tenant), pattern))

    async def _check_room(self, tenant: str) -> None:
        if len(await self.patterns(tenant)) >= MAX_GRANTS:
            raise InvalidSpec(f"the tenant has {MAX_GRANTS} patterns of approvals: take one back first")

    async def _keep_pattern(self, tenant: str, approval: str, pattern: ApprovalPattern) -> None:
        with unavailable():
            await self._redis.hset(grants_key(tenant), approval, msgspec.json.encode(pattern))

    async def _now_ms(self) -> int:
        with unavailable():
            seconds, microseconds = await self._redis.time()
        return int(seconds) * 1_000 + int(microseconds) // 1_000


def _from_member(tenant: str, member: bytes) -> tuple[SessionKey, str]:
    session, approval = member.decode().split(".")
    return SessionKey(tenant, session), approval


def _approval(key: SessionKey, found: dict[bytes, bytes]) -> Approval:
    asked = record.decode(key, found[b"document"], Approval)
    return replace(
        asked,
        state=ApprovalState(found[b"state"].decode()),
        decided_ms=int(found.get(b"decided_ms", str(asked.decided_ms))),
        by=found.get(b"by", asked.by.encode()).decode(),
        pattern=found.get(b"pattern", asked.pattern.encode()).decode(),
    )
