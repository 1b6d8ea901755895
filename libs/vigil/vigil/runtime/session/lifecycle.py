"""The events of a session's life, each stored once whoever announces it and however often, and the session's end."""

import time

from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Claim
from vigil.runtime.session.ports import SessionPorts
from vigil.runtime.store.sessions import SessionStore

CLOSED_BY_END = (Role.INGESTION, Role.CODEC, Role.ASR, Role.TTS)
"""The roles that have nothing left to do once a session has ended: whoever ends it closes it for them. Every other
role closes itself when it has finished: interaction when the session's alerts are closed and published."""


async def announce(bus: Bus, spec: SessionSpec, event: Lifecycle, reason: str = "") -> None:
    """Store an event that happens once in a session's life: `requested`, `ended`. Raises `BusError`.

    A second announcement of the event is dropped, also long after the first one and by another process.
    """
    await store_once(bus, _event(spec, event, reason=reason))


async def announce_change(bus: Bus, spec: SessionSpec, reason: str) -> None:
    """Store that the client changed the session: its workers read it again. Every change is an event of its own.
    Raises `BusError`."""
    await bus.publish_stored(_event(spec, Lifecycle.CHANGED, reason=reason, number=now_us()))


async def announce_claim(bus: Bus, spec: SessionSpec, claim: Claim, role: Role, worker: str) -> None:
    """Store that `worker` works on the session from now on: `started`, or `moved` when another one did before. Once
    for each claim. Raises `BusError`."""
    event = Lifecycle.MOVED if claim.previous else Lifecycle.STARTED
    outgoing = _event(spec, event, role=role, worker=worker, reason=claim.previous, number=claim.fence)
    await store_once(bus, outgoing)


async def announce_end(ports: SessionPorts, spec: SessionSpec) -> str:
    """Store that the session has ended, with the reason that the store has; returns that reason. Raises `PortError`.

    Every worker that finds the session ended may call it: who ended it may have died before announcing it.
    """
    reason = await why_ended(ports.store, spec.key)
    await announce(ports.bus, spec, Lifecycle.ENDED, reason)
    return reason


async def why_ended(store: SessionStore, key: SessionKey) -> str:
    """The reason of a session that has ended, as it is shown to people. Raises `StoreUnavailable`."""
    ended = await store.ended(key)
    return ended.reason if ended else "it is over"


async def end(ports: SessionPorts, spec: SessionSpec, reason: str) -> str:
    """End the session, announce it and close it for `CLOSED_BY_END`; returns the reason that holds, which is that of
    the first who ended it. Idempotent: after `PortError` it is safe to repeat."""
    await ports.store.end(spec.key, reason)
    try:
        return await announce_end(ports, spec)
    finally:  # after the announcement: a worker that ends its own session loses its lease here
        await ports.placement.close(spec.key, CLOSED_BY_END)


async def end_unreadable(ports: SessionPorts, key: SessionKey, reason: str) -> None:
    """End a session whose stored state cannot be read, and close it for every role: no worker can finish it. The end
    is not announced, for that takes the session's spec. Idempotent. Raises `UnknownSession`, `StoreUnavailable`."""
    await ports.store.end(key, reason)
    await ports.placement.close(key, tuple(Role))


async def end_newer(ports: SessionPorts, key: SessionKey, reason: str) -> None:
    """End a session that a newer release stored. A worker of that release closes its alerts and announces the end;
    where none holds the session, it is closed for every role. Idempotent. Raises `UnknownSession`,
    `StoreUnavailable`."""
    await ports.store.end(key, reason)
    unheld = await ports.placement.lacking(key, [Role.INTERACTION])
    await ports.placement.close(key, (*CLOSED_BY_END, *unheld))


def _event(
    spec: SessionSpec, event: Lifecycle, *, reason: str, role: str = "", worker: str = "", number: int = 0
) -> Outgoing:
    data = SessionData(spec.tenant, spec.session, spec.source.id, role, worker, reason)
    return session_outgoing(event, data, created_us=spec.created_us, number=number, emit_time_us=now_us())


async def store_once(bus: Bus, outgoing: Outgoing) -> bool:
    """Store the message unless it is the newest of its subject already: JetStream itself knows the ids of the last
    minutes only. Returns whether it was not stored before."""
    if await bus.last_message_id(outgoing.subject) == outgoing.message_id:
        return False
    return not (await bus.publish_stored(outgoing)).duplicate


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000
