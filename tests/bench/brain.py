"""What brains cost the ticks: brains that fail in every way, a worker that is killed, sessions that end while their
brains work, and a hundred sessions that delegate in the same second.

An instant engine delegates whenever it is shown red. The ticks are measured with the same load and the same questions
beside no brain and beside brains; the runs take turns, so that a machine that drifts does so for both.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bench.brain_burst import Burst, measure_burst
from bench.brain_stand_ins import stand_ins, write_brains
from bench.collector import Collector, collecting
from bench.generator import loading, now_ms
from bench.load_plan import TENANT, LoadPlan
from bench.progress import hold_until, say, wait_until
from bench.sessions import names, open_sessions, tasks_of
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import Spread, spread
from vigil.core.ids import SessionKey
from vigil.core.task import TaskRecord
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.session.lifecycle import end
from vigil.runtime.session.ports import WorkerPorts
from vigil.testing.scripted_brain import Behaviour, ScriptedBrain

ROUNDS = 2
_PATIENCE_S = 60.0
_CONCURRENCY = "16"
_TOPPLED = 8  # sessions whose brain is killed and who end then
_RED_TURN = 15  # by then every session is claimed and ticks
_OVER_S = 60.0
_HANGS_S = 300.0


@dataclass(frozen=True, slots=True)
class TickRun:
    """`tick` is in milliseconds, from the camera's picture on the bus to the decision there. `tasks` counts how the
    questions ended, by brain and state."""

    brains: bool
    sessions: int
    delegated: int
    tick: Spread
    tasks: dict[str, int]


@dataclass(frozen=True, slots=True)
class Toppled:
    """`handover_s`: from SIGKILL of the worker until another one had asked the brains anew for every task in hand.
    `cancel_s`: from the end of a session until its brain saw the request broken off; the slowest of `sessions`."""

    sessions: int
    handover_s: float
    cancel_s: float


@dataclass(frozen=True, slots=True)
class Brains:
    """`tick_p99_ratio`: the mean p99 beside brains that fail, divided by the one beside none."""

    runs: tuple[TickRun, ...]
    toppled: Toppled
    burst: Burst

    @property
    def tick_p99_ratio(self) -> float:
        return p99_ratio(self.runs)


async def measure(settings: BenchSettings) -> Brains:
    """All three parts."""
    toppled = await _toppled(settings)
    burst = await measure_burst(settings)
    runs = [await _ticks(settings, with_brains) for _ in range(ROUNDS) for with_brains in (False, True)]
    return Brains(tuple(runs), toppled, burst)


def p99_ratio(runs: Sequence[TickRun]) -> float:
    """Of the runs beside brains to those beside none. Pure."""
    beside, alone = ([run.tick.p99 for run in runs if run.brains is wanted] for wanted in (True, False))
    return sum(beside) / len(beside) / (sum(alone) / len(alone))


async def _ticks(settings: BenchSettings, with_brains: bool) -> TickRun:
    """One session a second delegates."""
    sessions, name = names(settings.sessions), "brains" if with_brains else "no-brains"
    async with (
        running(settings, name, engine="delegating") as (stack, _),
        collecting(stack.nats.url) as collector,
        stand_ins(stack.folder) as file,
    ):
        if with_brains:
            await stack.start(
                "brain", variables={"VIGIL_BRAINS_FILE": str(file), "VIGIL_BRAIN_CONCURRENCY": _CONCURRENCY}
            )
        await open_sessions(stack, collector.client, sessions)
        await asyncio.sleep(1.0)  # a worker needs that long to claim the sessions
        plan = LoadPlan(stack.nats.url, sessions, now_ms() + 2_000, red_every=len(sessions))
        async with loading(plan, stack.folder) as generator:
            what = f"{name}: {len(sessions)} sessions, {settings.turns} turns"
            at_most_s = settings.turns + _PATIENCE_S
            await hold_until(lambda: has_decided(collector, sessions, settings.turns), at_most_s, what)
            await generator.stop()
        tasks = await _ended(stack, sessions) if with_brains else []
        later = [decided.tick_ms for decided in collector.all if 0 < decided.decision.sequence < settings.turns]
    delegated = settings.turns * len(sessions) // plan.red_every
    counted = Counter(f"{task.brain or 'none'} {task.state}" for task in tasks)
    run = TickRun(with_brains, len(sessions), delegated, spread(later), dict(sorted(counted.items())))
    say(f"{name}: tick p50 {run.tick.p50:.2f} ms, p99 {run.tick.p99:.2f} ms; {run.tasks}")
    return run


def has_decided(collector: Collector, sessions: Sequence[str], turns: int) -> bool:
    """Whether each session has decided so often."""
    return all(len(collector.decided[session]) >= turns for session in sessions)


async def _ended(stack: Stack, sessions: Sequence[str]) -> list[TaskRecord]:
    """The tasks of these sessions, once all are over that a worker has seen."""
    tasks: list[TaskRecord] = []
    until_s = time.monotonic() + _OVER_S
    while not tasks or (time.monotonic() < until_s and not all(task.state.is_final for task in tasks)):
        await asyncio.sleep(0.5)
        tasks = await tasks_of(stack, sessions)
    return tasks


async def _toppled(settings: BenchSettings) -> Toppled:
    """Every session has one question at a brain that hangs; then the worker is killed, then the sessions end."""
    sessions = names(_TOPPLED)
    async with (
        running(settings, "brain-toppled", engine="delegating") as (stack, _),
        collecting(stack.nats.url) as collector,
        ScriptedBrain() as brain,
    ):
        brain.behaviour = Behaviour.HANG
        file = write_brains(stack.folder / "brains.json", {"hang": brain.url}, _HANGS_S)
        variables = {"VIGIL_BRAINS_FILE": str(file), "VIGIL_BRAIN_CONCURRENCY": _CONCURRENCY}
        first = await stack.start("brain", 1, variables)
        await open_sessions(stack, collector.client, sessions)
        plan = LoadPlan(stack.nats.url, sessions, now_ms() + 2_000, red_turn=_RED_TURN)
        async with loading(plan, stack.folder):
            await wait_until(lambda: len(brain.seen) == len(sessions), _PATIENCE_S, "every session has a task")
            await stack.start("brain", 2, variables)
            began_s = time.monotonic()
            first.signal(signal.SIGKILL)
            asked = 2 * len(sessions)
            await wait_until(lambda: len(brain.seen) >= asked, _PATIENCE_S, "the other worker has all tasks")
            handover_s = time.monotonic() - began_s
            cancel_s = await _cancelled(stack, brain, sessions)
    say(f"handed over after {handover_s:.2f} s, cancelled after {cancel_s:.3f} s at most")
    return Toppled(len(sessions), round(handover_s, 2), round(cancel_s, 3))


async def _cancelled(stack: Stack, brain: ScriptedBrain, sessions: Sequence[str]) -> float:
    """End one session after the other, as the gateway does; the longest that it took until its brain was left."""
    longest_s = 0.0
    async with Bus.connect(BusConfig(stack.nats.url, "bench brains")) as bus:
        await bus.connected()
        ports = WorkerPorts(stack.store, bus, stack.placement)
        for session in sessions:
            spec = (await stack.store.look(SessionKey(TENANT, session))).spec
            left, began_s = brain.left + 1, time.monotonic()
            await end(ports, spec, "the benchmark ended it")
            await wait_until(partial(_is_left, brain, left), _PATIENCE_S, f"the brain of {session} was left")
            longest_s = max(longest_s, time.monotonic() - began_s)
    return longest_s


def _is_left(brain: ScriptedBrain, times: int) -> bool:
    return brain.left >= times
