"""What a tick costs beyond the engine, from turn 1 to turn 100 of sessions that begin anew; and the bytes it sends."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from bench.collector import Collector, Decided, collecting
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan, LoadReport
from bench.progress import hold, say
from bench.sampler import cpu_ms_per_tick
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import running
from bench.statistics import Slope, Spread, quantile, slope, spread

_GRACE_S = 4.0
_FIRST_TURN = 1  # the first request of a connection pays for its set-up


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds a tick. `overhead` is coded frame at the bus to decision at the bus without the engine's round
    trip, as the client saw that; `with_engine` is the same with it; `tick` begins when the camera publishes."""

    sessions: int
    ticks: int
    skipped: int
    overhead: Spread
    with_engine: Spread
    tick: Spread
    engine_p50_ms: float
    slope: Slope
    overhead_by_turn: tuple[float, ...]
    bytes_by_turn: tuple[float, ...]
    bytes_per_100_turns: float
    cpu_ms_per_tick: dict[str, float]
    memory_mib: dict[str, dict[str, Any]]
    load: LoadReport


async def measure(settings: BenchSettings, name: str = "overhead", nats_config: str = "") -> Overhead:
    """Run `settings.sessions` for `settings.turns` seconds at one frame a second, with these lines in the configuration
    of NATS."""
    sessions = names(settings.sessions)
    async with (
        running(settings, name, nats_config=nats_config) as (stack, sampler),
        collecting(stack.nats.url) as collector,
    ):
        await collector.note_coded_frames()
        await open_sessions(stack, collector.client, sessions, chunk_turns=max(settings.turns, settings.chunk_turns))
        await asyncio.sleep(1.0)  # claims
        before = stack.usages()
        plan = LoadPlan(stack.nats.url, sessions, now_ms() + 2_000)
        async with loading(plan, stack.folder) as generator:
            await hold(settings.turns + _GRACE_S, f"overhead: {len(sessions)} sessions, {settings.turns} turns")
            load = await generator.stop()
        after = stack.usages()
        result = _result(settings, collector, load)
        result.cpu_ms_per_tick.update(cpu_ms_per_tick(before, after, result.ticks))
        result.memory_mib.update(sampler.memory())
    say(f"overhead p50 {result.overhead.p50:.2f} ms, p99 {result.overhead.p99:.2f} ms over {result.ticks} ticks")
    return result


def _result(settings: BenchSettings, collector: Collector, load: LoadReport) -> Overhead:
    measured = [one for one in collector.all if one.decision.sequence < settings.turns]
    spans = {(one.decision.key.session, one.decision.sequence): _span_ms(collector, one) for one in measured}
    timed = [
        (one, span) for one in measured if (span := spans[one.decision.key.session, one.decision.sequence]) is not None
    ]
    later = [(one, span) for one, span in timed if one.decision.sequence >= _FIRST_TURN]
    overheads = [(float(one.decision.sequence), span - one.decision.engine_ms) for one, span in later]
    sizes = _by_turn([(one.decision.sequence, float(one.decision.request_bytes)) for one in measured])
    return Overhead(
        sessions=settings.sessions,
        ticks=len(measured),
        skipped=sum(one.decision.frames_skipped for one in measured),
        overhead=spread([value for _, value in overheads]),
        with_engine=spread([span for _, span in later]),
        tick=spread([one.tick_ms for one, _ in later]),
        engine_p50_ms=quantile([one.decision.engine_ms for one, _ in later], 0.5),
        slope=slope(overheads),
        overhead_by_turn=tuple(quantile(one, 0.5) for one in _by_turn([(int(turn), ms) for turn, ms in overheads])),
        bytes_by_turn=tuple(sum(one) / len(one) for one in sizes),
        bytes_per_100_turns=100 * sum(sum(one) / len(one) for one in sizes) / len(sizes),
        cpu_ms_per_tick={},
        memory_mib={},
        load=load,
    )


def _span_ms(collector: Collector, one: Decided) -> float | None:
    """From the coded frame on the bus to the decision on the bus; None when the frame was not seen."""
    turn = (one.decision.key.session, one.decision.time_ms // INTERVAL_MS * INTERVAL_MS)
    seen_us = collector.coded_us.get(turn)
    return None if seen_us is None else (one.arrival_us - seen_us) / 1000


def _by_turn(values: list[tuple[int, float]]) -> list[list[float]]:
    """The values of each turn, in the order of turns."""
    found: dict[int, list[float]] = defaultdict(list)
    for turn, value in values:
        found[turn].append(value)
    return [found[turn] for turn in sorted(found)]
