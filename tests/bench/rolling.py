"""A rolling restart of everything that a release replaces: each gateway and each worker in turn, two of every kind,
while cameras are watched, pictures are pushed and live events are read. Is a second missed?"""

import asyncio
import contextlib
import hashlib
import json
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bench.collector import Collector, collecting, stored_alerts, stored_decisions
from bench.doors import Doors, Listener, Pusher
from bench.faults import settle
from bench.integrity import Integrity, inspect, missed_turns
from bench.load_plan import TENANT
from bench.progress import hold, say
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from bench.statistics import longest_gap
from vigil.contract.decision import StoredDecision
from vigil.testing.ports import free_port
from vigil.testing.videos import write_video

ORDER = ("ingestion", "codec", "interaction", "gateway")
REPLICAS = 2
_KEY = "a-key-of-the-bench"
_PUSHED_SHARE = 4  # one session in so many is pushed
_LISTENERS = 2
_TICKING_S = 40.0
_AFTER_S = 1.5
_VIDEO_S = 10


@dataclass(frozen=True, slots=True)
class Restart:
    """One process: told to end, waited for, started anew. `restart_s` is that time; `missed_turns` the seconds, over
    all sessions with a camera, that no decision shows; `longest_gap_s` is between two decisions of one session."""

    process: str
    restart_s: float
    missed_turns: int
    longest_gap_s: float


@dataclass(frozen=True, slots=True)
class Rolling:
    """`pushes` were answered by a decision each, but for `unanswered`; a gateway that ended left `repeats` to the
    other. `listeners_intact`: every reader of live events heard each decision once, in order, over `connections`."""

    sessions: int
    restarts: tuple[Restart, ...]
    pushes: int
    unanswered: int
    repeats: int
    slowest_push_s: float
    listeners_intact: bool
    connections: int
    integrity: Integrity

    @property
    def missed_turns(self) -> int:
        """Seconds of sessions that nobody decided on."""
        return sum(restart.missed_turns for restart in self.restarts) + self.unanswered


async def measure(settings: BenchSettings) -> Rolling:
    """Restart both ingestion workers, both codecs, both interaction workers, both gateways, one after the other."""
    pushed = names(max(1, settings.sessions // _PUSHED_SHARE))
    watched = names(settings.sessions - len(pushed), first=len(pushed))
    async with running(settings, "rolling") as (stack, _), collecting(stack.nats.url) as collector:
        variables = await _replicated(stack)
        video = await asyncio.to_thread(write_video, stack.folder / "camera.mp4", _VIDEO_S)
        await open_sessions(stack, collector.client, watched, source_url=video.as_uri())
        pushers, listeners = [Pusher(name) for name in pushed], [Listener(name) for name in watched[:_LISTENERS]]
        async with _clients(stack, variables, pushers, listeners):
            await collector.wait(watched, lambda found: len(found) >= 3, _TICKING_S, "every session ticks")
            collector.clear()
            spans = [
                await _restart(stack, f"{service}-{number}", variables[f"{service}-{number}"])
                for service in ORDER
                for number in range(1, REPLICAS + 1)
            ]
        await _stop_cameras(stack)
        await settle(stack, (*watched, *pushed))
        return await _found(stack, collector, spans, pushers, listeners, watched)


@dataclass(frozen=True, slots=True)
class _Span:
    process: str
    began_us: int
    ended_us: int


async def _replicated(stack: Stack) -> dict[str, Mapping[str, str]]:
    """Two of every process; the variables with which each is started."""
    keys = stack.folder / "keys.json"
    keys.write_text(json.dumps({"keys": [{"sha256": hashlib.sha256(_KEY.encode()).hexdigest(), "tenant": TENANT}]}))
    probes = str(free_port())
    variables: dict[str, Mapping[str, str]] = {
        f"{name}-{number}": {} for name in ORDER for number in range(1, REPLICAS + 1)
    }
    variables["ingestion-1"] = {"VIGIL_GRPC_PORT": probes}
    for number in range(1, REPLICAS + 1):
        variables[f"gateway-{number}"] = {
            "VIGIL_HTTP_PORT": str(free_port()),
            "VIGIL_API_KEYS_FILE": str(keys),
            "VIGIL_INGESTION_GRPC": f"127.0.0.1:{probes}",
        }
    for process in variables:
        if process not in stack.workers:
            await _start(stack, process, variables[process])
    return variables


async def _start(stack: Stack, process: str, variables: Mapping[str, str]) -> None:
    service, _, number = process.rpartition("-")
    await stack.start(service, int(number), variables)


@asynccontextmanager
async def _clients(
    stack: Stack, variables: Mapping[str, Mapping[str, str]], pushers: Sequence[Pusher], listeners: Sequence[Listener]
) -> AsyncIterator[None]:
    """Push and listen while the block runs, through whichever gateway answers."""
    ports = [variables[f"gateway-{number}"]["VIGIL_HTTP_PORT"] for number in range(1, REPLICAS + 1)]
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        doors = Doors([f"http://127.0.0.1:{port}" for port in ports], {"Authorization": f"Bearer {_KEY}"}, http)
        tasks = [group.create_task(pusher.run(doors, stack.engine.model)) for pusher in pushers]
        tasks += [group.create_task(listener.run(doors)) for listener in listeners]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _restart(stack: Stack, process: str, variables: Mapping[str, str]) -> _Span:
    """As a rolling update does with one pod: end it, wait, start it anew, wait until it is ready."""
    began_us = _now_us()
    stack.workers[process].signal(signal.SIGTERM)
    await stack.workers[process].process.wait()
    await _start(stack, process, variables)
    await hold(_AFTER_S, f"{process} restarted in {(_now_us() - began_us) / 1e6:.1f} s")
    return _Span(process, began_us, _now_us())


async def _stop_cameras(stack: Stack) -> None:
    for number in range(1, REPLICAS + 1):
        with contextlib.suppress(ProcessLookupError):
            await stack.workers[f"ingestion-{number}"].stop()


async def _found(
    stack: Stack,
    collector: Collector,
    spans: Sequence[_Span],
    pushers: Sequence[Pusher],
    listeners: Sequence[Listener],
    watched: Sequence[str],
) -> Rolling:
    stored = await stored_decisions(collector.client)
    everything = [*watched, *(pusher.session for pusher in pushers)]
    integrity = await inspect(stack, everything, stored, await stored_alerts(collector.client))
    answered = [waited_s for pusher in pushers for waited_s in pusher.answered_s]
    found = Rolling(
        sessions=len(everything),
        restarts=tuple(_counted(span, collector, stored, watched) for span in spans),
        pushes=len(answered),
        unanswered=sum(pusher.unanswered for pusher in pushers),
        repeats=sum(pusher.repeats for pusher in pushers),
        slowest_push_s=round(max(answered, default=0.0), 3),
        listeners_intact=all(map(_is_intact, listeners)),
        connections=sum(listener.connections for listener in listeners),
        integrity=integrity,
    )
    for fault in integrity.faults:
        say(f"NOT intact: {fault}")
    say(f"{found.missed_turns} seconds missed, {found.pushes} pushes answered, {found.repeats} sent again")
    return found


def _counted(
    span: _Span, collector: Collector, stored: Mapping[str, Sequence[StoredDecision]], watched: Sequence[str]
) -> Restart:
    missed = sum(missed_turns(stored.get(name, ()), span.began_us, span.ended_us) for name in watched)
    gaps = (
        longest_gap(
            decided.arrival_us / 1e6
            for decided in collector.decided[name]
            if span.began_us <= decided.arrival_us <= span.ended_us
        )
        for name in watched
    )
    return Restart(
        span.process, round((span.ended_us - span.began_us) / 1e6 - _AFTER_S, 2), missed, round(max(gaps), 2)
    )


def _is_intact(listener: Listener) -> bool:
    """Whether it heard each decision once, in order, from the first that it heard."""
    heard = listener.sequences
    return bool(heard) and heard == list(range(heard[0], heard[0] + len(heard)))


def _now_us() -> int:
    return time.time_ns() // 1_000
