"""Two hours of every session's life, faster than the clock: does any process grow?

What is simulated: `soak_turns` seconds of model time for each of `soak_sessions`, in which each frame comes as soon as
the last one is decided on: turns, chunks, pictures, alerts, snapshots and messages are as many as in that time. What
is not: the clock. Leases, pings, time-outs and whatever else goes by it see only the time that the run takes.

Ingestion cannot be hurried; it plays a few files at five turns a second meanwhile. A client looks at sessions and
listens to their events through the gateway, and the webhook bridge delivers every alert.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from nats.aio.msg import Msg

from bench.front import ingestion_and_gateway, webhook
from bench.generator import Generator, loading, now_ms
from bench.load_plan import LoadPlan, Pace
from bench.nats_client import connected
from bench.progress import say
from bench.sampler import Sampler
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import Steadiness, steadiness
from vigil.contract import subjects
from vigil.contract.decision import decode_decision
from vigil.testing.handled import handled
from vigil.testing.videos import write_video

_RED_EVERY = 20
_LIVE_INTERVAL_MS = 200
_VIDEO_S = 10
_STALLED_S = 60.0
_LONGEST_S = 24 * 3_600.0
_LOOK_S = 0.2
_TELL_S = 30.0
_VISIT_S = 1.0
_MIB = 1 << 20
_SAMPLES = 200  # of each process, in the report
# Infrastructure keeps what it is given: its growth up to its own bounds says nothing about the services.
_INFRASTRUCTURE = ("nats", "redis", "engine")


@dataclass(frozen=True, slots=True)
class Soak:
    """`memory_mib` is each process's resident memory after the warm-up; `rss_mib` its course, sampled evenly over the
    whole run. `turns` were asked for, the session with fewest had `fewest_turns`. `breaks` counts decisions
    that did not follow on their session's last one."""

    sessions: int
    turns: int
    fewest_turns: int
    live_sessions: int
    live_turns: int
    elapsed_s: float
    decisions: int
    breaks: int
    webhooks: int
    memory_mib: dict[str, Steadiness]
    rss_mib: dict[str, list[float]]

    @property
    def rss_spread(self) -> float:
        """How far, at most, any service's memory was from its median after the warm-up, as a share of that."""
        return max(one.spread_share for name, one in self.memory_mib.items() if name not in _INFRASTRUCTURE)


class Tally:
    """Counts decisions as they come, and those that are out of sequence; keeps none of them."""

    def __init__(self) -> None:
        self.next: dict[str, int] = defaultdict(int)
        self.breaks = 0

    async def on_decision(self, message: Msg) -> None:
        """nats-py's callback."""
        decision = decode_decision(message.data)
        self.breaks += decision.sequence != self.next[decision.key.session]
        self.next[decision.key.session] = decision.sequence + 1

    def least(self, sessions: Sequence[str]) -> int:
        """Turns of the session that has fewest."""
        return min(self.next[one] for one in sessions)

    def total(self, sessions: Sequence[str]) -> int:
        """Turns of all of them."""
        return sum(self.next[one] for one in sessions)


async def measure(settings: BenchSettings) -> Soak:
    """Run until every session has had its turns. Raises `RuntimeError` when nothing moves for a minute."""
    sessions = names(settings.soak_sessions)
    live = names(settings.soak_live_sessions, settings.soak_sessions)
    tally = Tally()
    async with (
        running(settings, "soak") as (stack, sampler),
        ingestion_and_gateway(stack) as client,
        webhook(stack) as receiver,
        _counting(stack, tally),
    ):
        await _open(stack, sessions, live)
        began_s = time.monotonic()
        plan = LoadPlan(
            stack.nats.url, sessions, now_ms(), Pace.ANSWERED, red_every=_RED_EVERY, turns=settings.soak_turns
        )
        say(f"soak: {len(sessions)} sessions, {settings.soak_turns} turns each; {len(live)} live ones")
        async with loading(plan, stack.folder) as cameras, _visiting(client):
            warm = await _until_over(settings, tally, sessions, sampler, cameras)
            elapsed_s = time.monotonic() - began_s
        return _result(settings, tally, sampler, warm, (sessions, live), elapsed_s, receiver.received)


async def _open(stack: Stack, sessions: Sequence[str], live: Sequence[str]) -> None:
    client = await connected(stack.nats.url, "bench soak")
    try:
        video = await asyncio.to_thread(write_video, stack.folder / "camera.mp4", _VIDEO_S)
        await open_sessions(stack, client, sessions)
        await open_sessions(stack, client, live, source_url=video.as_uri(), interval_ms=_LIVE_INTERVAL_MS)
        await asyncio.sleep(2.0)  # claims
    finally:
        await client.close()


async def _until_over(
    settings: BenchSettings, tally: Tally, sessions: Sequence[str], sampler: Sampler, cameras: Generator
) -> dict[str, int]:
    """Wait for the end; how many samples of each process had been taken when the warm-up was over."""
    warm: dict[str, int] = {}
    total, seen_at_s, told_at_s = 0, time.monotonic(), time.monotonic()
    over = asyncio.create_task(cameras.finished(_LONGEST_S))
    while not over.done():
        await asyncio.wait({over}, timeout=_LOOK_S)
        now_s = time.monotonic()
        if not warm and tally.least(sessions) >= settings.soak_warm_up_turns:
            warm = sampler.counts()
        if tally.total(sessions) > total:
            total, seen_at_s = tally.total(sessions), now_s
        if now_s - seen_at_s > _STALLED_S:
            over.cancel()
            raise RuntimeError(f"nothing was decided for {_STALLED_S:g} s, after {total} turns")
        if now_s - told_at_s > _TELL_S:
            told_at_s = now_s
            say(f"  … {total} of {settings.soak_turns * len(sessions)} turns")
    over.result()
    return warm


def _result(
    settings: BenchSettings,
    tally: Tally,
    sampler: Sampler,
    warm: dict[str, int],
    both: tuple[Sequence[str], Sequence[str]],
    elapsed_s: float,
    webhooks: int,
) -> Soak:
    sessions, live = both
    rss = {name: [one / _MIB for one in values] for name, values in sampler.rss.items()}
    result = Soak(
        sessions=len(sessions),
        turns=settings.soak_turns,
        fewest_turns=tally.least(sessions),
        live_sessions=len(live),
        live_turns=tally.least(live),
        elapsed_s=round(elapsed_s, 1),
        decisions=sum(tally.next.values()),
        breaks=tally.breaks,
        webhooks=webhooks,
        memory_mib={name: steadiness(values[warm.get(name, 0) :]) for name, values in rss.items()},
        rss_mib={name: [round(one, 1) for one in _thinned(values)] for name, values in rss.items()},
    )
    for name, one in result.memory_mib.items():
        off = f"at most {one.spread_share:.1%} off, {one.drift_share:+.1%} from the first fifth to the last"
        say(f"{name:14} {one.median:7.1f} MiB, {off}")
    say(f"{result.decisions} decisions in {elapsed_s:.0f} s, {result.breaks} out of sequence, {webhooks} webhooks")
    return result


def _thinned(values: Sequence[float]) -> Sequence[float]:
    return values[:: max(1, len(values) // _SAMPLES)]


@asynccontextmanager
async def _counting(stack: Stack, tally: Tally) -> AsyncIterator[None]:
    client = await connected(stack.nats.url, "bench tally")
    try:
        await client.subscribe(subjects.ALL_DECISIONS, cb=tally.on_decision, pending_bytes_limit=-1)
        await handled(client)
        yield
    finally:
        await client.close()


@asynccontextmanager
async def _visiting(client: aiohttp.ClientSession) -> AsyncIterator[None]:
    """Somebody looks at the sessions now and then; a look that fails ends the soak."""
    task = asyncio.create_task(_visits(client))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (failed := task.exception()) is not None:
            raise failed


async def _visits(client: aiohttp.ClientSession) -> None:
    while True:
        async with client.get("/v1/sessions") as answer:
            found = (await answer.json())["sessions"]
        for one in found[:3]:
            async with client.get(f"/v1/sessions/{one['id']}/history") as answer:
                await answer.read()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_VISIT_S), client.get(f"/v1/sessions/{found[0]['id']}/events") as events:
                while await events.content.readline():
                    pass
