"""Chunks in a row, faster than the clock: how much of each prompt is the last one, and what a boundary costs."""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass

from bench.collector import Collector, Decided, collecting
from bench.generator import loading, now_ms
from bench.load_plan import LoadPlan, Pace
from bench.progress import say, wait_until
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import running
from bench.statistics import quantile
from bench.summariser import Summaries, summarising

_DEADLINE_S = 900.0
_SMALL = (160, 96)
_TAIL_TURNS = 9  # what a session carries into its next chunk, see SessionSpec


@dataclass(frozen=True, slots=True)
class Economy:
    """`prefix_share` is the mean of what decisions say: the share of the last prompt with which the new one begins.
    `engine_cached_share` is an engine's view of the same run: tokens of a prompt that an earlier one began with."""

    engine: str
    sessions: int
    chunk_turns: int
    turns: int
    boundaries: int
    prefix_share: float
    engine_cached_share: float
    median_tick_ms: float
    p95_tick_ms: float
    median_boundary_ms: float
    boundary_ratio: float
    share_by_turn: tuple[float, ...]
    summaries: int = 0
    summary_p50_s: float = 0.0


async def measure(settings: BenchSettings) -> Economy:
    """Run through `settings.chunks` chunks with the scripted engine, which keeps count of prefixes."""
    turns = settings.chunk_turns + (settings.chunks - 1) * (settings.chunk_turns - _TAIL_TURNS)
    return await _chunks(settings, "scripted", settings.economy_sessions, turns, (512, 512))


async def measure_real(settings: BenchSettings) -> Economy:
    """The same on one session with vLLM on the CPU and the small model."""
    return await _chunks(settings, "real", 1, settings.real_turns, _SMALL)


async def measure_summarised(settings: BenchSettings) -> Economy:
    """As ``measure_real``, while a summariser asks the same engine for one summary after the other."""
    return await _chunks(settings, "real", 1, settings.real_turns, _SMALL, summarised=True)


async def _chunks(
    settings: BenchSettings,
    engine: str,
    count: int,
    turns: int,
    size: tuple[int, int],
    *,
    summarised: bool = False,
) -> Economy:
    sessions = names(count)
    async with (
        running(settings, f"economy-{engine}", engine=engine) as (stack, _),
        collecting(stack.nats.url) as collector,
        summarising(stack.engine, size) if summarised else nullcontext(Summaries()) as summaries,
    ):
        await open_sessions(stack, collector.client, sessions, chunk_turns=settings.chunk_turns)
        await asyncio.sleep(1.0)  # a worker needs that long to claim the sessions
        plan = LoadPlan(stack.nats.url, sessions, now_ms(), Pace.ANSWERED, turns=turns, size=size)
        say(f"economy ({engine}): {count} sessions, {turns} turns in chunks of {settings.chunk_turns}")
        async with loading(plan, stack.folder) as generator:
            telling = asyncio.create_task(_tell(collector, count * turns))
            await generator.finished(_DEADLINE_S)
            telling.cancel()
            await wait_until(lambda: len(collector.all) >= count * turns, 10, "the last decisions")
    result = _result(engine, settings, collector, count, summaries)
    say(f"prefix share {result.prefix_share:.4f}, boundary ratio {result.boundary_ratio:.2f} ({engine})")
    if summarised:
        say(f"{result.summaries} summaries meanwhile, median {result.summary_p50_s:.2f} s, {summaries.failed} refused")
    return result


async def _tell(collector: Collector, expected: int) -> None:
    while True:
        await asyncio.sleep(10)
        say(f"  … {len(collector.all)} of {expected} turns")


def _result(engine: str, settings: BenchSettings, collector: Collector, count: int, summaries: Summaries) -> Economy:
    decided = [one for one in collector.all if one.decision.sequence > 0]
    boundary = [one for one in decided if one.decision.prefix_share < 1]
    usual = [one.tick_ms for one in decided]
    prompt = sum(one.decision.prompt_tokens for one in decided)
    first = next(iter(collector.decided.values()))
    return Economy(
        engine=engine,
        sessions=count,
        chunk_turns=settings.chunk_turns,
        turns=len(decided),
        boundaries=len(boundary),
        prefix_share=sum(one.decision.prefix_share for one in decided) / len(decided),
        engine_cached_share=sum(one.decision.cached_tokens for one in decided) / max(1, prompt),
        median_tick_ms=quantile(usual, 0.5),
        p95_tick_ms=quantile(usual, 0.95),
        median_boundary_ms=_median(boundary),
        boundary_ratio=_median(boundary) / quantile(usual, 0.5),
        share_by_turn=tuple(one.decision.prefix_share for one in first),
        summaries=len(summaries.seconds),
        summary_p50_s=quantile(summaries.seconds, 0.5) if summaries.seconds else 0.0,
    )


def _median(decided: list[Decided]) -> float:
    return quantile([one.tick_ms for one in decided], 0.5)
