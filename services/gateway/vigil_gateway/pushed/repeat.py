"""Repeats of a picture: each is recognised, its question is asked once, and it is never dated as now.

Client libraries send a call again by themselves when its answer was lost, late or an error. A repeat has the session,
the model time, the pictures and the question of the session's last call, and its idempotency key. A picture of now has
no time of its own: its repeat is recognised by the key or where the client says that it sends it again, and refused
where it is not. A key that comes with something else is refused: a client that gives all its calls one key would hear
its first answer for ever.

A repeat gets the decision of its turn. Where that turn was dropped, it is shown under its first model time.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.runtime.bus.client import Bus
from vigil.runtime.session.lifecycle import now_us
from vigil.runtime.store.turn_lease import Shown, TurnLease
from vigil_gateway.api.turn_errors import KeyUsed, PictureOld, TimeNotLater
from vigil_gateway.ports import Ports
from vigil_gateway.pushed.outcome import ON_ITS_WAY_S, Outcomes, is_of, outcomes


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sends in one call, and when it arrived. `mark` is the same when it sends the same again: a digest
    of its idempotency key, empty without one, a dot, and a digest of the rest. `time_ms` is the model time that it
    gives, None for pictures of now; `is_again` says that the client calls it a repeat."""

    mark: str
    time_ms: int | None
    arrived_us: int
    is_again: bool = False

    @property
    def key_mark(self) -> str:
        """What the marks of all calls with this idempotency key begin with; empty without one."""
        key, dot, _ = self.mark.partition(".")
        return key and key + dot


def sent(
    pictures: Sequence[bytes],
    time_s: float | None,
    key: str = "",
    *,
    question: str = "",
    is_again: bool = False,
    arrived_us: int | None = None,
) -> Sent:
    """What is sent: pictures as they came, their time and the question about them, and the call's idempotency key where
    it has one. They have just arrived unless `arrived_us` says when."""
    time_ms = None if time_s is None else round(time_s * 1_000)
    content = _digest([b"now" if time_ms is None else b"%d" % time_ms, question.encode(), *pictures])
    mark = f"{_digest([key.encode()]) if key else ''}.{content}"
    return Sent(mark, time_ms, arrived_us or now_us(), is_again)


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d:%b" % (len(part), part))
    return digest.hexdigest()


def recognised(lease: TurnLease, sent: Sent) -> Shown | None:
    """The session's last showing when this call repeats it."""
    tells_apart = sent.time_ms is not None or bool(sent.key_mark) or sent.is_again
    return lease.shown if tells_apart and lease.shown is not None and lease.shown.mark == sent.mark else None


async def answered(ports: Ports, lease: TurnLease, sent: Sent) -> StoredDecision | None:
    """The decision on a repeat; None for what is to be shown. Takes less than a second. Raises `TimeNotLater` for a
    repeat whose decision is not the newest any more, `PictureOld` for a picture that was of now in an earlier
    call, `KeyUsed` for the last call's idempotency key with something else."""
    shown = recognised(lease, sent)
    if shown is None:
        if lease.shown is not None and sent.key_mark and lease.shown.mark.startswith(sent.key_mark):
            raise KeyUsed("the session's last call had this idempotency key and showed or asked something else")
        if sent.is_again and sent.time_ms is None:
            raise PictureOld("the picture was of now when it was first sent, and is sent again")
        return None
    if lease.decided_ms < shown.time_ms:
        return None
    async with outcomes(ports.bus, lease.key) as heard:
        newest = await _newest(ports.bus, lease)
        found = newest if newest is not None and is_of(newest, shown) else await _on_its_way(heard, shown)
    if found is None:
        raise TimeNotLater(f"the session has decided up to {lease.decided_ms / 1_000:g} s, after this picture")
    return found


async def _newest(bus: Bus, lease: TurnLease) -> StoredDecision | None:
    payload = await bus.last_stored(subjects.decision(lease.key))
    return None if payload is None else decode_decision(payload)


async def _on_its_way(heard: Outcomes, shown: Shown) -> StoredDecision | None:
    """A decision that is committed and not published yet."""
    try:
        async with asyncio.timeout(ON_ITS_WAY_S):
            return await heard.of(shown, _never)
    except TimeoutError:
        return None


async def _never() -> None:
    """Show nothing: pictures that are decided on are not shown again."""
