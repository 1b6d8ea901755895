"""The turn lease of a session whose pictures are pushed: one call at a time shows the model something.

Any gateway may serve the next call. The lease is a key of the session's own hash slot and runs out by itself, so that
a gateway that dies while it serves a call holds the session up for `LEASE_S` at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.errors import SessionEnded, TimePassed, TurnTaken, UnknownSession
from vigil.runtime.store import record, redis_client, state_parts
from vigil.runtime.store.keys import Part, part_key, turn_key
from vigil.runtime.store.record import Look
from vigil.runtime.store.redis_client import unavailable

LEASE_S = 3.0  # renewed by the gateway while the call is served
_PACKAGE = "vigil.runtime.store"


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures that were shown: their model time, and when they were captured. Both together are theirs alone. `mark`
    is by what the gateway recognises them when they are sent again."""

    time_ms: int
    capture_us: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class TurnLease:
    """A session's turn, held by one call. `look` is the session as it was when the turn was claimed; None when there
    was no such session. `shown` is what it was shown last, `decided_ms` the model time up to which it has decided."""

    key: SessionKey
    token: str
    look: Look | None
    shown: Shown | None = None
    decided_ms: int = -1


class TurnLeases:
    """Claims, shows, renews, releases: one round trip each. Every method raises `StoreUnavailable`, `StoreFull`."""

    def __init__(self, redis: Redis, *, lease_s: float = LEASE_S) -> None:
        self._lease_ms = round(lease_s * 1000)
        self._claim = redis_client.script(redis, _PACKAGE, "turn_claim")
        self._show = redis_client.script(redis, _PACKAGE, "turn_show")
        self._renew = redis_client.script(redis, _PACKAGE, "turn_renew")

    @property
    def lease_s(self) -> float:
        """How long a claim, a showing or a renewal holds."""
        return self._lease_ms / 1000

    async def claim(self, key: SessionKey) -> TurnLease:
        """Hold the session's turn. The session need not exist: its first call begins it. Raises `TurnTaken`."""
        token = uuid4().hex
        parts = (Part.SPEC, Part.ENDED, Part.INBOX, Part.HEAD, Part.SHOWN)
        with unavailable():
            answer = await self._claim(keys=_keys(key, *parts), args=[token, self._lease_ms])
        if answer == b"taken":
            raise TurnTaken(key, f"another call holds the turn of session {key}")
        spec, ended, inbox, head, shown = answer
        if spec is None:
            return TurnLease(key, token, None)
        look = record.decode_look(key, spec, ended, inbox)
        decided_ms = -1 if head is None else state_parts.decode_head(key, head).last_time_ms
        return TurnLease(key, token, look, _shown(*shown), decided_ms)

    async def show(self, lease: TurnLease, capture_us: int, given_ms: int | None = None, mark: str = "") -> Shown:
        """The pictures that were captured at `capture_us` with their model time: `given_ms` when the client keeps the
        clock, else that of the capture, or the next millisecond that is free: such a time is given out once.

        The first call sets when the session's clock began. Every call counts as heard of the client. A given time is
        used once its turn is committed: what was shown under it may have been dropped. Raises `TimePassed` when
        `given_ms` is not after all that was decided, `TurnTaken` when the lease ran out, `SessionEnded`,
        `UnknownSession`.
        """
        key = lease.key
        parts = (Part.SPEC, Part.ENDED, Part.HEAD, Part.ORIGIN, Part.SHOWN)
        given = "" if given_ms is None else str(given_ms)
        with unavailable():
            arguments: list[str | int] = [lease.token, uuid4().hex, capture_us, given, self._lease_ms, mark]
            answer = await self._show(keys=_keys(key, *parts), args=arguments)
        if isinstance(answer, bytes):
            kind, text = _REFUSALS[answer]
            raise kind(key, text.format(key=key))
        is_shown, time_ms = answer
        if not is_shown:
            raise TimePassed(key, time_ms)
        return Shown(int(time_ms), capture_us, mark)

    async def renew(self, lease: TurnLease) -> bool:
        """Hold the turn for another lease; False when the lease had run out."""
        return await self._renewed(lease, self._lease_ms)

    async def release(self, lease: TurnLease) -> None:
        """Give the turn up, if it is still held."""
        await self._renewed(lease, 0)

    async def _renewed(self, lease: TurnLease, lease_ms: int) -> bool:
        with unavailable():
            return bool(await self._renew(keys=_keys(lease.key), args=[lease.token, lease_ms]))


_REFUSALS: dict[bytes, tuple[Any, str]] = {
    b"taken": (TurnTaken, "the call held the turn of session {key} for too long without a renewal: another took it"),
    b"unknown": (UnknownSession, "there is no session {key}, or it ended long ago"),
    b"ended": (SessionEnded, "session {key} has ended: create a new one"),
}


def _shown(time_ms: bytes | None, capture_us: bytes | None, mark: bytes | None) -> Shown | None:
    if time_ms is None or capture_us is None:
        return None
    return Shown(int(time_ms), int(capture_us), (mark or b"").decode())


def _keys(key: SessionKey, *parts: Part) -> Sequence[str]:
    return [turn_key(key), *(part_key(key, part) for part in parts)]
