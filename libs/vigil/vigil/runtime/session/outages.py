"""Outages of a session, each told once: the session stalls and recovers, its source is lost and comes back.

The stream of session events is the memory. The beginning and the end of an outage carry the same number, so a worker
that takes a session over finds out whether an outage that was told still goes on.
"""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.session.lifecycle import now_us, store_once


@dataclass(frozen=True, slots=True)
class Outage:
    """A kind of outage: the events of its beginning and its end, and the role that they speak of."""

    begins: Lifecycle
    ends: Lifecycle
    role: Role


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a session's outages of one kind. `lasting` is the number of the outage that has not ended, None
    when there is none. `following` is greater than the number of every outage before."""

    lasting: int | None
    following: int


STALL = Outage(Lifecycle.STALLED, Lifecycle.RECOVERED, Role.INTERACTION)
SOURCE_LOSS = Outage(Lifecycle.SOURCE_LOST, Lifecycle.SOURCE_BACK, Role.INGESTION)


async def tell_begin(
    bus: Bus, spec: SessionSpec, outage: Outage, number: int, *, worker: str, cause: str, reason: str
) -> bool:
    """Store that an outage has begun. Every caller that finds the same outage gives the same `number`, greater than
    that of any outage of this kind before. Returns whether this call was the first. Raises `BusError`."""
    return await store_once(bus, _event(spec, outage, outage.begins, number, worker, cause, reason))


async def tell_end(bus: Bus, spec: SessionSpec, outage: Outage, number: int, *, worker: str, reason: str) -> None:
    """Store that the outage of that number is over. Raises `BusError`."""
    await store_once(bus, _event(spec, outage, outage.ends, number, worker, "", reason))


async def open_number(bus: Bus, spec: SessionSpec, outage: Outage) -> int | None:
    """The number of the outage that was told and has not ended; None when there is none. Raises `BusError`."""
    return (await told(bus, spec, outage)).lasting


async def told(bus: Bus, spec: SessionSpec, outage: Outage) -> Told:
    """What was told of this session's outages of this kind. Raises `BusError`."""
    begun = await _newest(bus, spec, outage, outage.begins)
    lasts = begun != await _newest(bus, spec, outage, outage.ends)
    return Told(lasting=begun if lasts else None, following=0 if begun is None else begun + 1)


async def _newest(bus: Bus, spec: SessionSpec, outage: Outage, event: Lifecycle) -> int | None:
    """The number of the newest such event of this very session, not of an earlier one of the same id."""
    found = await bus.last_message_id(subjects.lifecycle(event, spec.key))
    prefix = _event(spec, outage, event, 0, "", "", "").message_id.removesuffix("0")
    number = found.removeprefix(prefix)
    return int(number) if found.startswith(prefix) and number.isdigit() else None


def _event(
    spec: SessionSpec, outage: Outage, event: Lifecycle, number: int, worker: str, cause: str, reason: str
) -> Outgoing:
    data = SessionData(spec.tenant, spec.session, spec.source.id, outage.role, worker, reason, cause)
    return session_outgoing(event, data, created_us=spec.created_us, number=number, emit_time_us=now_us())
