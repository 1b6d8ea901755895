"""A worker is killed, another drains: how long until every session ticks again, and whether a turn was lost.

Codec and interaction are tried under the load generator; ingestion, which that stands in for, with files that it plays.
"""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.collector import Collector, collecting, stored_sequences
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan
from bench.progress import hold, say
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import is_gapless, longest_gap
from vigil.testing.videos import write_video

_TICKING_S = 30.0
_AFTER_S = 6.0
_SIGNALS = (signal.SIGKILL, signal.SIGTERM)
_VIDEO_S = 10


@dataclass(frozen=True, slots=True)
class Handover:
    """`takeover_s`: from the signal until every session had decided on a frame captured after it. `longest_gap_s`
    is between two decisions of one session; `missed_turns` counts the seconds that no decision showed."""

    service: str
    how: str
    sessions: int
    takeover_s: float
    longest_gap_s: float
    missed_turns: int


@dataclass(frozen=True, slots=True)
class Failover:
    """`sequences_intact`: after all of it every session's stored sequences are 0, 1, 2, … each once."""

    handovers: tuple[Handover, ...]
    sequences_intact: bool
    decisions: int


async def measure(settings: BenchSettings) -> Failover:
    """Kill and drain interaction, codec and ingestion, each time with one fresh worker there that holds nothing."""
    under_load, played = await _under_load(settings), await _playing(settings)
    both = (under_load, played)
    intact = all(one.sequences_intact for one in both)
    say(f"sequences gapless and unique: {intact}")
    return Failover(under_load.handovers + played.handovers, intact, sum(one.decisions for one in both))


async def _under_load(settings: BenchSettings) -> Failover:
    sessions = names(settings.sessions)
    async with running(settings, "failover") as (stack, _), collecting(stack.nats.url) as collector:
        await open_sessions(stack, collector.client, sessions)
        await asyncio.sleep(1.0)  # a worker needs that long to claim the sessions
        async with loading(LoadPlan(stack.nats.url, sessions, now_ms()), stack.folder):
            handovers = [
                await _hand_over(stack, collector, sessions, service, number, how)
                for service in ("interaction", "codec")
                for number, how in enumerate(_SIGNALS, start=1)
            ]
        return await _finished(collector, sessions, handovers)


async def _playing(settings: BenchSettings) -> Failover:
    sessions = names(settings.sessions)
    async with running(settings, "failover-ingestion") as (stack, _), collecting(stack.nats.url) as collector:
        video = await asyncio.to_thread(write_video, stack.folder / "camera.mp4", _VIDEO_S)
        await stack.start("ingestion")
        await open_sessions(stack, collector.client, sessions, source_url=video.as_uri())
        handovers = [
            await _hand_over(stack, collector, sessions, "ingestion", number, how)
            for number, how in enumerate(_SIGNALS, start=1)
        ]
        for name, worker in stack.workers.items():
            if name.startswith("ingestion"):
                await worker.stop()
        return await _finished(collector, sessions, handovers)


async def _finished(collector: Collector, sessions: Sequence[str], handovers: Sequence[Handover]) -> Failover:
    """What is stored once the cameras have stopped."""
    await asyncio.sleep(1.0)  # what is on its way
    stored = await stored_sequences(collector.client)
    intact = len(stored) == len(sessions) and all(is_gapless(one) for one in stored.values())
    return Failover(tuple(handovers), intact, sum(map(len, stored.values())))


async def _hand_over(
    stack: Stack, collector: Collector, sessions: Sequence[str], service: str, number: int, how: signal.Signals
) -> Handover:
    """End worker `number` of the service by the signal `how`, with worker `number + 1` waiting."""
    leaving = stack.workers[f"{service}-{number}"]
    await stack.start(service, number + 1)
    collector.clear()
    await collector.wait(sessions, lambda one: len(one) >= 3, _TICKING_S, "every session ticks before the handover")
    told_us = time.time_ns() // 1_000
    leaving.signal(how)
    await collector.wait(
        sessions,
        lambda found: any(one.decision.capture_time_us > told_us for one in found),
        _TICKING_S,
        f"every session ticks again after {how.name} of {service}",
    )
    takeover_s = (_last_first_us(collector, sessions, told_us) - told_us) / 1e6
    await hold(_AFTER_S, f"after {how.name} of {service}")
    await leaving.process.wait()
    gap_s = max(longest_gap(one.arrival_us / 1e6 for one in collector.decided[name]) for name in sessions)
    missed = sum(_missed(collector, name) for name in sessions)
    say(f"{how.name} of {service}: all tick again after {takeover_s:.2f} s, longest gap {gap_s:.2f} s, {missed} missed")
    return Handover(service, how.name, len(sessions), takeover_s, gap_s, missed)


def _last_first_us(collector: Collector, sessions: Sequence[str], told_us: int) -> int:
    """When the slowest session had its first decision on a frame captured after `told_us`."""
    firsts = (
        min(one.arrival_us for one in collector.decided[name] if one.decision.capture_time_us > told_us)
        for name in sessions
    )
    return max(firsts)


def _missed(collector: Collector, session: str) -> int:
    """Turns of the clock between the first and the last decision that have none."""
    turns = {one.decision.time_ms // INTERVAL_MS for one in collector.decided[session]}
    return max(turns) - min(turns) + 1 - len(turns)
