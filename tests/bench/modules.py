"""What it costs the ticks that each session hears a module: one observation a second, told in the turn of its picture.

The runs take turns on the same sessions, so that a machine that drifts does so for both. The text is another one each
second, so that nothing is folded; what no longer fits into a chunk is left out, as in any session. What would hold up
some runs and not others waits until they are over: Redis writes its file anew between them, and so does this process
collect its garbage.
"""

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from redis.asyncio import Redis

from bench.collector import collecting
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan
from bench.progress import hold, say
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import Spread, spread

ROUNDS = 3
_REWRITE_S = 30.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """`tick` is in milliseconds, from the camera's publishing to the decision. `told_share` is how many of the turns
    told an observation, `decided_share` how many of the pictures were decided on."""

    observed: bool
    tick: Spread
    told_share: float
    decided_share: float


@dataclass(frozen=True, slots=True)
class Observed:
    """Every run, and what observations do to the ticks: the middle of the rounds with them to that without, so that a
    worker's own collection of garbage (50 ms every 95 s) in one of them does not decide."""

    sessions: int
    runs: tuple[Run, ...]
    tick_p50_ratio: float
    tick_p99_ratio: float


async def measure(settings: BenchSettings) -> Observed:
    """With and without observations, `ROUNDS` times, on sessions in the middle of their chunks."""
    sessions, runs = names(settings.modules_sessions), list[Run]()
    async with running(settings, "modules") as (stack, _):
        start_ms = now_ms() - settings.chunk_turns * INTERVAL_MS
        async with collecting(stack.nats.url) as collector:
            await open_sessions(stack, collector.client, sessions, chunk_turns=settings.chunk_turns, history=True)
            await asyncio.sleep(1.0)  # a worker needs that long to claim the sessions
        for _ in range(ROUNDS):
            for observed in (False, True):
                plan = LoadPlan(stack.nats.url, sessions, start_ms, observed=observed)
                await _rewrite(stack.redis)
                with _no_collection():
                    runs.append(await _run(settings, stack, plan))
    return compared(len(sessions), runs)


def compared(sessions: int, runs: Sequence[Run]) -> Observed:
    """What the runs say together. Pure."""
    p50, p99 = _ratio(runs, [run.tick.p50 for run in runs]), _ratio(runs, [run.tick.p99 for run in runs])
    return Observed(sessions, tuple(runs), p50, p99)


async def _rewrite(redis: Redis) -> None:
    """Have Redis write its append-only file anew, and not again by itself. Raises `TimeoutError`."""
    await redis.config_set("auto-aof-rewrite-percentage", 0)
    await redis.bgrewriteaof()
    async with asyncio.timeout(_REWRITE_S):
        while (await redis.info("persistence"))["aof_rewrite_in_progress"]:  # noqa: ASYNC110  Redis tells no event
            await asyncio.sleep(_POLL_S)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect garbage now, and not before the block has ended."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _run(settings: BenchSettings, stack: Stack, plan: LoadPlan) -> Run:
    name, count = "with observations" if plan.observed else "without", len(plan.sessions)
    async with collecting(stack.nats.url) as collector, loading(plan, stack.folder) as generator:
        await hold(settings.settle_s, f"modules: {count} sessions settle {name}")
        collector.clear()
        began_s = time.monotonic()
        await hold(settings.hold_s, f"modules: {count} sessions measured {name}")
        decided, elapsed_s = collector.all, time.monotonic() - began_s
        await generator.stop()
    tick = spread([turn.tick_ms for turn in decided])
    told = sum(bool(turn.decision.observed) for turn in decided) / len(decided)
    say(f"modules {name}: tick p50 {tick.p50:.1f} ms, p99 {tick.p99:.1f} ms, told in {told:.0%} of the turns")
    return Run(plan.observed, tick, round(told, 4), round(len(decided) / (count * elapsed_s), 4))


def _ratio(runs: Sequence[Run], values: Sequence[float]) -> float:
    pairs = list(zip(runs, values, strict=True))
    beside, alone = ([value for run, value in pairs if run.observed is wanted] for wanted in (True, False))
    return round(median(beside) / median(alone), 4)
