"""What it costs that every process records its spans and sends them to a collector.

Without a collector (`VIGIL_OTLP_ENDPOINT`) no span is recorded. The runs take turns, so that a machine that drifts does
so for both. The collector is in the process of the benchmark and keeps nothing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

from observability.collector import Collector, collecting_spans

from bench import overhead
from bench.progress import say
from bench.settings import BenchSettings
from bench.statistics import Spread

ROUNDS = 2
TRACED = ("codec-1", "interaction-1")
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Run:
    """`tick` is in milliseconds, from the camera's picture on the bus to the decision there; `cpu_ms_per_tick` is the
    processor time of each process of `TRACED`; `spans` came to the collector."""

    traced: bool
    sessions: int
    ticks: int
    spans: int
    tick: Spread
    cpu_ms_per_tick: dict[str, float]


@dataclass(frozen=True, slots=True)
class Tracing:
    """Every run, and what the spans add, in milliseconds a tick: means over the rounds."""

    runs: tuple[Run, ...]
    spans_per_tick: float
    tick_p50_added_ms: float
    cpu_added_ms: float


async def measure(settings: BenchSettings) -> Tracing:
    """Run with and without spans, `ROUNDS` times."""
    return tracing([await _run(settings, traced) for _ in range(ROUNDS) for traced in (False, True)])


def tracing(runs: Sequence[Run]) -> Tracing:
    """What the runs say together. Pure."""
    with_spans = [run for run in runs if run.traced]
    return Tracing(
        tuple(runs),
        round(sum(run.spans for run in with_spans) / sum(run.ticks for run in with_spans), 2),
        _added(runs, [run.tick.p50 for run in runs]),
        _added(runs, [sum(run.cpu_ms_per_tick.values()) for run in runs]),
    )


async def _run(settings: BenchSettings, traced: bool) -> Run:
    name = "tracing" if traced else "no-tracing"
    async with _collector(traced) as collector:
        variables = {"VIGIL_OTLP_ENDPOINT": collector.endpoint} if traced else _NONE
        found = await overhead.measure(settings, name, variables=variables)
    cpu_ms = {process: found.cpu_ms_per_tick[process] for process in TRACED}
    say(f"{name}: tick p50 {found.tick.p50:.2f} ms, processor {sum(cpu_ms.values()):.2f} ms, {collector.count} spans")
    return Run(traced, found.sessions, found.ticks, collector.count, found.tick, cpu_ms)


@asynccontextmanager
async def _collector(traced: bool) -> AsyncIterator[Collector]:
    if not traced:
        yield Collector()
        return
    async with collecting_spans(keep=False) as collector:
        yield collector


def _added(runs: Sequence[Run], values: Sequence[float]) -> float:
    pairs = list(zip(runs, values, strict=True))
    plain, traced = ([value for run, value in pairs if run.traced is wanted] for wanted in (False, True))
    return round(sum(traced) / len(traced) - sum(plain) / len(plain), 3)
