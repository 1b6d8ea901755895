"""Each piece of the infrastructure fails in turn under load: how long until all is well again, and at what cost."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bench.breakages import BREAKAGES
from bench.collector import Collector, collecting, newest_stored, stored_alerts, stored_decisions
from bench.generator import loading, now_ms
from bench.integrity import Integrity, inspect, missed_turns
from bench.load_plan import TENANT, LoadPlan
from bench.progress import hold, say
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from vigil.contract.decision import StoredDecision
from vigil.core.ids import SessionKey
from vigil.runtime.store.keys import Part, part_key

_TICKING_S = 30.0
_RECOVERED_S = 60.0
_AFTER_S = 3.0
_LOOK_S = 0.05
# Longer than a lease, so that Redis's absence shows; a hung engine for three times its deadline.
LASTS_S: Mapping[str, float] = MappingProxyType({"engine hung": 30.0, "Redis full": 6.0, "JetStream full": 6.0})
_USUALLY_LASTS_S = 3.0
RED_EVERY = 3  # alerts open and close all the time


@dataclass(frozen=True, slots=True)
class Recovery:
    """`recovery_s`: from the moment that the broken thing itself answers again until JetStream has stored a decision
    of every session on a frame captured after it. `missed_turns`: seconds, over all sessions, without a decision."""

    fault: str
    lasted_s: float
    recovery_s: float
    missed_turns: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Faults:
    """All of them, one after the other on one system, and what was found of the sessions afterwards."""

    recoveries: tuple[Recovery, ...]
    integrity: Integrity


@dataclass(frozen=True, slots=True)
class Outage:
    """When a fault began, was mended, and was over, in microseconds since the epoch."""

    fault: str
    broken_us: int
    mended_us: int
    over_us: int


async def measure(settings: BenchSettings) -> Faults:
    """Break and mend everything in `settings.faults` (all when that is empty)."""
    sessions = names(settings.sessions)
    chosen = settings.faults or tuple(BREAKAGES)
    async with running(settings, "faults", engine="seeing") as (stack, _), collecting(stack.nats.url) as collector:
        await open_sessions(stack, collector.client, sessions)
        outages = []
        plan = LoadPlan(stack.nats.url, sessions, now_ms(), red_every=RED_EVERY)
        async with loading(plan, stack.folder) as generator:
            for fault in chosen:
                outage = await ride_out(stack, collector, sessions, fault, LASTS_S.get(fault, _USUALLY_LASTS_S))
                say(f"{fault}: all well again {_s(outage.over_us - outage.mended_us):.2f} s after it was mended")
                outages.append(outage)
            await generator.stop()
        await settle(stack, sessions)
        stored = await stored_decisions(collector.client)
        integrity = await inspect(stack, sessions, stored, await stored_alerts(collector.client))
    for one in integrity.faults:
        say(f"NOT intact: {one}")
    say(f"{integrity.decisions} decisions, {integrity.alerts} alert events; all intact: {not integrity.faults}")
    return Faults(tuple(_recovery(one, stored) for one in outages), integrity)


async def ride_out(stack: Stack, collector: Collector, sessions: Sequence[str], fault: str, lasts_s: float) -> Outage:
    """Break `fault` for `lasts_s` under a running load, mend it, and wait until every session decides again.

    Raises `RuntimeError` when that takes longer than a minute.
    """
    collector.clear()
    await collector.wait(sessions, lambda one: len(one) >= 3, _TICKING_S, f"every session ticks before {fault}")
    broken_us = _now_us()
    async with BREAKAGES[fault](stack):
        await hold(lasts_s, fault)
    mended_us = _now_us()
    await _recovered(collector, sessions, mended_us, fault)
    over_us = _now_us()
    await asyncio.sleep(_AFTER_S)
    return Outage(fault, broken_us, mended_us, over_us)


async def settle(stack: Stack, sessions: Sequence[str], deadline_s: float = 20.0) -> None:
    """After the load has stopped: wait until all that was committed is stored. Raises `RuntimeError`."""
    end = time.monotonic() + deadline_s
    while waiting := [one for one in sessions if await _outbox(stack, one)]:
        if time.monotonic() > end:
            raise RuntimeError(f"not within {deadline_s:g} s: JetStream has all events of {', '.join(waiting)}")
        await asyncio.sleep(_LOOK_S)


async def _outbox(stack: Stack, session: str) -> int:
    """Messages that the store still holds; a worker takes out what is published once the session rests."""
    return int(await stack.redis.llen(part_key(SessionKey(TENANT, session), Part.OUTBOX)))


async def _recovered(collector: Collector, sessions: Sequence[str], mended_us: int, fault: str) -> None:
    """Wait until a decision of each session on a frame captured after the mending is stored."""
    end, waiting = time.monotonic() + _RECOVERED_S, list(sessions)
    while waiting:
        newest = [(one, await newest_stored(collector.client, one)) for one in waiting]
        waiting = [one for one, found in newest if found is None or found.capture_time_us <= mended_us]
        if waiting and time.monotonic() > end:
            raise RuntimeError(f"not within {_RECOVERED_S:g} s after {fault}: {len(waiting)} sessions decide again")
        await asyncio.sleep(_LOOK_S)


def _recovery(outage: Outage, stored: Mapping[str, Sequence[StoredDecision]]) -> Recovery:
    missed = sum(missed_turns(one, outage.broken_us, outage.over_us) for one in stored.values())
    return Recovery(
        fault=outage.fault,
        lasted_s=_s(outage.mended_us - outage.broken_us),
        recovery_s=_s(outage.over_us - outage.mended_us),
        missed_turns=missed,
        sessions=len(stored),
    )


def _s(microseconds: int) -> float:
    return round(microseconds / 1e6, 2)


def _now_us() -> int:
    return time.time_ns() // 1_000
