"""Clients that send one recording by WebRTC: what a received track costs, and how many one ingestion worker receives.

The recording, 854 x 480 at 25 pictures a second, is encoded once, before: the senders only pack, encrypt and send it.
They are processes of their own, on the same machine. Each session samples one picture a second. A step is sustained
when nearly every second is decided on, and soon after its picture came.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import numpy as np

from bench.collector import Collector, Decided, collecting
from bench.processes import Child, child
from bench.progress import hold, say
from bench.sampler import Sampler
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import Spread, spread, steadiness
from vigil.core.source import SourceKind

SIZE, RATE, FILMED_S, BIT_RATE = (854, 480), 25, 8, 1_000_000
WORKER = "ingestion-1"
_STARTED_S = 60.0
_SUSTAINED_SHARE = 0.98
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """That many clients at once. `decided_share` is seconds decided of all; `core_share` how much of one core the
    worker spent on each track; `decided_ms` from the arrival of a picture to its decision."""

    clients: int
    decided_share: float
    core_share: float
    decided_ms: Spread


@dataclass(frozen=True, slots=True)
class Received:
    """`sustained` is the largest step that was; so many clients then sent for `warm_up_minutes` and, while the worker's
    memory was watched, for `minutes`. `rss_mib_by_minute` has both."""

    steps: tuple[Step, ...]
    sustained: int
    warm_up_minutes: float
    minutes: float
    rss_mib: float | None = None
    rss_spread: float | None = None
    rss_drift: float | None = None
    rss_mib_by_minute: tuple[float, ...] = ()


async def measure(settings: BenchSettings) -> Received:
    """Add clients, step by step, until one is not sustained; then hold the last one that was."""
    steps: list[Step] = []
    async with (
        running(settings, "webrtc") as (stack, sampler),
        collecting(stack.nats.url) as collector,
        AsyncExitStack() as senders,
    ):
        await stack.start("ingestion", variables={"VIGIL_WEBRTC_PEERS": "1000", "VIGIL_WEBRTC_GRACE_S": "600"})
        recording = await asyncio.to_thread(film, stack.folder / "recording.webm")
        sent: tuple[str, ...] = ()
        for clients in settings.webrtc_steps:
            more = names(clients - len(sent), first=len(sent))
            newest = await _send(stack, collector, senders, recording, more)
            step = await _measured(settings, stack, collector, (*sent, *more))
            if not is_sustained(step, settings.webrtc_limit_ms):
                await newest.stop()
                steps.append(step)
                break
            sent = (*sent, *more)
            steps.append(step)
        return await _held(settings, sampler, steps, len(sent))


def film(path: Path) -> Path:
    """A recording of a street, as far as its bit rate goes: texture that moves."""
    texture = np.random.default_rng(7).integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=RATE, options={"deadline": "realtime", "cpu-used": "8"})
        if not isinstance(stream, av.VideoStream):
            raise TypeError("libvpx makes no video")
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.bit_rate, stream.codec_context.gop_size = BIT_RATE, 2 * RATE
        stream.codec_context.time_base = Fraction(1, RATE)
        for index in range(FILMED_S * RATE):
            shown = np.roll(texture, index // 2, axis=1).repeat(8, 0).repeat(8, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def is_sustained(step: Step, limit_ms: float) -> bool:
    """Whether a worker receives so many clients."""
    return step.decided_share >= _SUSTAINED_SHARE and step.decided_ms.p99 <= limit_ms


def decided_share(found: Sequence[Sequence[Decided]]) -> float:
    """Of the seconds between the first and the last decision of each session, how many were decided on."""
    spans = [(turns[-1].decision.time_ms - turns[0].decision.time_ms) // 1_000 + 1 if turns else 1 for turns in found]
    return sum(len(turns) for turns in found) / sum(spans)


async def _send(
    stack: Stack, collector: Collector, senders: AsyncExitStack, recording: Path, sessions: Sequence[str]
) -> Child:
    await open_sessions(stack, collector.client, sessions, kind=SourceKind.WEBRTC)
    argv = [sys.executable, "-m", "bench.webrtc_senders", stack.nats.url, str(recording), *sessions]
    process = await senders.enter_async_context(child(f"senders-{sessions[0]}", argv, stack.folder, {}))
    await collector.wait(sessions, bool, _STARTED_S, f"{len(sessions)} more clients send")
    return process


async def _measured(settings: BenchSettings, stack: Stack, collector: Collector, sessions: Sequence[str]) -> Step:
    await hold(settings.settle_s, f"{len(sessions)} clients")
    collector.clear()
    before, began_s = stack.workers[WORKER].usage(), time.monotonic()
    await asyncio.sleep(settings.hold_s)
    used_s = stack.workers[WORKER].usage().cpu_s - before.cpu_s
    found = [collector.decided[session] for session in sessions]
    step = Step(
        len(sessions),
        round(decided_share(found), 4),
        round(used_s / (time.monotonic() - began_s) / len(sessions), 4),
        spread([decided.tick_ms for turns in found for decided in turns]),
    )
    say(f"  {step.clients} clients: {step.core_share:.1%} of a core each, {step.decided_share:.1%} decided")
    say(f"  p50 {step.decided_ms.p50:.0f} ms, p99 {step.decided_ms.p99:.0f} ms")
    return step


async def _held(settings: BenchSettings, sampler: Sampler, steps: Sequence[Step], clients: int) -> Received:
    if not clients:
        return Received(tuple(steps), 0, 0.0, 0.0)
    warm_up, watched = settings.webrtc_warm_up_minutes, settings.webrtc_minutes
    await hold(settings.settle_s, f"holding {clients} clients for {warm_up:g} and {watched:g} minutes")
    begun = len(sampler.rss[WORKER])
    await asyncio.sleep(warm_up * 60)
    warm = len(sampler.rss[WORKER])
    await asyncio.sleep(watched * 60)
    rss_mib = [value / _MIB for value in sampler.rss[WORKER][begun:]]
    memory = steadiness(rss_mib[warm - begun :])
    return Received(
        tuple(steps),
        clients,
        warm_up,
        watched,
        round(memory.median, 1),
        round(memory.spread_share, 4),
        round(memory.drift_share, 4),
        tuple(round(median(rss_mib[begin : begin + 60]), 1) for begin in range(0, len(rss_mib), 60)),
    )
