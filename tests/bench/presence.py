"""Two hours of one session that remembers, with vLLM on the CPU and the small model, faster than the clock.

Each frame comes as soon as the last one is decided on. The engine of the ticks also writes the blocks. What goes by the
clock (leases, pings) sees only the time that the run takes, and a block has only a fourteenth of the time that it has
otherwise, where a turn takes 70 ms: one that is late enters at the next boundary.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nats.aio.msg import Msg

from bench.collector import Collector, Decided, collecting
from bench.generator import Generator, loading, now_ms
from bench.load_plan import TENANT, LoadPlan, Pace
from bench.memory_worker import memory_service
from bench.presence_figures import Boundary, Present, Watched, Writing, gap_ms, present
from bench.progress import say
from bench.sampler import Sampler
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from vigil.contract import subjects
from vigil.contract.events.envelope import decode_event
from vigil.contract.memory import decode_memory
from vigil.contract.subject_tokens import MemoryEvent
from vigil.core.context_length import longest_prompt
from vigil.core.ids import SessionKey
from vigil.core.memory import MemoryLimits
from vigil.core.profile import profile
from vigil.runtime.store.keys import Part, part_key, session_keys
from vigil.testing.handled import handled

LIMITS = MemoryLimits(is_on=True)
SIZE = (160, 96)
_LOOK_S = 0.2
_TELL_S = 30.0
_STALLED_S = 120.0
_LONGEST_S = 6 * 3_600.0


async def measure(settings: BenchSettings) -> Present:
    """Watch until the session has had its turns. Raises `RuntimeError` when nothing moves for two minutes, or when no
    chunk ended after the warm-up."""
    (session,) = names(1)
    writing = Writing()
    async with (
        running(settings, "presence", engine="real") as (stack, sampler),
        collecting(stack.nats.url) as collector,
        memory_service(stack, {}),
        _noted(collector, writing),
    ):
        await open_sessions(stack, collector.client, (session,), memory=LIMITS)
        began_s = time.monotonic()
        turns = settings.presence_turns
        plan = LoadPlan(stack.nats.url, (session,), now_ms(), Pace.ANSWERED, turns=turns, size=SIZE)
        say(f"presence: {turns:,} turns, each as soon as the last one is decided on")
        async with loading(plan, stack.folder) as camera:
            watched = await _until_over(settings, stack, collector.decided[session], sampler, camera)
        budget = await _budget(stack, SessionKey(TENANT, session))
        return present(
            turns, collector.decided[session], writing, watched, sampler.rss, budget, time.monotonic() - began_s
        )


async def _until_over(
    settings: BenchSettings, stack: Stack, decided: Sequence[Decided], sampler: Sampler, camera: Generator
) -> Watched:
    watched, seen = Watched(), 0
    moved_s = told_s = time.monotonic()
    over = asyncio.create_task(camera.finished(_LONGEST_S))
    while not over.done():
        await asyncio.wait({over}, timeout=_LOOK_S)
        new, now_s = decided[seen:], time.monotonic()
        seen += len(new)
        for first in (tick for tick in new if tick.decision.prefix_share < 1):
            watched.boundaries.append(await _looked_at(stack, first))
        if watched.cold_boundaries < 0 and seen >= settings.presence_warm_up_turns:
            watched.warm, watched.cold_boundaries = sampler.counts(), len(watched.boundaries)
        moved_s = now_s if new else moved_s
        if now_s - moved_s > _STALLED_S:
            over.cancel()
            raise RuntimeError(f"nothing was decided for {_STALLED_S:g} s, after {seen} turns")
        if now_s - told_s > _TELL_S:
            told_s = now_s
            say(f"  … {seen:,} of {settings.presence_turns:,} turns, {len(watched.boundaries)} chunks")
    over.result()
    return watched


async def _looked_at(stack: Stack, first: Decided) -> Boundary:
    """The session now, a moment after the first turn of a chunk."""
    key = first.decision.key
    state = await stack.store.history(key)
    sizes = {name: await stack.redis.memory_usage(name, samples=0) or 0 for name in session_keys(key)}
    return Boundary(
        time_ms=first.decision.time_ms,
        prompt_tokens=first.decision.prompt_tokens,
        memory_tokens=state.memory.tokens,
        blocks=len(state.memory.blocks),
        unwritten=len(state.memory.unwritten),
        gap_ms=gap_ms(state),
        redis_bytes=sum(sizes.values()),
        archive_bytes=sizes[part_key(key, Part.ARCHIVE)],
    )


async def _budget(stack: Stack, key: SessionKey) -> int:
    spec = await stack.store.spec(key)
    return longest_prompt(spec, profile(spec.profile)).total


@asynccontextmanager
async def _noted(collector: Collector, writing: Writing) -> AsyncIterator[None]:
    """Notes when blocks are asked for, and when they are over."""

    async def asked(message: Msg) -> None:
        writing.asked(decode_memory(message.data).id, _now_us())

    async def over(message: Msg) -> None:
        event = decode_event(message.data)
        writing.over(event.data["block"], _now_us(), is_ready=event.data["event"] == MemoryEvent.READY)

    client = collector.client
    subscriptions = [
        await client.subscribe(subjects.ALL_MEMORY_REQUESTS, cb=asked),
        *[await client.subscribe(subject, cb=over) for subject in subjects.all_memory(*MemoryEvent)],
    ]
    await handled(collector.client)
    try:
        yield
    finally:
        for subscription in subscriptions:
            await subscription.unsubscribe()


def _now_us() -> int:
    return time.time_ns() // 1_000
