"""A hundred sessions delegate in the same second, to brains that think for two seconds and work on four at once."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from bench.brain_stand_ins import THINKS_S, write_brains
from bench.collector import collecting
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan
from bench.progress import say
from bench.sessions import names, open_sessions, tasks_of
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import Spread, spread
from vigil.core.task import TaskRecord, TaskState
from vigil.testing.ports import free_port
from vigil.testing.scripted_brain import ScriptedBrain

SESSIONS = 100
QUEUE = 64
RUNNING = 4
_FIRST_TURN = 5  # by then every session is claimed and its first tick is over
_BURST_TURN = 45
_LONGEST_S = 180.0
_ALL_CAME_MS = 20_000  # by then every session has delegated that will
_LOOK_S = 0.2
_SLACK_MS = 200  # a task is noted as queued just before it takes its place in the queue


@dataclass(frozen=True, slots=True)
class Burst:
    """Ticks in milliseconds, `before` the burst and `during` the work on it. `waiting_most` and `running_most` are the
    most tasks at the worker; `answered` those that were, of one a session, `elapsed_s` after the first was delegated.
    `overtaken` counts the tasks that began while a more urgent one waited."""

    sessions: int
    before: Spread
    during: Spread
    waiting_most: int
    running_most: int
    answered: int
    overtaken: int
    elapsed_s: float

    @property
    def tick_p99_ratio(self) -> float:
        """During the work on the burst to before it."""
        return self.during.p99 / self.before.p99


@dataclass(slots=True)
class _Seen:
    """The most that the worker's metrics showed."""

    waiting: int = 0
    running: int = 0

    def take(self, metrics: str) -> None:
        """Note what the text of the metrics shows."""
        self.waiting = max(self.waiting, gauge(metrics, "vigil_brain_waiting"))
        self.running = max(self.running, gauge(metrics, "vigil_brain_running"))


async def measure_burst(settings: BenchSettings) -> Burst:
    """One burst of `SESSIONS` questions."""
    sessions, port = names(SESSIONS), free_port()
    async with (
        running(settings, "brain-burst", engine="delegating") as (stack, _),
        collecting(stack.nats.url) as collector,
        ScriptedBrain(lambda _: "It is the second.") as brain,
    ):
        brain.delay_s = THINKS_S
        file = write_brains(stack.folder / "brains.json", {"slow": brain.url}, 30.0)
        limits = {"VIGIL_BRAIN_CONCURRENCY": str(RUNNING), "VIGIL_BRAIN_QUEUE": str(QUEUE)}
        # All sessions are of one tenant here, whose share is not what is measured.
        own = {"VIGIL_BRAINS_FILE": str(file), "VIGIL_BRAIN_TENANT_TASKS": "1000", "VIGIL_HTTP_PORT": str(port)}
        await stack.start("brain", variables=limits | own)
        await open_sessions(stack, collector.client, sessions)
        await asyncio.sleep(2.0)  # claims
        plan = LoadPlan(stack.nats.url, sessions, now_ms() + 2_000, red_turn=_BURST_TURN)
        async with loading(plan, stack.folder) as generator, _watched(port) as seen:
            burst_ms = plan.start_ms + _BURST_TURN * INTERVAL_MS
            records = await _all_over(stack, sessions, burst_ms)
            await generator.stop()
        ticks = [(decided.decision.time_ms // INTERVAL_MS, decided.tick_ms) for decided in collector.all]
    ended_ms = max((record.ended_ms for record in records), default=0)
    last_turn = (ended_ms - plan.start_ms) // INTERVAL_MS
    found = Burst(
        sessions=len(sessions),
        before=spread([tick for turn, tick in ticks if _FIRST_TURN <= turn < _BURST_TURN]),
        during=spread([tick for turn, tick in ticks if _BURST_TURN <= turn <= last_turn]),
        waiting_most=seen.waiting,
        running_most=seen.running,
        answered=sum(record.state is TaskState.READY for record in records),
        overtaken=overtaken(records),
        elapsed_s=round((ended_ms - burst_ms) / 1_000, 1),
    )
    say(f"burst: {found.answered} of {len(sessions)} answered in {found.elapsed_s} s, {found.waiting_most} waited")
    say(f"  tick p99 {found.before.p99:.1f} ms before, {found.during.p99:.1f} ms during, {found.overtaken} overtaken")
    return found


def gauge(metrics: str, name: str) -> int:
    """The value of a gauge without labels in the text of a process's metrics; 0 when it is not there. Pure."""
    found = re.search(rf"^{name} ([\d.e+]+)$", metrics, re.MULTILINE)
    return round(float(found[1])) if found else 0


def overtaken(records: Sequence[TaskRecord]) -> int:
    """How many tasks began while a more urgent one waited at the worker. Pure."""
    return sum(
        any(
            other.request.priority > record.request.priority
            and other.queued_ms + _SLACK_MS < record.started_ms < other.started_ms
            for other in records
        )
        for record in records
    )


async def _all_over(stack: Stack, sessions: Sequence[str], burst_ms: int) -> list[TaskRecord]:
    """The records of all tasks, once the burst is `_ALL_CAME_MS` ago and all are over, or `_LONGEST_S` have passed."""
    records: list[TaskRecord] = []

    def are_over() -> bool:
        return now_ms() > burst_ms + _ALL_CAME_MS and all(record.state.is_final for record in records)

    say(f"burst of {len(sessions)} questions: at most {_LONGEST_S:g} s")
    until_s = time.monotonic() + _LONGEST_S
    while not are_over() and time.monotonic() < until_s:
        await asyncio.sleep(1.0)
        records = await tasks_of(stack, sessions)
    return records


@asynccontextmanager
async def _watched(port: int) -> AsyncIterator[_Seen]:
    """Look at the worker's metrics while the block runs."""
    seen = _Seen()

    async def look() -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
                    seen.take(await response.text())
                await asyncio.sleep(_LOOK_S)

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
