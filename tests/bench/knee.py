"""How many sessions hold one frame a second: more and more of them until a step misses its limit."""

import asyncio
from dataclasses import dataclass
from typing import Any

from bench.collector import collecting
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan, LoadReport
from bench.progress import hold, say
from bench.sampler import cpu_ms_per_tick
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import Spread, spread

_DECIDED_SHARE = 0.99  # of the frames that were published: fewer means that frames were skipped


@dataclass(frozen=True, slots=True)
class Step:
    """`tick` is from the camera's publishing to the decision, milliseconds. `cpu` is cores, by process."""

    sessions: int
    tick: Spread
    decided_share: float
    skipped: int
    sustained: bool
    cpu_ms_per_tick: dict[str, float]
    load: LoadReport


@dataclass(frozen=True, slots=True)
class Knee:
    """All steps with one number of interaction workers; `sustained` is the last one within the limit."""

    interaction_workers: int
    sustained: int
    steps: tuple[Step, ...]
    memory_mib: dict[str, dict[str, Any]]


async def measure(settings: BenchSettings, workers: int) -> Knee:
    """Step up until a step misses, on sessions whose histories are in the middle of their chunks."""
    steps: list[Step] = []
    async with running(settings, f"knee-{workers}", interaction_workers=workers) as (stack, sampler):
        start_ms = now_ms() - settings.chunk_turns * INTERVAL_MS
        for count in settings.steps:
            opened = names(count - (steps[-1].sessions if steps else 0), steps[-1].sessions if steps else 0)
            step = await _step(settings, stack, opened, LoadPlan(stack.nats.url, names(count), start_ms))
            steps.append(step)
            say(f"knee ({workers} interaction): {_told(step)}")
            if not step.sustained:
                break
        memory = sampler.memory()
    return Knee(workers, max((one.sessions for one in steps if one.sustained), default=0), tuple(steps), memory)


def _told(step: Step) -> str:
    times = f"p50 {step.tick.p50:.1f} ms, p95 {step.tick.p95:.1f} ms, decided {step.decided_share:.1%}"
    return f"{step.sessions} sessions, {times}: {'sustained' if step.sustained else 'missed'}"


async def _step(settings: BenchSettings, stack: Stack, opened: tuple[str, ...], plan: LoadPlan) -> Step:
    count = len(plan.sessions)
    async with collecting(stack.nats.url) as collector:
        await open_sessions(stack, collector.client, opened, chunk_turns=settings.chunk_turns, history=True)
        await asyncio.sleep(1.0)  # claims
        async with loading(plan, stack.folder) as generator:
            await hold(settings.settle_s, f"knee: {count} sessions settle")
            collector.clear()
            before, began_ms = stack.usages(), now_ms()
            await hold(settings.hold_s, f"knee: {count} sessions measured")
            decided, after, elapsed_s = collector.all, stack.usages(), (now_ms() - began_ms) / 1000
            load = await generator.stop()
    tick = spread([one.tick_ms for one in decided] or [float("inf")])
    share = len(decided) / (count * elapsed_s)
    return Step(
        sessions=count,
        tick=tick,
        decided_share=round(share, 4),
        skipped=sum(one.decision.frames_skipped for one in decided),
        sustained=tick.p95 <= settings.tick_limit_ms and share >= _DECIDED_SHARE,
        cpu_ms_per_tick=cpu_ms_per_tick(before, after, len(decided)),
        load=load,
    )
