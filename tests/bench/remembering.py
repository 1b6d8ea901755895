"""What memory costs the ticks, in real time with vLLM on the CPU and the small model.

The same sessions are watched at one picture a second, each time anew: without a memory service, with one that has the
very engine of the ticks write, with a summariser that takes 30 s, and with one that fails in four ways in turn. What a
summariser costs is seen against the first, whose prompts have key frames in the place of summaries.
"""

import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

import aiohttp

from bench.collector import Collector, Decided, collecting
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, TENANT, LoadPlan
from bench.memory_stand_in import TRY_S, summariser
from bench.memory_worker import memory_service
from bench.progress import hold, say
from bench.sessions import end_sessions, names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import quantile
from vigil.core.ids import SessionKey
from vigil.core.memory import MemoryLimits

LIMITS = MemoryLimits(is_on=True, mid_blocks=3)
SIZE = (160, 96)
BEFORE, AFTER = 5, 10  # turns around the first of a chunk that are shown
WARM_UP_TURNS = 10  # of a session, which are not counted
_CLAIM_S = 1.0
_WRITING = re.compile(r"^vigil_memory_write_seconds_sum\{[^}]*\} (\S+)$", re.MULTILINE)


class Writer(StrEnum):
    """Who writes the blocks."""

    ABSENT = "absent"
    ENGINE = "engine"
    SLOW = "slow"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Case:
    """The sessions with one writer. Ticks are from the camera's publishing to the decision. `delayed` are those that
    took longer than their second. `cached_share` is how much of the prompts of first ticks of chunks the engine had,
    in tokens. `blocks` stand in the prompts at the end, and `unwritten` spans wait. `around_ms` are the median ticks so
    many turns after the first of a chunk. Texts took `writing_s_per_hour` of video to write."""

    writer: Writer
    ticks: int
    boundaries: int
    tick_p50_ms: float
    tick_p95_ms: float
    boundary_p50_ms: float
    boundary_max_ms: float
    delayed: int
    cached_share: float
    blocks: int
    unwritten: int
    around_ms: tuple[tuple[int, float], ...] = ()
    writing_s_per_hour: float = 0.0

    @property
    def boundary_ratio(self) -> float:
        """The median first tick of a chunk to the median tick."""
        return self.boundary_p50_ms / self.tick_p50_ms


@dataclass(frozen=True, slots=True)
class Remembering:
    """All cases of one run."""

    sessions: int
    chunk_turns: int
    seconds: float
    cases: tuple[Case, ...]
    elapsed_s: float = 0.0

    def of(self, writer: Writer) -> Case:
        """The case of a writer."""
        return next(case for case in self.cases if case.writer is writer)

    @property
    def boundary_ratio(self) -> float:
        """The worst of all writers."""
        return max(case.boundary_ratio for case in self.cases)

    @property
    def tick_p95_ratio(self) -> float:
        """With the summariser on the engine of the ticks, to that without any."""
        return self.of(Writer.ENGINE).tick_p95_ms / self.of(Writer.ABSENT).tick_p95_ms


async def measure(settings: BenchSettings) -> Remembering:
    """Each writer in turn, on one engine. Raises `RuntimeError` when a case has no boundary to be measured."""
    began_s = time.monotonic()
    cases: list[Case] = []
    async with running(settings, "remembering", engine="real") as (stack, _), collecting(stack.nats.url) as collector:
        for number, writer in enumerate(Writer):
            async with _writing(stack, writer) as metrics_url:
                sessions = names(settings.remembering_sessions, number * settings.remembering_sessions)
                found = await _watched(settings, stack, collector, sessions, writer)
                hours = settings.remembering_sessions * settings.remembering_s / 3_600
                cases.append(replace(found, writing_s_per_hour=await _written_s(metrics_url) / hours))
            _tell(cases[-1])
    return Remembering(
        settings.remembering_sessions,
        settings.remembering_chunk_turns,
        settings.remembering_s,
        tuple(cases),
        round(time.monotonic() - began_s, 1),
    )


@asynccontextmanager
async def _writing(stack: Stack, writer: Writer) -> AsyncIterator[str]:
    """A memory service of that kind, for as long as the block lasts; yields the address of its metrics, empty for
    none."""
    match writer:
        case Writer.ABSENT:
            yield ""
        case Writer.ENGINE:
            async with memory_service(stack, {}) as metrics_url:
                yield metrics_url
        case Writer.SLOW | Writer.FAILING:
            async with summariser(fails=writer is Writer.FAILING) as url:
                deadline = {"VIGIL_SUMMARISER_DEADLINE_S": str(TRY_S)} if writer is Writer.FAILING else {}
                async with memory_service(
                    stack, {"VIGIL_SUMMARISER": "http", "VIGIL_SUMMARISER_URL": url, **deadline}
                ) as at:
                    yield at


async def _written_s(metrics_url: str) -> float:
    """For how long the summariser has written until now."""
    if not metrics_url:
        return 0.0
    async with aiohttp.ClientSession() as http, http.get(metrics_url) as answer:
        return sum(float(seconds) for seconds in _WRITING.findall(await answer.text()))


async def _watched(
    settings: BenchSettings, stack: Stack, collector: Collector, sessions: tuple[str, ...], writer: Writer
) -> Case:
    collector.clear()
    await open_sessions(stack, collector.client, sessions, chunk_turns=settings.remembering_chunk_turns, memory=LIMITS)
    plan = LoadPlan(stack.nats.url, sessions, now_ms() + round(_CLAIM_S * 1_000), size=SIZE)
    async with loading(plan, stack.folder) as generator:
        await hold(settings.remembering_s, f"{len(sessions)} sessions, writer {writer}")
        await generator.stop()
    states = [await stack.store.history(SessionKey(TENANT, session)) for session in sessions]
    await end_sessions(stack, collector.client, sessions)
    blocks = sum(len(state.memory.blocks) for state in states)
    return case(writer, collector.all, blocks, sum(len(state.memory.unwritten) for state in states))


def case(writer: Writer, found: Iterable[Decided], blocks: int, unwritten: int) -> Case:
    """The figures of these decisions, without the first ones of each session. Raises `RuntimeError` without a
    boundary."""
    decided = [turn for turn in found if turn.decision.sequence >= WARM_UP_TURNS]
    first = [turn for turn in decided if turn.decision.prefix_share < 1]
    if not first:
        raise RuntimeError(f"no chunk ended with the writer {writer}: raise VIGIL_BENCH_REMEMBERING_S")
    ticks, boundaries = [turn.tick_ms for turn in decided], [turn.tick_ms for turn in first]
    prompts = sum(turn.decision.prompt_tokens for turn in first)
    return Case(
        writer=writer,
        ticks=len(decided),
        boundaries=len(first),
        tick_p50_ms=quantile(ticks, 0.5),
        tick_p95_ms=quantile(ticks, 0.95),
        boundary_p50_ms=quantile(boundaries, 0.5),
        boundary_max_ms=max(boundaries),
        delayed=sum(tick > INTERVAL_MS for tick in ticks),
        cached_share=sum(turn.decision.cached_tokens for turn in first) / max(1, prompts),
        blocks=blocks,
        unwritten=unwritten,
        around_ms=around_ms(decided),
    )


def around_ms(decided: Iterable[Decided]) -> tuple[tuple[int, float], ...]:
    """The median tick of each place around the first tick of a chunk, over all sessions."""
    ticks: dict[int, list[float]] = defaultdict(list)
    sessions: dict[SessionKey, list[Decided]] = defaultdict(list)
    for turn in decided:
        sessions[turn.decision.key].append(turn)
    for session in sessions.values():
        for first in (place for place, turn in enumerate(session) if turn.decision.prefix_share < 1):
            for place in range(max(0, first - BEFORE), min(len(session), first + AFTER + 1)):
                ticks[place - first].append(session[place].tick_ms)
    return tuple((offset, quantile(found, 0.5)) for offset, found in sorted(ticks.items()))


def _tell(found: Case) -> None:
    say(
        f"{found.writer}: tick p50 {found.tick_p50_ms:.0f}, p95 {found.tick_p95_ms:.0f} ms; {found.boundaries} first "
        f"ticks of chunks p50 {found.boundary_p50_ms:.0f} ms, ratio {found.boundary_ratio:.2f}, "
        f"{found.cached_share:.0%} cached; {found.delayed} delayed, {found.blocks} blocks, {found.unwritten} unwritten"
        f"; the summariser writes for {found.writing_s_per_hour:.0f} s an hour of video"
    )
