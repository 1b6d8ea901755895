"""A day in a fixed budget: one session of 24 hours at a turn a second, faster than the clock.

Every turn goes through the decision core and is silent. An exact summariser writes each block so many seconds of model
time after it was asked for; every eighth request fails. What the session keeps is in a real Redis, written twice a
chunk. Whether the fact that a question needs is in its prompt is measured on a session of its own, see `memory_world`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from memory_world import LEAD_TURNS, ORIGIN_US, measured
from redis.asyncio import Redis

from bench.pictures import scenes
from bench.progress import say
from bench.settings import BenchSettings
from bench.statistics import Steadiness, quantile, steadiness
from vigil.core.consolidation import Asking
from vigil.core.control import SILENCE
from vigil.core.decide import Completion, Infer, Percept, Settled, decide, settle
from vigil.core.memory import Block, Memory, MemoryLimits, MemoryRequest, RequestKind, clipped, tokens
from vigil.core.message import Image, Text
from vigil.core.profile import PROFILES
from vigil.core.prompt import Asked
from vigil.core.pyramid import long_term, mid_term
from vigil.core.session import MAX_PICTURES, SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.store.bounds import MAX_LOG
from vigil.runtime.store.keys import Part, part_key, session_keys
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.servers import RedisServer
from vigil_interaction.archiving import archived, key_frames

CAMERA = Source("lobby", SourceKind.RTSP, "rtsp://camera/1")
SPEC = SessionSpec("bench", "a-day", CAMERA, "joyai", "m", memory=MemoryLimits(is_on=True))
WRITE_S = 8  # of model time, for each block
FAILS_EVERY = 8
SIZE = (160, 96)
PICTURE_TOKENS = 18
RECALL_SEED = 20
_HOUR_S = 3_600
_INTERVAL_MS = 1_000
_FLAT_FROM = 2  # hours: by then the archive of pictures is full
_SCENES = 64
_SILENT = Completion(SILENCE, {})


@dataclass(frozen=True, slots=True)
class Hour:
    """The session after an hour, with a full chunk: tokens of the tiers, and bytes of its keys in Redis; those of the
    archive grow until it is full."""

    mid_tokens: int
    long_tokens: int
    unwritten: int
    redis_bytes: int
    archive_bytes: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """`coverage_hours` is how far back memory reaches without a gap. Tokens of prompts are counted as the core does,
    without a tokenizer, with 18 for a picture. `turn_p50_ms` and `boundary_p50_ms` are the time in the core. `redis` is
    the steadiness of the bytes besides the archive. `recall` is the share of questions whose prompt holds the fact, by
    age."""

    turns: int
    chunks: int
    requests: int
    failed: int
    coverage_hours: float
    prompt_tokens_max: int
    memory_tokens_max: int
    turn_p50_ms: float
    boundary_p50_ms: float
    redis: Steadiness
    hours: tuple[Hour, ...]
    recall: dict[str, float] = field(default_factory=dict)
    elapsed_s: float = 0.0


@dataclass(slots=True)
class Day:
    """The session so far, and what waits for it."""

    state: SessionState = field(default_factory=SessionState)
    last: Asked | None = None
    due: list[tuple[int, Block]] = field(default_factory=list)
    requests: int = 0
    failed: int = 0

    def turn(self, second: int) -> tuple[Infer, Settled]:
        """The turn of this second, with the blocks that are written by now."""
        ready = tuple(block for at_s, block in self.due if at_s <= second)
        frame = FrameRef(f"f-{second}", *SIZE)
        seen = Percept(second * 1_000, ORIGIN_US + second * 1_000_000, (frame,), blocks=ready)
        profile = PROFILES[SPEC.profile]
        planned, infer = decide(SPEC, profile, self.state, seen, self.last)
        if infer is None:
            raise RuntimeError(f"no turn at second {second}")
        settled = settle(SPEC, profile, planned, infer, _SILENT, Asking(LEAD_TURNS, seen.capture_time_us))
        self.state, self.last = settled.state, Asked(planned.chunk, infer.messages)
        if infer.consumed_blocks:
            self.due = [(at_s, block) for at_s, block in self.due if at_s > second]
        for request in settled.memory_requests:
            self._write(request, second)
        return infer, settled

    def _write(self, request: MemoryRequest, second: int) -> None:
        self.requests += 1
        if self.requests % FAILS_EVERY == 0:
            self.failed += 1
            return
        self.due.append((second + WRITE_S, request.block(summary(request))))


def summary(request: MemoryRequest) -> str:
    """Exact, as far as it fits: what a counter on the wall showed every ten seconds."""
    if request.kind is RequestKind.MERGE:
        return clipped(" ".join(block.text for block in request.blocks), request.max_tokens)
    shown = range(-(-request.from_ms // 10_000) * 10, request.to_ms // 1_000, 10)
    return clipped(" ".join(f"At {second} seconds the counter shows {second // 10}." for second in shown), 10_000)


async def measure(settings: BenchSettings) -> Remembered:
    """The day, then the questions."""
    with TemporaryDirectory(prefix="vigil-bench-") as folder:
        server = RedisServer(Path(folder))
        await server.start()
        try:
            async with open_redis(server.url) as redis:
                return await _measured(redis, settings.memory_hours)
        finally:
            await server.kill()


async def _measured(redis: Redis, hours: int) -> Remembered:
    began_s = time.monotonic()
    found = await _day(redis, hours)
    say(f"the day is over after {time.monotonic() - began_s:.0f} s")
    tallies = await measured(redis, RECALL_SEED, SPEC.profile)
    recall = {age: round(tally.recalled / tally.asked, 4) for age, tally in tallies.items()}
    return replace(found, recall=recall, elapsed_s=round(time.monotonic() - began_s, 1))


async def _day(redis: Redis, hours: int) -> Remembered:
    day, kept = Day(), Kept(SessionStore(redis))
    await kept.create()
    costs_ms: dict[bool, list[float]] = {False: [], True: []}
    prompts, memories, told = [0], [0], list[Hour]()
    for second in range(hours * _HOUR_S):
        before, began_s = day.state, time.perf_counter()
        infer, settled = day.turn(second)
        costs_ms[infer.restart].append((time.perf_counter() - began_s) * 1_000)
        if infer.restart:
            await kept.now(before)
            if second // _HOUR_S > len(told):
                told.append(await _hour(redis, before.memory))
            await kept.boundary(before, settled)
        if infer.restart or len(day.state.chunk.turns) == SPEC.window.chunk_turns:  # the shortest and the longest
            prompts.append(prompt_tokens(infer))
            memories.append(day.state.memory.tokens)
    return Remembered(
        turns=hours * _HOUR_S,
        chunks=len(costs_ms[True]),
        requests=day.requests,
        failed=day.failed,
        coverage_hours=round(covered_ms(day.state) / 3.6e6, 3),
        prompt_tokens_max=max(prompts),
        memory_tokens_max=max(memories),
        turn_p50_ms=round(quantile(costs_ms[False], 0.5), 3),
        boundary_p50_ms=round(quantile(costs_ms[True], 0.5), 3),
        redis=steadiness([float(hour.redis_bytes - hour.archive_bytes) for hour in told[_FLAT_FROM:]]),
        hours=tuple(told),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """The session in the store, as interaction would have left it."""

    store: SessionStore
    jpegs: Sequence[bytes] = field(default_factory=lambda: scenes(_SCENES, SIZE))

    async def create(self) -> None:
        """A new session whose log of replies is full: it fills within a quarter of an hour, if each turn is written."""
        await self.store.create(SPEC)
        await self.store.take(SPEC.key, 1)
        for second in range(MAX_LOG):
            await self._commit(Commit(SessionState(), Turn(second, second * 1_000, (), SILENCE)))

    async def now(self, state: SessionState) -> None:
        """The session with all pictures of its chunk."""
        await self._commit(Commit(state, restart=True, frames=self._frames(state)))

    async def boundary(self, before: SessionState, settled: Settled) -> None:
        """The first turn of a chunk, with what entered the archive."""
        entries = archived(before, settled.state)
        await self._commit(
            Commit(
                settled.state,
                settled.state.chunk.turns[-1],
                restart=True,
                frames=self._frames(settled.state),
                archived=entries,
                key_frames=key_frames(entries),
            )
        )

    async def _commit(self, commit: Commit) -> None:
        await self.store.commit(SPEC.key, 1, commit)

    def _frames(self, state: SessionState) -> tuple[tuple[str, bytes], ...]:
        frames = state.chunk.frames[-MAX_PICTURES:]
        return tuple((frame.uuid, self.jpegs[place % len(self.jpegs)]) for place, frame in enumerate(frames))


async def _hour(redis: Redis, memory: Memory) -> Hour:
    sizes = {key: await redis.memory_usage(key, samples=0) or 0 for key in session_keys(SPEC.key)}
    return Hour(
        sum(tokens(block.text) for block in mid_term(memory.blocks)),
        sum(tokens(block.text) for block in long_term(memory.blocks)),
        len(memory.unwritten),
        sum(sizes.values()),
        sizes[part_key(SPEC.key, Part.ARCHIVE)],
    )


def covered_ms(state: SessionState) -> int:
    """How much time before now is remembered without a gap: by blocks, unwritten spans and turns."""
    turns = state.chunk.turns
    begins = turns[0].time_ms if turns else state.last_time_ms
    for from_ms, to_ms in reversed(state.memory.spans):
        if to_ms != begins:
            break
        begins = from_ms
    return state.last_time_ms + _INTERVAL_MS - begins


def prompt_tokens(infer: Infer) -> int:
    """Tokens of a prompt, about."""
    parts = [part for message in infer.messages for part in message.parts]
    text = "\n".join(part.text for part in parts if isinstance(part, Text))
    return tokens(text) + PICTURE_TOKENS * sum(isinstance(part, Image) for part in parts)
