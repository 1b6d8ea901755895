"""What a tick costs beyond the engine, from turn 1 to turn 100 of sessions that begin anew; and the bytes it sends."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bench.collector import Collector, Decided, collecting
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan, LoadReport
from bench.progress import hold_until, say
from bench.sampler import cpu_ms_per_tick
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import running
from bench.statistics import Slope, Spread, quantile, slope, spread

# A machine that is busy starts its processes late and skips frames: so much longer may the turns take.
_PATIENCE = 2
_START_S = 60.0
_NONE: Mapping[str, str] = MappingProxyType({})
_FEWEST_TURNS = 3  # a slope needs them
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


async def measure(
    settings: BenchSettings, name: str = "overhead", *, nats_config: str = "", variables: Mapping[str, str] = _NONE
) -> Overhead:
    """Run `settings.sessions` at one frame a second until each has decided `settings.turns` times, with these lines in
    the configuration of NATS and these variables of the services. Raises `RuntimeError` when hardly any decided."""
    sessions = names(settings.sessions)
    async with (
        running(settings, name, variables=variables, nats_config=nats_config) as (stack, sampler),
        collecting(stack.nats.url) as collector,
    ):
        await collector.note_coded_frames()
        await open_sessions(stack, collector.client, sessions, chunk_turns=max(settings.turns, settings.chunk_turns))
        await asyncio.sleep(1.0)  # a worker needs that long to claim the sessions
        before = stack.usages()
        plan = LoadPlan(stack.nats.url, sessions, now_ms() + 2_000)
        async with loading(plan, stack.folder) as generator:
            what = f"overhead: {len(sessions)} sessions, {settings.turns} turns"
            if not await hold_until(lambda: _are_done(collector, sessions, settings.turns), _longest_s(settings), what):
                say("  not all sessions had all turns: the figures are of those that came")
            load = await generator.stop()
        after = stack.usages()
        result = _result(settings, collector, load)
        result.cpu_ms_per_tick.update(cpu_ms_per_tick(before, after, len(collector.all)))
        result.memory_mib.update(sampler.memory())
    say(f"overhead p50 {result.overhead.p50:.2f} ms, p99 {result.overhead.p99:.2f} ms over {result.ticks} ticks")
    return result


def _are_done(collector: Collector, sessions: Sequence[str], turns: int) -> bool:
    return all(len(collector.decided[name]) >= turns for name in sessions)


def _longest_s(settings: BenchSettings) -> float:
    return settings.turns * _PATIENCE + _START_S


def _result(settings: BenchSettings, collector: Collector, load: LoadReport) -> Overhead:
    measured = [decided for decided in collector.all if decided.decision.sequence < settings.turns]
    later = _timed(collector, measured)
    if len({decided.decision.sequence for decided, _ in later}) < _FEWEST_TURNS:
        raise RuntimeError(f"only {len(measured)} decisions came: see the logs, or wait for a calmer machine")
    overheads = [(float(decided.decision.sequence), span - decided.decision.engine_ms) for decided, span in later]
    decisions = [decided.decision for decided in measured]
    by_turn = _by_turn([(decision.sequence, float(decision.request_bytes)) for decision in decisions])
    sizes = [sum(turn) / len(turn) for turn in by_turn]
    return Overhead(
        sessions=settings.sessions,
        ticks=len(measured),
        skipped=sum(decision.frames_skipped for decision in decisions),
        overhead=spread([value for _, value in overheads]),
        with_engine=spread([span for _, span in later]),
        tick=spread([decided.tick_ms for decided, _ in later]),
        engine_p50_ms=quantile([decided.decision.engine_ms for decided, _ in later], 0.5),
        slope=slope(overheads),
        overhead_by_turn=tuple(quantile(turn, 0.5) for turn in _by_turn([(int(at), ms) for at, ms in overheads])),
        bytes_by_turn=tuple(sizes),
        bytes_per_100_turns=100 * sum(sizes) / len(sizes),
        cpu_ms_per_tick={},
        memory_mib={},
        load=load,
    )


def _timed(collector: Collector, measured: Sequence[Decided]) -> list[tuple[Decided, float]]:
    """Each decision after a session's first whose coded frame was seen, with the milliseconds between the two."""
    return [
        (decided, span)
        for decided in measured
        if decided.decision.sequence >= _FIRST_TURN and (span := _span_ms(collector, decided)) is not None
    ]


def _span_ms(collector: Collector, decided: Decided) -> float | None:
    """From the coded frame on the bus to the decision on the bus; None when the frame was not seen."""
    turn = (decided.decision.key.session, decided.decision.time_ms // INTERVAL_MS * INTERVAL_MS)
    seen_us = collector.coded_us.get(turn)
    return None if seen_us is None else (decided.arrival_us - seen_us) / 1000


def _by_turn(values: list[tuple[int, float]]) -> list[list[float]]:
    """The values of each turn, in the order of turns."""
    found: dict[int, list[float]] = defaultdict(list)
    for turn, value in values:
        found[turn].append(value)
    return [found[turn] for turn in sorted(found)]
